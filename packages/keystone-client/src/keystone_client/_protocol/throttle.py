"""Remember until when the server's throttle holds back the calls of a client.

State only: ``retries`` decides how long the waits are, ``call`` does the waiting.
"""

from collections.abc import Callable
from typing import Final

import httpx

from .._transport.outgoing import OutgoingRequest

LOGGED_IN: Final = "logged in"


class Throttle:
    """When each identity may send again: the server counts requests by identity, so a 429 concerns all of its calls."""

    def __init__(self) -> None:
        """Start without any hold."""
        self._until: Final[dict[str, float]] = {}

    def hold(self, identity: str, until: float) -> None:
        """Hold an identity back until a time of the client's clock; this never shortens an earlier hold."""
        self._until[identity] = max(until, self._until.get(identity, until))

    def release(self) -> None:
        """End the hold on the logged-in identity after a login: it may be another user. If not, a 429 comes again."""
        self._until.pop(LOGGED_IN, None)

    def until(self, request: httpx.Request, clock: Callable[[], float]) -> float | None:
        """Return until when a request has to wait, or ``None`` if it may be sent now."""
        if not self._until:  # saves the nearly always needless look at the request's headers
            return None
        until = self._until.get(identity_of(request))
        return None if until is None or until <= clock() else until


def identity_of(request: httpx.Request) -> str:
    """Return the identity that the server counts a request for: it throttles logged-in and anonymous ones apart."""
    if isinstance(request, OutgoingRequest) and request.identity is not None:
        return request.identity
    # A client with a token never logs in and sends the token with every request, so here that is one identity too.
    return LOGGED_IN if "sessionid=" in request.headers.get("cookie", "") else "anonymous"
