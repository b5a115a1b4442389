"""Stand-ins for the connections of httpx, whose answers tests delay or break."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import anyio
import httpx
from keystone_client import AsyncKeystoneClient

from .scripted import URL, answer

ENVIRONMENT = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"]


class Connection(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Replaces httpx's transports: a connection to a server whose answers the tests delay or break."""

    made: ClassVar[list["Connection"]] = []
    busy: ClassVar[int] = 0
    peak: ClassVar[int] = 0
    act: ClassVar[Callable[[], Awaitable[object]] | None] = None

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.closed = 0
        self._pool = SimpleNamespace()  # the client replaces it, and its network backend
        Connection.made.append(self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert not self.closed
        Connection.busy += 1
        Connection.peak = max(Connection.peak, Connection.busy)
        try:
            if Connection.act is not None:
                await Connection.act()
        finally:
            Connection.busy -= 1
        return answer(200, {"id": 1})(request)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return answer(200, {"id": 1})(request)

    async def aclose(self) -> None:
        self.closed += 1

    def close(self) -> None:
        self.closed += 1


def run(backend: str, test: Callable[[], Awaitable[object]]) -> None:
    async def in_time() -> None:
        with anyio.fail_after(60):
            await test()

    anyio.run(in_time, backend=backend)


async def both_permits_are_back(client: AsyncKeystoneClient) -> None:
    """Check that two calls can run at once; otherwise this would block."""
    arrived, go = [anyio.Event(), anyio.Event()], anyio.Event()
    waiting = list(arrived)

    async def hold() -> None:
        waiting.pop().set()
        await go.wait()

    Connection.act = hold
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(client.http_get, "version")
            group.start_soon(client.http_get, "version")
            for event in arrived:
                await event.wait()
            go.set()
    Connection.act = None
    assert all(connection.closed <= 1 for connection in Connection.made)


def two_at_once(**options: Any) -> AsyncKeystoneClient:
    limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
    return AsyncKeystoneClient(URL, limits=limits, retry=None, **options)
