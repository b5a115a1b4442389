"""The respx door: while it is open, any httpx client in the process that calls the fake's URL reaches it.

respx patches httpcore; the engine answers. Uses names outside respx's documentation (``MockRouter.handler``,
``respx.models``), hence the pinned version.
"""

from types import TracebackType
from typing import Self

import httpx
import respx
from respx.models import AllMockedAssertionError, PassThrough

from .._world.state import World
from .other_mocks import put_back, put_first
from .transport import FakeTransport, respond

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Door(respx.MockRouter):
    """A router with no routes: the host decides, so a call costs the same however many endpoints there are."""

    def __init__(self, url: str, world: World) -> None:
        """Make a router for one fake.

        Args:
            url: the base URL the fake answers at.
            world: the world to ask.
        """
        super().__init__(assert_all_called=False, assert_all_mocked=True)
        self.fake = FakeTransport(world)
        self._text = url
        self._url = httpx.URL(url)

    def snapshot(self) -> None:
        """Do nothing: with no routes there is no state to come back to, and respx takes 0.1 ms to keep it."""

    def __enter__(self) -> Self:
        """Open the door."""
        super().__enter__()
        put_first(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Close it."""
        put_back(self)
        super().__exit__(kind, error, trace)

    def leads_to(self, url: httpx.URL) -> bool:
        """Tell whether the fake answers at a URL."""
        return (url.scheme, url.host, url.port) == (self._url.scheme, self._url.host, self._url.port)

    def handler(self, request: httpx.Request) -> httpx.Response:
        """Answer, pass on, or refuse."""
        if self.leads_to(request.url):
            return respond(self.fake.world, request)
        if request.url.host in LOOPBACK:
            raise PassThrough("loopback", request=request, origin=None)  # type: ignore[arg-type]  # no route is meant
        raise AllMockedAssertionError(
            f"{request.url.host} is not the fake Keystone ({self._text}), and no other router mocks it"
        )

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """Answer an async client; the engine never waits."""
        return self.handler(request)
