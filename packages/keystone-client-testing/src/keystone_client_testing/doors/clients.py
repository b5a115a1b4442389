"""Clients that are logged in, and whose waits advance the fake's clock instead of costing time.

Reaches into the clients of the same release: a session is handed to them as an answer they have received.
"""

from typing import Any

import anyio.lowlevel
import httpx
from keystone_client import AsyncKeystoneClient, KeystoneClient

from .._server.sessions import session_cookies
from .._world.state import World
from .transport import FakeTransport


def logged_in(url: str, transport: FakeTransport, user: int | None, options: dict[str, Any]) -> KeystoneClient:
    """Return a sync client with a session of a user, or of nobody for ``None``."""
    client = KeystoneClient(url, transport=transport, **options)
    client._sleep = transport.world.clock.advance
    _take_session(client, url, transport.world, user)
    return client


def logged_in_async(
    url: str, transport: FakeTransport, user: int | None, options: dict[str, Any]
) -> AsyncKeystoneClient:
    """Return an async client with a session of a user, or of nobody for ``None``."""
    client = AsyncKeystoneClient(url, transport=transport, **options)

    async def sleep(seconds: float) -> None:
        transport.world.clock.advance(seconds)
        await anyio.lowlevel.checkpoint()

    client._sleep = sleep
    _take_session(client, url, transport.world, user)
    return client


def _take_session(client: KeystoneClient | AsyncKeystoneClient, url: str, world: World, user: int | None) -> None:
    client._session.clock = client._session.now = world.clock.time
    if user is None:
        return
    with world.lock:
        key = world.sessions.open(world.store.tables["user"][user], world.clock.time())
    cookies = session_cookies(key, world.secure_cookies)
    client._session.receive(httpx.Response(200, headers=cookies, request=httpx.Request("GET", url)))
