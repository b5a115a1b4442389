"""The respx door: while it is open, any httpx client in the process that calls the fake's URL reaches it.

respx patches httpcore; the engine answers. Uses names outside respx's documentation (``MockRouter.handler``,
``respx.models``), hence the pinned version.
"""

import httpx
import respx
from respx.models import AllMockedAssertionError, PassThrough

from .._world.state import World
from .transport import respond

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
        self._world = world
        self._text = url
        self._url = httpx.URL(url)

    def handler(self, request: httpx.Request) -> httpx.Response:
        """Answer, pass on, or refuse."""
        url = request.url
        if (url.scheme, url.host, url.port) == (self._url.scheme, self._url.host, self._url.port):
            return respond(self._world, request)
        if url.host in LOOPBACK:
            raise PassThrough("loopback", request=request, origin=None)  # type: ignore[arg-type]  # no route is meant
        raise AllMockedAssertionError(
            f"{url.host} is not the fake Keystone ({self._text}), and no other router mocks it"
        )

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """Answer an async client; the engine never waits."""
        return self.handler(request)
