"""A request with what is known of it before it is handled."""

from typing import NamedTuple

from .._wire import Request
from .._world.faults import Fault
from .call import Call
from .route import Match


class Arrival(NamedTuple):
    """A request with what is known of it before it is handled."""

    request: Request
    path: str
    call: Call | None
    """``None`` if the path is outside the prefix of the API."""
    match: Match | None
    fault: Fault | None

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def route(self) -> str:
        return self.match.route.path if self.match else ""

    @property
    def user(self) -> str | None:
        """The login name behind its session or token, which are not checked; ``None`` if there is neither."""
        if self.call is None:
            return None
        world, headers = self.call.world, self.call.headers
        session = world.sessions.live.get(self.call.cookies.get("sessionid", ""))
        token = world.sessions.tokens.get(headers.get("authorization", "").rpartition(" ")[2])
        user = world.store.get("user", token or (session and session.user))
        return user["username"] if user else None
