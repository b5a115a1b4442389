"""Clients leak no resources when they are dropped, forked, closed during calls, or used on another event loop."""

import asyncio
import gc
import gzip
import os
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    ClosedError,
    DecodeError,
    KeystoneClient,
    KeystoneError,
    ResponseTooLargeError,
    TransportError,
)
from keystone_client_testing import FakeKeystone

from .threads import in_threads, until


@pytest.fixture
def url() -> Iterator[str]:
    with FakeKeystone().serve() as url:
        yield url


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="asks Linux what is open")
@pytest.mark.parametrize("used", [False, True])
def test_a_thousand_clients_opened_and_dropped_leave_no_socket_and_no_thread(url: str, used: bool) -> None:
    def clients(count: int) -> None:
        for _ in range(count):
            with KeystoneClient(url) as client:
                if used:
                    client.http_get("version")

    clients(3)
    threads = threads_of_ours()
    clients(100 if used else 1000)
    assert connections_to(url) == 0
    assert threads_of_ours() == threads


def connections_to(url: str) -> int:
    """Return how many connections to a server this process has open, according to Linux."""
    gc.collect()
    port = f":{httpx.URL(url).port:04X} "
    lines = Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return sum(line.split()[2].endswith(port.strip()) and line.split()[3] == "01" for line in lines)


def threads_of_ours() -> int:
    return sum(thread.name.startswith("keystone-client") for thread in threading.enumerate())


def test_an_unclosed_client_warns_once_and_closes_its_connections(url: str) -> None:
    client = KeystoneClient(url)
    client.http_get("version")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del client
        gc.collect()
    assert ["was not closed" in str(warning.message) for warning in caught] == [True]


def test_an_unclosed_sync_client_is_closed_when_dropped_without_garbage_collection(url: str) -> None:
    gc.disable()
    try:
        client = KeystoneClient(url)
        client.http_get("version")
        with pytest.warns(ResourceWarning, match="was not closed"):
            del client
    finally:
        gc.enable()


@pytest.mark.parametrize("cyclic", [False, True])
def test_an_unclosed_async_client_warns_once_and_closes_its_connections(url: str, backend: str, cyclic: bool) -> None:
    async def test() -> None:
        client: Any = AsyncKeystoneClient(url)
        client.itself = client if cyclic else None
        await client.http_get("version")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
            await anyio.wait_all_tasks_blocked()
        assert ["was not closed" in str(warning.message) for warning in caught] == [True]

    anyio.run(test, backend=backend)


def test_dropping_a_client_that_opened_nothing_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KeystoneClient("http://keystone.test")
        AsyncKeystoneClient("http://keystone.test")
        client = KeystoneClient("http://keystone.test", transport=FakeKeystone().transport)
        assert client.http_get("version").status_code == 200
        del client
        gc.collect()


def test_an_async_client_works_on_one_event_loop_after_the_other(url: str) -> None:
    client = AsyncKeystoneClient(url)

    async def once() -> int:
        response: httpx.Response = await client.http_get("version")
        return response.status_code

    async def last() -> int:
        async with client:
            return await once()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # from asyncio, for connections of a closed loop
        assert [asyncio.run(once()), asyncio.run(once()), anyio.run(once, backend="trio"), asyncio.run(last())] == [
            200
        ] * 4
        gc.collect()


def test_an_async_client_works_on_two_event_loops_at_once(url: str) -> None:
    client = AsyncKeystoneClient(url)
    statuses: list[int] = []
    both = threading.Barrier(2)

    async def some() -> None:
        both.wait(30)
        for _ in range(20):
            statuses.append((await client.http_get("version")).status_code)

    def loop() -> None:
        asyncio.run(some())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        in_threads(*[loop] * 2)
        asyncio.run(client.close())
        gc.collect()
    assert statuses == [200] * 40


