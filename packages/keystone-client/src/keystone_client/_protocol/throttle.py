"""What the calls of one client tell each other: until when the server wants to hear nothing.

State only: how long a wait is, ``_retry`` says; who waits, ``_call``.
"""

from typing import Final

import httpx

from .._transport.outgoing import OutgoingRequest

LOGGED_IN: Final = "logged in"


class Throttle:
    """Until when nobody of an identity sends: the server counts by identity, so one 429 answers all of its calls."""

    def __init__(self) -> None:
        """Hold nobody back."""
        self._until: Final[dict[str, float]] = {}

    def hold(self, identity: str, until: float) -> None:
        """Hold an identity back, in the time of the client's clock; what was asked for before stays asked for."""
        self._until[identity] = max(until, self._until.get(identity, until))

    def release(self) -> None:
        """Hold back nobody who is logged in: it is another user now, or the server says it again."""
        self._until.pop(LOGGED_IN, None)

    def until(self, request: httpx.Request, now: float) -> float | None:
        """Until when this request has to wait, or ``None`` if it may go."""
        if not self._until:  # nearly always
            return None
        until = self._until.get(identity_of(request))
        return None if until is None or until <= now else until


def identity_of(request: httpx.Request) -> str:
    """Whom the server takes the caller for: it counts those who are logged in and all others apart."""
    if isinstance(request, OutgoingRequest) and request.identity is not None:
        return request.identity
    known = "authorization" in request.headers or "sessionid=" in request.headers.get("cookie", "")
    return LOGGED_IN if known else "anonymous"
