"""In tasks, connections are reused, limited in number, and always released, also by calls that are cancelled."""

import contextlib
import socket
import threading
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, RequestTimeoutError, TransportError

from .connection_stub import Connection, both_permits_are_back, run, two_at_once
from .scripted import URL

pytestmark = pytest.mark.usefixtures("no_environment")


def test_cancelled_calls_release_their_permits_and_connections(backend: str, stub: type[Connection]) -> None:
    async def storm() -> None:
        async with two_at_once() as client:
            for turns in range(8):
                stub.act = anyio.sleep_forever
                async with anyio.create_task_group() as group:
                    for _ in range(6):
                        group.start_soon(client.http_get, "version")
                    for _ in range(turns):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
                assert stub.busy == 0
            await both_permits_are_back(client)
        assert all(connection.closed == 1 for connection in stub.made)
        assert stub.peak == 2

    run(backend, storm)


def test_calls_cancelled_while_others_finish_pass_their_permit_on(backend: str, stub: type[Connection]) -> None:
    async def storm() -> None:
        async with two_at_once() as client:
            stub.act = anyio.lowlevel.checkpoint

            async def call(steps: int) -> None:
                async with anyio.create_task_group() as group:
                    group.start_soon(client.http_get, "version")
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()

            async with anyio.create_task_group() as group:
                for number in range(60):
                    group.start_soon(call, number % 12)
            await both_permits_are_back(client)
        assert stub.peak == 2

    run(backend, storm)


@pytest.mark.parametrize(
    "error", [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.ConnectError("x"), RuntimeError("x")]
)
def test_failed_calls_release_their_permit_and_close_their_connection(
    backend: str, error: Exception, stub: type[Connection]
) -> None:
    async def fail() -> None:
        raise error

    async def test() -> None:
        async with two_at_once() as client:
            stub.act = fail
            for _ in range(5):
                with pytest.raises((TransportError, RuntimeError)):
                    await client.http_get("version")
            assert [connection.closed for connection in stub.made] == [1] * 5
            await both_permits_are_back(client)

    run(backend, test)


def test_a_connection_that_cannot_be_opened_releases_its_permit(
    backend: str, stub: type[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Connection, **options: Any) -> None:
        raise ValueError("no such proxy")

    async def test() -> None:
        async with two_at_once() as client:
            with monkeypatch.context() as patch:
                patch.setattr(Connection, "__init__", broken)
                for _ in range(5):
                    with pytest.raises(ValueError, match="no such proxy"):
                        await client.http_get("version")
            await both_permits_are_back(client)

    run(backend, test)


def test_an_async_pool_timeout_reports_that_nothing_was_sent(backend: str, stub: type[Connection]) -> None:
    async def test() -> None:
        async with two_at_once(timeout=httpx.Timeout(None, pool=0.01)) as client:
            stub.act = anyio.sleep_forever
            async with anyio.create_task_group() as group:
                group.start_soon(client.http_get, "version")
                group.start_soon(client.http_get, "version")
                while stub.busy < 2:
                    await anyio.lowlevel.checkpoint()
                with pytest.raises(RequestTimeoutError, match="every connection was in use") as caught:
                    await client.create_team(name="t")
                assert caught.value.outcome == "not sent"
                assert isinstance(caught.value.__cause__, httpx.PoolTimeout)
                group.cancel_scope.cancel()
            await both_permits_are_back(client)

    run(backend, test)


def test_connections_are_reused_and_idle_ones_are_limited(backend: str, stub: type[Connection]) -> None:
    async def test() -> None:
        limits = httpx.Limits(max_connections=5, max_keepalive_connections=1)
        async with AsyncKeystoneClient(URL, limits=limits) as client:
            for _ in range(5):
                await client.http_get("version")
            assert len(stub.made) == 1
            stub.act = anyio.lowlevel.checkpoint
            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(client.http_get, "version")
            assert stub.peak == 5
            assert sum(not connection.closed for connection in stub.made) == 1
        assert all(connection.closed == 1 for connection in stub.made)

    run(backend, test)


@pytest.mark.parametrize(("expiry", "closed"), [(5.0, 4), (None, 0)])
def test_idle_async_connections_are_closed_after_the_expiry(
    backend: str, expiry: float | None, closed: int, stub: type[Connection]
) -> None:
    async def test() -> None:
        now = 100.0
        async with AsyncKeystoneClient(URL, limits=httpx.Limits(keepalive_expiry=expiry)) as client:
            stub.act = anyio.lowlevel.checkpoint
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(client.http_get, "version")
            idle = client._driver.here().pool.idle
            idle.clock = lambda: now
            idle.since = type(idle.since)((now, slot) for _, slot in idle.since)
            assert len(idle) == 5
            for _ in range(3):  # one stays in use
                now += 2.0
                await client.http_get("version")
            assert sum(connection.closed for connection in stub.made) == closed
            assert len(stub.made) == 5
            now += 6.0
            await client.http_get("version")
            assert len(stub.made) == (6 if expiry else 5)

    run(backend, test)


@pytest.mark.parametrize("end", ["cancelled", "timed out"])
def test_a_cancelled_tls_handshake_leaves_no_connection_open(backend: str, end: str) -> None:
    """httpcore 1.0.9 leaks the connection of a cancelled handshake."""
    limit = 0.02 if end == "timed out" else None

    async def test(url: str, taken: list[socket.socket]) -> None:
        async with AsyncKeystoneClient(
            url, verify=False, retry=None, timeout=httpx.Timeout(None, connect=limit)
        ) as client:
            for _ in range(5):
                async with anyio.create_task_group() as group:

                    async def call() -> None:
                        with contextlib.suppress(RequestTimeoutError):
                            await client.http_get("version")

                    group.start_soon(call)
                    assert await anyio.to_thread.run_sync(arrived.acquire, True, 30)
                    if end == "cancelled":
                        group.cancel_scope.cancel()
            for connection in taken:  # all but the ClientHello: the end
                while await anyio.to_thread.run_sync(connection.recv, 65536):
                    pass
                ended.append(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        taken: list[socket.socket] = []
        ended: list[socket.socket] = []

        def accept() -> None:
            while len(taken) < 5:
                connection, _ = server.accept()
                connection.settimeout(30)
                taken.append(connection)
                connection.recv(1, socket.MSG_PEEK)  # the ClientHello: before it, anyio may still hold the connection
                arrived.release()

        arrived = threading.Semaphore(0)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        run(backend, lambda: test(f"https://127.0.0.1:{server.getsockname()[1]}", taken))
        thread.join(30)
        assert not thread.is_alive()
        for connection in taken:
            connection.close()
    assert len(ended) == 5
