"""Clients that are logged in, and whose waits advance the fake's clock instead of costing time."""

from typing import Any

import anyio.lowlevel
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client._seam import open_session, set_clock

from .._server.sessions import session_cookies
from .._world.state import World
from .transport import FakeTransport


def logged_in(url: str, transport: FakeTransport, user: int | None, options: dict[str, Any]) -> KeystoneClient:
    """Return a sync client with a session of a user.

    Args:
        url: the base URL the fake answers at.
        transport: the door to its world.
        user: id of the user; ``None`` for an anonymous client.
        options: further arguments of the client.

    Returns:
        The client.
    """
    client = KeystoneClient(url, transport=transport, **options)
    clock = transport.world.clock
    set_clock(client, clock.time, clock.advance)
    if user is not None:
        open_session(client, _cookies(transport.world, user))
    return client


def logged_in_async(
    url: str, transport: FakeTransport, user: int | None, options: dict[str, Any]
) -> AsyncKeystoneClient:
    """Return an async client with a session of a user; see ``logged_in``."""
    client = AsyncKeystoneClient(url, transport=transport, **options)
    clock = transport.world.clock

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)
        await anyio.lowlevel.checkpoint()

    set_clock(client, clock.time, sleep)
    if user is not None:
        open_session(client, _cookies(transport.world, user))
    return client


def _cookies(world: World, user: int) -> list[str]:
    """Start a session and return the cookies of its login."""
    with world.lock:
        key = world.sessions.open(world.store.tables["user"][user], world.clock.time())
    return [value for _, value in session_cookies(key, world.secure_cookies)]