FORK = """
import os, signal, sys, threading, anyio
from keystone_client import AsyncKeystoneClient, KeystoneClient, ClosedError

url = sys.argv[1]
client, other = KeystoneClient(url), AsyncKeystoneClient(url)
client.login("admin", "quickstart")
iteration = client.iterate_user(page_size=1)
next(iteration); next(iteration)

def hold():                                   # locks, as another thread of the parent may
    with client._session._lock, client._driver.connections._permits.lock, client._driver.turn.lock:
        held.set()
        over.wait(30)

held, over = threading.Event(), threading.Event()
thread = threading.Thread(target=hold)
thread.start()
assert held.wait(30)
child = os.fork()
if child == 0:
    signal.alarm(30)                          # nobody else would end it
    try:
        next(iteration)
    except ClosedError as error:
        assert "parent process" in str(error)
    assert client.whoami()["username"] == "admin"
    client.login("admin", "quickstart")
    assert anyio.run(other.whoami) is None
    print("child", flush=True)
    os._exit(0)
over.set()
thread.join(30)
assert os.waitpid(child, 0)[1] == 0
assert client.whoami()["username"] == "admin"
assert len(list(iteration)) > 0
client.close()
print("parent")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_child_has_connections_and_locks_of_its_own() -> None:
    fake = FakeKeystone()
    for number in range(5):
        fake.add.user(username=f"user{number}")
    with fake.serve() as url:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, url],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.stdout.split(), done.returncode) == (["child", "parent"], 0), done.stderr


FORK_OF_TASKS = """
import asyncio, gc, os, sys, warnings
from keystone_client import AsyncKeystoneClient

def sockets():
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return sum(os.readlink(link).startswith("socket:") for link in links if os.path.islink(link))

client = AsyncKeystoneClient(sys.argv[1])
loop = asyncio.new_event_loop()
before = sockets()
loop.run_until_complete(client.retrieve_version())
assert sockets() == before + 1
child = os.fork()
if child == 0:
    gc.collect()
    os._exit(sockets() - before)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
loop.run_until_complete(client.close())
loop.close()
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux tells what a process has open")
def test_a_forked_child_closes_the_connections_of_an_async_client_of_its_parent() -> None:
    with FakeKeystone().serve() as url:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK_OF_TASKS, url],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.stdout.split(), done.returncode) == (["0"], 0), done.stderr


