"""Clients that are logged in, and whose waits advance the fake's clock instead of costing time.

Reaches into the clients of the same release: a session is handed to them as an answer they have received.
"""

from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import httpx
from keystone_client import AsyncKeystoneClient, KeystoneClient

from .._server.sessions import session_cookies

if TYPE_CHECKING:
    from .._fake import FakeKeystone


def logged_in(fake: "FakeKeystone", user: Any, options: dict[str, Any]) -> KeystoneClient:
    """Return a sync client with a session of ``user``, or of nobody for ``None``."""
    client = KeystoneClient(fake.url, transport=fake.transport, **options)
    client._sleep = fake.clock.advance
    _take_session(fake, client, user)
    return client


def logged_in_async(fake: "FakeKeystone", user: Any, options: dict[str, Any]) -> AsyncKeystoneClient:
    """Return an async client with a session of ``user``, or of nobody for ``None``."""
    client = AsyncKeystoneClient(fake.url, transport=fake.transport, **options)

    async def sleep(seconds: float) -> None:
        fake.clock.advance(seconds)
        await anyio.lowlevel.checkpoint()

    client._sleep = sleep
    _take_session(fake, client, user)
    return client


def _take_session(fake: "FakeKeystone", client: KeystoneClient | AsyncKeystoneClient, user: Any) -> None:
    client._session.clock = client._session.now = fake.clock.time
    if user is None:
        return
    world = fake.world
    with world.lock:
        record = world.store.tables["user"][fake.add.user_id(user)]
        key = world.sessions.open(record, world.clock.time())
    cookies = session_cookies(key, world.secure_cookies)
    client._session.receive(httpx.Response(200, headers=cookies, request=httpx.Request("GET", fake.url)))
