"""A deadline limits the whole call, even if the server delays, sends byte by byte, or never answers."""

import contextlib
import gc
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpcore
import httpx
import pytest
import trio
from keystone_client import AsyncKeystoneClient, DeadlineExceededError, KeystoneClient, RetryPolicy
from keystone_client._transport.deadline import TIME_LEFT
from keystone_client._transport.deadline_backend import DeadlineStream
from keystone_client_testing import FakeKeystone
from trio.testing import MockClock

from .clocks import virtually
from .scripted import URL
from .sockets import serving

DRIPS = {"headers": b"HTTP/1.1 200 OK\r\nX: ", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"}


@contextlib.contextmanager
def dripping(beginning: bytes) -> Iterator[str]:
    """A server that starts an answer and continues byte by byte until the client disconnects.

    It gives up after 20 s, and the test fails: a client that ignores its deadline would hang.
    """
    over = threading.Event()
    outlasted: list[socket.socket] = []

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(beginning)
        for _ in range(2000):
            if over.wait(0.01):
                return
            connection.sendall(b"x")
        outlasted.append(connection)

    with serving(drip) as port:
        yield f"http://127.0.0.1:{port}"
        over.set()
    assert not outlasted, "the client waited until the server gave up"


def test_the_deadline_network_backend_is_used_by_the_connection() -> None:
    """It is installed through private attributes of httpx and httpcore; if one is renamed, this test fails."""
    with FakeKeystone().serve() as url, KeystoneClient(url, retry=RetryPolicy(deadline=30)) as client:
        assert isinstance(client.http_get("version").extensions["network_stream"], DeadlineStream)


@pytest.mark.parametrize("part", DRIPS)
def test_a_server_that_answers_byte_by_byte_does_not_outlast_the_deadline(part: str) -> None:
    policy = RetryPolicy(deadline=0.2)
    with (
        dripping(DRIPS[part]) as url,
        KeystoneClient(url, retry=policy) as client,
        pytest.raises(DeadlineExceededError),
    ):
        client.create_team(name="t")


@pytest.mark.parametrize("part", DRIPS)
def test_an_async_call_to_a_server_that_answers_byte_by_byte_ends_at_the_deadline(part: str, backend: str) -> None:
    async def test() -> None:
        async with AsyncKeystoneClient(url, retry=RetryPolicy(deadline=0.2)) as client:
            with pytest.raises(DeadlineExceededError):
                await client.create_team(name="t")

    with dripping(DRIPS[part]) as url:
        anyio.run(test, backend=backend)


class Wire(httpcore.NetworkStream):
    """A network stream that records the timeouts it gets; each operation takes 3 s of a simulated clock."""

    def __init__(self) -> None:
        self.left = 10.0
        self.limits: list[float | None] = []

    def _step(self, timeout: float | None) -> None:
        self.limits.append(timeout)
        self.left -= 3

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._step(timeout)
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._step(timeout)

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> httpcore.NetworkStream:
        self._step(timeout)
        return self


def test_each_step_of_a_connection_gets_the_remaining_time_of_the_call() -> None:
    wire = Wire()
    stream = DeadlineStream(wire)
    token = TIME_LEFT.set(lambda: wire.left)
    try:
        secure = stream.start_tls(None, timeout=5)
        secure.write(b"x", timeout=None)
        secure.read(1, timeout=15)
        secure.read(1, timeout=0.5)
        with pytest.raises(httpcore.ReadTimeout):
            secure.read(1, timeout=15)
        with pytest.raises(httpcore.WriteTimeout):
            secure.write(b"x")
        with pytest.raises(httpcore.ConnectTimeout):
            secure.start_tls(None)  # type: ignore[arg-type]
    finally:
        TIME_LEFT.reset(token)
    assert wire.limits == [5, 7, 4, 0.5]
    stream.read(1, timeout=15)
    assert wire.limits[-1] == 15


def test_a_server_that_never_answers_does_not_outlast_the_deadline() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await trio.sleep_forever()
            raise AssertionError

    async def test() -> None:
        client = AsyncKeystoneClient(URL, transport=Silent(), timeout=None, retry=RetryPolicy(deadline=10))
        client._session.clock = trio.current_time
        started = trio.current_time()
        with pytest.raises(DeadlineExceededError) as caught:
            await client.create_team(name="t")
        assert trio.current_time() == started + 10
        assert caught.value.outcome == "unknown"

    virtually(test)


def test_an_answer_abandoned_at_the_deadline_leaves_no_generator_open() -> None:
    async def late() -> AsyncIterator[bytes]:
        clock.jump(11)
        yield b"x"
        await trio.sleep_forever()

    class Late(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=late())

    async def test() -> None:
        client = AsyncKeystoneClient(URL, transport=Late(), retry=RetryPolicy(deadline=10))
        client._session.clock = trio.current_time
        with pytest.raises(DeadlineExceededError):
            await client.create_team(name="t")

    clock = MockClock()
    trio.run(test, clock=clock)
    gc.collect()  # trio warns when an unfinished async generator is collected


def test_a_call_that_waited_for_a_connection_until_the_deadline_reports_not_sent(backend: str) -> None:
    async def test() -> None:
        limits = httpx.Limits(max_connections=1)
        async with AsyncKeystoneClient(url, limits=limits, retry=RetryPolicy(deadline=0.2)) as client:
            patient = client.with_options(retry=RetryPolicy(deadline=60))
            async with anyio.create_task_group() as group:
                group.start_soon(patient.http_get, "version")  # holds the only connection
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(DeadlineExceededError) as caught:
                    await client.create_team(name="t")
                group.cancel_scope.cancel()
            assert caught.value.outcome == "not sent"

    with dripping(DRIPS["body"]) as url:
        anyio.run(test, backend=backend)
