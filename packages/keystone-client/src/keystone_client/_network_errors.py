"""What lies beneath an exception, and what a failure of the network says about the way to the server.

The HTTP library tells what failed last, which on some of its backends has no words; the reason is further down.
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
"""What OpenSSL calls failures of a handshake that the next one would meet as well; others may pass with a restart."""

ADVICE: Final[Mapping[type[OSError], str]] = {
    ssl.SSLCertVerificationError: "is the host name of the URL the one in the certificate, and the clock of this "
    "machine right? Where a CA of your own has signed it, verify= takes a file of CA certificates",
    ssl.SSLError: "is it http:// that the server speaks on this port, or a version of TLS that this machine refuses?",
    socket.gaierror: "is the host name spelled right, and does the resolver of this machine know it?",
    ConnectionRefusedError: "is the server running, and the port right? With a proxy, is that?",
}
"""What to look at, by what went wrong."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that led to it, each once."""
    links, seen = [error], set()
    while links:
        link = links.pop()
        if id(link) not in seen:
            seen.add(id(link))
            yield link
            links += link.exceptions if isinstance(link, BaseExceptionGroup) else ()
            links += [other for other in (link.__cause__, link.__context__) if other is not None]


def reason_of(failure: BaseException) -> OSError | None:
    """Why the network failed, if that is something there is advice for."""
    failures = (cause for cause in causes(failure) if isinstance(cause, OSError))
    return next((error for error in failures if isinstance(error, tuple(ADVICE))), None)


def words_of(failure: BaseException) -> str:
    """The first words on the way down to where it began, or its name where nobody says any."""
    return next(filter(None, map(str, causes(failure))), type(failure).__name__)


def advice_on(reason: OSError) -> str:
    """What to look at after such a failure."""
    return next(advice for kind, advice in ADVICE.items() if isinstance(reason, kind))


def is_hopeless(failure: BaseException) -> bool:
    """Whether trying again leads to the same failure: TLS with the wrong host, port or certificate."""
    return getattr(reason_of(failure), "reason", None) in HOPELESS
