"""The request as the client hands it from module to module: an httpx request with typed attributes of our own."""

from collections.abc import Callable
from typing import Final, Protocol

import httpx

NO_SESSION: Final = -1
"""The session number of a request that belongs to no session: cookies in its response are dropped."""


class Sink(Protocol):
    """Takes the body of a response chunk by chunk."""

    def write(self, chunk: bytes, total: int) -> None:
        """Take a chunk; ``total`` is the size of the whole body in bytes, 0 if the server does not say."""


class OutgoingRequest(httpx.Request):
    """A request with what the client needs to know about it while it is sent.

    It is a subclass, so that every transport of httpx accepts it. The rest stands in attributes rather than under keys
    of ``extensions``, because a type checker finds a misspelt attribute and does not find a misspelt key.
    """

    endpoint: str = ""
    """The path below the base URL, without a query."""
    session: int | None = None
    """The number of the session it was built in; ``None`` for a login, whose response may always set cookies."""
    size_limit: int | None = None
    """How many bytes the response may have, decompressed; ``None`` for any number."""
    sink: Sink | None = None
    """Where the body of a 200 is written, instead of being kept in memory."""
    time_left: Callable[[], float] | None = None
    """Returns the seconds left before the deadline of the call; ``None`` without a deadline."""
    unreadable: tuple[int, list[tuple[bytes, bytes]]] | None = None
    """Status and headers of a response whose body could not be read. Not the response: it refers to its request."""
    identity: str | None = None
    """Overrides the identity that the throttle sees, so that a 429 to this request holds back no other call."""

    proxy: str = ""
    """The proxy that it went through, as errors name it; known when the response is there. Empty for none."""

    @property
    def timeouts(self) -> dict[str, float | None]:
        """The timeouts in seconds by phase (``connect``, ``read``, ``write``, ``pool``), as httpx keeps them."""
        limits: dict[str, float | None] = self.extensions["timeout"]
        return limits


def endpoint_of(request: httpx.Request) -> str:
    """Return the path of a request below the base URL, or its whole path if the client did not build it."""
    return (request.endpoint if isinstance(request, OutgoingRequest) else "") or request.url.path
