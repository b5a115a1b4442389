"""A request on its way to the server, with all that the way needs to know about it."""

from collections.abc import Callable
from typing import Final, Protocol

import httpx

NO_SESSION: Final = -1
"""The number of no session: cookies in the answer to such a request are dropped."""


class Sink(Protocol):
    """What takes the body of an answer bit by bit."""

    def write(self, chunk: bytes, total: int) -> None:
        """Take some of the body; ``total`` is the number of its bytes, 0 where the server does not tell."""


class OutgoingRequest(httpx.Request):
    """A request of ours.

    It is a request of httpx, so that every transport takes it. What else its way needs stands in attributes, and not
    under keys of ``extensions``, where no type checker sees a misspelt one.
    """

    endpoint: str = ""
    """The path below the base URL, without a query."""
    session: int | None = None
    """The number of the session it was built in; ``None`` for a login, whose answer may always set cookies."""
    size_limit: int | None = None
    """The most bytes its answer may have, unpacked; ``None`` for any number."""
    sink: Sink | None = None
    """What its answer is written into, instead of being read whole."""
    time_left: Callable[[], float] | None = None
    """Gives the seconds left of the call, where there is a deadline."""
    identity: str | None = None
    """An identity of its own for the throttle, so that a 429 to it holds back no other call."""

    @property
    def timeouts(self) -> dict[str, float | None]:
        """The longest time for each phase in seconds, as httpx keeps it."""
        limits: dict[str, float | None] = self.extensions["timeout"]
        return limits


def endpoint_of(request: httpx.Request) -> str:
    """Return what a request asks for: the path below the base URL, or the whole path of a request that is not ours."""
    return (request.endpoint if isinstance(request, OutgoingRequest) else "") or request.url.path
