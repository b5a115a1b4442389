"""One request on its way through the engine: its parsed parts, who makes it, and what it wants.

Holds and decodes; decides nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from .._parsing.bodies import ALL_TYPES, JSON, parse_body, parse_query
from .._wire import VARY, Reply, Request, decode_path
from .._world.history import Origin
from .._world.state import World
from .._world.store import Record, Write

Act = Callable[["Call"], Reply | None]
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Call:
    """The request being answered."""

    def __init__(self, world: World, request: Request, path: str, act: Act) -> None:
        """Parse the parts of the request that every endpoint needs."""
        self.world = world
        self.act = act
        """How the engine answers an action of a batch job; ``None`` where there is no such route.

        It comes with the call, so that no endpoint imports the engine.
        """
        self.request = request
        self.method = request.method
        self.raw_path = path
        self.path = decode_path(path)
        self.headers = request.headers
        self.cookies = _cookies(self.headers.get("cookie", ""))
        self.address = self.headers.get("x-forwarded-for", "").partition(",")[0] or request.peer
        """The remote address for the log: from ``X-Forwarded-For``, else that of the connection."""
        self.user: Record | None = None
        self.signed: Record | None = None
        """The user of the session. The audit log names this user, even if a token identifies the caller."""
        self.accepts: Sequence[str] = ALL_TYPES
        self.media = JSON
        """The content type of the answer, unless the endpoint sets another."""
        self.vary = VARY
        """Request headers on which the answer depends."""
        self.database_down = False
        """Whether it is answered while the database of the server is down."""
        self.broken_links: list[str] = []
        """Links that make the commit fail; the actions of a batch job share the list with the job."""
        self.cookies_out: list[tuple[str, str]] = []
        self.writes: Sequence[Write] = ()
        self.cid = _usable_cid(self.headers.get("x-keystone-cid"))

    @property
    def staff(self) -> bool:
        """Whether the caller is staff."""
        return bool(self.user and self.user["is_staff"])

    @property
    def caller(self) -> Record:
        """The user, for endpoints that refuse anonymous callers."""
        assert self.user is not None  # the endpoint asked for a user before
        return self.user

    @property
    def secure(self) -> bool:
        """Whether the request came over https, directly or according to ``X-Forwarded-Proto``."""
        return self.headers.get("x-forwarded-proto", self.request.scheme) == "https"

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """The query parameters as sent."""
        return parse_query(self.request.query)

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters; the last one of a name wins."""
        return dict(self.pairs)

    @cached_property
    def data(self) -> Any:
        """The decoded body; as on the server, a chunked body without a length counts as empty."""
        chunked = "chunked" in self.headers.get("transfer-encoding", "") and "content-length" not in self.headers
        body = b"" if chunked else self.request.body
        content_type = self.headers.get("content-type", "").encode().decode("latin-1")  # so the server reads headers
        return parse_body(content_type, body, self.accepts)

    @property
    def full_path(self) -> str:
        """Path and query as the server writes them in its log and its links: decoded, and encoded anew."""
        return _written(self.path, self.request.query)

    @property
    def base(self) -> str:
        """Scheme and host, for the links the server builds."""
        return f"{'https' if self.secure else 'http'}://{self.request.host}"

    @property
    def origin(self) -> Origin:
        """The origin that the audit log records for the writes of this call."""
        port = _port(self.headers.get("x-forwarded-port", ""))
        return Origin(self.signed, self.cid, _without_port(self.address), port)


@lru_cache(32)
def _cookies(header: str) -> Mapping[str, str]:
    pairs = (item.partition("=") for item in header.split(";"))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


@lru_cache(1024)
def _written(path: str, query: str) -> str:
    query = quote(query, safe="/#%[]=:;$&()+,!?*@'~")
    return quote(path, safe="/:@&+$,-_.!~*'()") + (f"?{query}" if query else "")


def _without_port(address: str) -> str:
    """Cut the port off an address from a proxy, as the audit log does; the request log keeps it."""
    if "." in address:
        return address.partition(":")[0]
    return address[1:].partition("]")[0] if "[" in address else address


def _port(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _usable_cid(given: str | None) -> str:
    return given if given is not None and _is_uuid(given) else str(uuid4())


@lru_cache(32)
def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