class Doorkeeper:
    """A server that holds each request until the test releases it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(30)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.taken: list[socket.socket] = []

    def take(self) -> socket.socket:
        """Accept a connection and wait for a request on it."""
        connection, _ = self.socket.accept()
        connection.settimeout(30)
        self.taken.append(connection)
        connection.recv(65536)
        return connection

    def __enter__(self) -> "Doorkeeper":
        return self

    def __exit__(self, *_: object) -> None:
        for opened in [self.socket, *self.taken]:
            opened.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="asks Linux what is open")
def test_a_call_whose_connection_breaks_after_the_client_was_closed_raises_and_leaves_none_open() -> None:
    """``close`` lets a call under way end, as the next test says; this one ends because the server goes."""
    ended: list[object] = []

    def call() -> None:
        try:
            ended.append(client.http_get("version"))
        except KeystoneError as error:
            ended.append(type(error))

    with Doorkeeper() as server:
        client = KeystoneClient(server.url, retry=None)
        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        connection = server.take()
        client.close()
        connection.shutdown(socket.SHUT_RDWR)
        thread.join(30)
        assert not thread.is_alive()
        assert ended == [TransportError]
        connection.close()
        assert connections_to(server.url) == 0
    with pytest.raises(ClosedError):
        client.http_get("version")


def test_a_call_under_way_when_the_client_is_closed_is_answered_and_closes_its_connection() -> None:
    answers: list[httpx.Response] = []
    with Doorkeeper() as server:
        client = KeystoneClient(server.url)
        thread = threading.Thread(target=lambda: answers.append(client.http_get("version")), daemon=True)
        thread.start()
        connection = server.take()
        client.close()
        connection.sendall(OK)
        assert connection.recv(1) == b""
        thread.join(30)
    assert [answer.status_code for answer in answers] == [200]


def test_a_call_waiting_for_a_connection_raises_when_the_client_is_closed(runner: str) -> None:
    limits = httpx.Limits(max_connections=1)

    with Doorkeeper() as server:
        if runner == "sync":
            client = KeystoneClient(server.url, retry=None, limits=limits)
            thread = threading.Thread(target=client.http_get, args=("version",), daemon=True)
            thread.start()
            connection = server.take()
            ended: list[bool] = []

            def wait_for_turn() -> None:
                with pytest.raises(ClosedError):
                    client.http_get("x")
                ended.append(True)

            waiting = threading.Thread(target=wait_for_turn, daemon=True)
            waiting.start()
            pool: Any = client._driver.connections
            until(lambda: pool._permits.waiting)
            client.close()
            connection.sendall(OK)
            waiting.join(30)
            thread.join(30)
            assert ended == [True]
        else:

            async def test() -> None:
                client = AsyncKeystoneClient(server.url, retry=None, limits=limits)
                async with anyio.create_task_group() as group:
                    group.start_soon(client.http_get, "version")
                    connection = await anyio.to_thread.run_sync(server.take)

                    async def wait() -> None:
                        with pytest.raises(ClosedError):
                            await client.http_get("x")

                    group.start_soon(wait)
                    await anyio.wait_all_tasks_blocked()
                    await client.close()
                    connection.sendall(OK)

            anyio.run(test, backend=runner)


def test_a_connection_closed_by_the_server_is_not_used_for_a_write(runner: str) -> None:
    """It is detected before anything is sent, so that a POST that must not be repeated does not fail."""

    def serve(server: Doorkeeper) -> None:
        first = server.take()
        first.sendall(OK)
        first.shutdown(socket.SHUT_RDWR)
        gone.set()
        server.take().sendall(OK)

    gone = threading.Event()
    with ExitStack() as stack:
        server = stack.enter_context(Doorkeeper())
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        if runner == "sync":
            with KeystoneClient(server.url, retry=None) as client:
                client.http_get("version")
                assert gone.wait(30)
                assert client.http_post("x", json={}).status_code == 200
        else:

            async def test() -> None:
                async with AsyncKeystoneClient(server.url, retry=None) as client:
                    await client.http_get("version")
                    assert await anyio.to_thread.run_sync(gone.wait, 30)
                    assert (await client.http_post("x", json={})).status_code == 200

            anyio.run(test, backend=runner)
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("body", [{"json": {}}, {"files": {"file": ("a.txt", b"x" * 5_000_000)}}], ids=["JSON", "file"])
def test_on_trio_a_cancelled_write_leaves_no_generator_open(body: dict[str, Any]) -> None:
    """Trio warns when an open async generator is collected."""

    async def test() -> None:
        async with AsyncKeystoneClient(server.url) as client:
            for turns in range(12):
                async with anyio.create_task_group() as group:
                    group.start_soon(partial(client.http_post, "x", **body))
                    for _ in range(turns):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
                gc.collect()

    with Doorkeeper() as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        anyio.run(test, backend="trio")
    assert [str(warning.message) for warning in caught] == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n"
GIVEN_UP = {
    "too large": (HEAD + b"\r\n" + b"x" * 200_000, ResponseTooLargeError),
    "badly packed": (HEAD + b"Content-Encoding: gzip\r\n\r\n" + b"x" * 200_000, DecodeError),
}


@pytest.mark.parametrize(("beginning", "error"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_an_abandoned_answer_leaves_no_generator_open(
    backend: str, beginning: bytes, error: type[KeystoneError]
) -> None:
    """The error is raised at once, though the answer never ends. Trio's warning of open generators fails the test."""

    async def test() -> None:
        async with AsyncKeystoneClient(server.url, max_response_size=100_000, retry=None) as client:
            async with anyio.create_task_group() as group:

                async def call() -> None:
                    with pytest.raises(error):
                        await client.http_get("x")

                group.start_soon(call)
                connection = await anyio.to_thread.run_sync(server.take)
                connection.setblocking(False)
                connection.send(beginning)
            gc.collect()

    with Doorkeeper() as server:
        anyio.run(test, backend=backend)


WHOLE = {
    "once": (b"gzip", b"garbage" * 99),
    "once, in many pieces": (b"gzip", b"garbage" * 99_999),
    "cut": (b"gzip", gzip.compress(b"garbage" * 99)[:-9]),
    "twice": (b"gzip, gzip", b"garbage" * 99),
    "twice, the inner": (b"gzip, gzip", gzip.compress(b"garbage" * 99)),
}


@pytest.mark.parametrize(("packing", "content"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("most", [1_000_000, None])
def test_a_complete_answer_with_invalid_compression_raises_and_leaves_no_generator_open(
    backend: str, packing: bytes, content: bytes, most: int | None
) -> None:
    """A doubly compressed answer is decoded by httpx, which must have read all of it before it raises."""

    async def test() -> None:
        async with AsyncKeystoneClient(server.url, max_response_size=most, retry=None) as client:
            async with anyio.create_task_group() as group:

                async def call() -> None:
                    with pytest.raises(DecodeError, match=r"unpacked|not asked for"):
                        await client.http_get("x")

                group.start_soon(call)
                connection = await anyio.to_thread.run_sync(server.take)
                connection.sendall(head + content)
            gc.collect()

    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (packing, len(content))
    with Doorkeeper() as server:
        anyio.run(test, backend=backend)
