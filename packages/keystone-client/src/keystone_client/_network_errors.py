"""Find the reason beneath a network failure, and the advice that goes with it.

The HTTP library's own exception says what failed last and often has no message, depending on the backend. The reason is
further down the chain of causes.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

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
    ConnectionRefusedError: "is the server running, and the port right? With a proxy, is that?",
}
"""What the user should check, by the kind of failure."""


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
    return next((error for error in failures if isinstance(error, tuple(ADVICE))), None)


def words_of(failure: BaseException) -> str:
    """Return the first message in the chain of causes, or the exception's class name if all are empty."""
    return next(filter(None, map(str, causes(failure))), type(failure).__name__)


def advice_on(reason: OSError) -> str:
    """Return what the user should check after such a failure."""
    return next(advice for kind, advice in ADVICE.items() if isinstance(reason, kind))


def is_hopeless(failure: BaseException) -> bool:
    """Check whether retrying cannot help: TLS with the wrong host, port or certificate."""
    return getattr(reason_of(failure), "reason", None) in HOPELESS
