"""Clients leak no resources when they are dropped, or used on another event loop."""

import asyncio
import gc
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    KeystoneClient,
)
from keystone_client_testing import FakeKeystone

from .sockets import connections_to
from .threads import in_threads


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
