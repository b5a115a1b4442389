"""Find the reason beneath a network failure, and the advice that goes with it.

The HTTP library's own exception says what failed last. Its class and its message depend on the backend: a connection
that is reset is a ``ReadError`` with "pop from an empty deque" on asyncio, and a ``RemoteProtocolError`` in a thread.
So errors say in words of our own what happened, the same for threads, asyncio and trio. The reason is often further
down the chain of causes.
"""

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx

HOPELESS: Final = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "RECORD_LAYER_FAILURE",  # an answer without encryption, as OpenSSL 3.2 and newer call it
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)
"""OpenSSL's names of handshake failures that retrying cannot fix; others may pass when the server has restarted."""

ADVICE: Final[Mapping[type[OSError], str]] = {
    ssl.SSLCertVerificationError: "is the host name of the URL the one in the certificate, and the clock of this "
    "machine right? Where a CA of your own has signed it, verify= takes a file of CA certificates",
    ssl.SSLError: "is it http:// that the server speaks on this port, or a version of TLS that this machine refuses?",
    socket.gaierror: "is the host name spelled right, and does the resolver of this machine know it?",
    ConnectionRefusedError: "is the server running, and the port right?",
}
"""What the user should check, by the kind of failure."""

ADVICE_ON_PROXY: Final = (
    "is the proxy right, and is it running? NO_PROXY names hosts that are reached without one, trust_env=False ignores "
    "what the environment names"
)

NOT_HTTP: Final = "is the port right, and does the server speak https there?"

TIMEOUTS: Final[Mapping[type[httpx.RequestError], tuple[str, str]]] = {
    httpx.ConnectTimeout: ("connect", "there was no connection"),
    httpx.WriteTimeout: ("write", "the request could not be sent"),
    httpx.ReadTimeout: ("read", "nothing came from the server"),
}
"""The phase of each timeout, and what did not happen in time."""

_CLOSED = ("Server disconnected", "peer closed connection")
"""How httpcore begins to say that the connection ended; its class for that is the one for answers that are not HTTP."""

_UNFINISHED = ssl.SSLWantReadError | ssl.SSLWantWriteError
"""No failures: backends meet them whenever TLS waits for the network, and leave them in the chain of causes."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything that led to it, each once."""
    links, seen = [error], set()
    while links:
        link = links.pop()
        if id(link) not in seen:
            seen.add(id(link))
            yield link
            links += link.exceptions if isinstance(link, BaseExceptionGroup) else ()
            links += [other for other in (link.__cause__, link.__context__) if other is not None]


def reason_of(failure: BaseException) -> OSError | None:
    """Return the cause of a failure that ``ADVICE`` covers; ``None`` if there is none."""
    failures = (cause for cause in causes(failure) if isinstance(cause, OSError))
    return next(
        (error for error in failures if isinstance(error, tuple(ADVICE)) and not isinstance(error, _UNFINISHED)), None
    )


def words_of(failure: httpx.RequestError, timeouts: Mapping[str, Any]) -> str:
    """Say what happened, the same on every backend.

    Args:
        failure: The exception of httpx.
        timeouts: The timeouts of the request in seconds, by phase.

    Returns:
        The words, without a full stop.
    """
    reason = reason_of(failure)
    if failure.__cause__ is None and str(failure):  # a transport of the user, or this client, has words of its own
        return f"{type(failure).__name__}: {failure}" if isinstance(failure, httpx.TransportError) else str(failure)
    if type(failure) in TIMEOUTS:
        words = _timeout_words(failure, timeouts)
    elif reason is not None:
        words = _system_words(reason)
    elif isinstance(failure, httpx.ConnectError):
        words = _system_words(_system_error(failure)) or "the connection was closed while it was opened"
    elif isinstance(failure, httpx.NetworkError) or str(failure).startswith(_CLOSED):
        words = "the connection was closed before the whole answer had come"
    elif isinstance(failure, httpx.RemoteProtocolError):
        words = f"the answer is not HTTP ({failure})"
    else:
        words = next(filter(None, map(str, causes(failure))), type(failure).__name__)
    return words


def _timeout_words(failure: httpx.RequestError, timeouts: Mapping[str, Any]) -> str:
    phase, missed = TIMEOUTS[type(failure)]
    seconds = timeouts.get(phase)
    return f"{missed} within {'the timeout' if seconds is None else f'{seconds:.3g} s'}"


def advice_on(failure: BaseException, proxy: str) -> str:
    """Return what the user should check after a failure; empty if there is no advice.

    Args:
        failure: The exception of httpx.
        proxy: The proxy that the request went through, empty for none.
    """
    reason = reason_of(failure)
    connecting = isinstance(failure, httpx.ProxyError | httpx.ConnectError | httpx.ConnectTimeout)
    if proxy and connecting and not isinstance(reason, ssl.SSLError):  # TLS goes through the proxy, to the server
        return ADVICE_ON_PROXY
    if reason is not None:
        return next(advice for kind, advice in ADVICE.items() if isinstance(reason, kind))
    is_foreign = isinstance(failure, httpx.RemoteProtocolError) and not str(failure).startswith(_CLOSED)
    return NOT_HTTP if is_foreign else ""


def is_hopeless(failure: BaseException) -> bool:
    """Check whether retrying cannot help: TLS with the wrong host, port or certificate, a proxy that wants a login."""
    if isinstance(failure, httpx.ProxyError) and str(failure).startswith(("403", "407")):
        return True
    return getattr(reason_of(failure), "reason", None) in HOPELESS


def _system_error(failure: BaseException) -> OSError | None:
    """Return the error of the operating system that is the cause of a failure; a reset is none, it needs no number."""
    failures = (
        cause for cause in causes(failure) if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError)
    )
    return next((error for error in failures if error.errno and not isinstance(error, ConnectionError)), None)


def _system_words(error: OSError | None) -> str:
    """Return the words of the operating system; backends put words of their own around them."""
    if error is None:
        return ""
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return str(error)
    return f"[Errno {error.errno}] {os.strerror(error.errno)}"
