"""A client that is closed has no connection left, and says that it is closed."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from keystone_client import AsyncKeystoneClient, ClosedError, KeystoneClient

from .connection_stub import Connection, both_permits_are_back, run, two_at_once
from .scripted import URL, Scripted, connect

pytestmark = pytest.mark.usefixtures("no_environment")


def test_a_call_under_way_when_the_client_is_closed_closes_its_connection(backend: str, stub: type[Connection]) -> None:
    async def test() -> None:
        go = anyio.Event()
        stub.act = go.wait
        client = two_at_once()
        async with anyio.create_task_group() as group:
            group.start_soon(client.http_get, "version")
            while not stub.busy:
                await anyio.lowlevel.checkpoint()
            await client.close()
            go.set()
        assert [connection.closed for connection in stub.made] == [1]

    run(backend, test)


@pytest.mark.parametrize("turns", range(5))
def test_a_cancelled_close_still_closes_every_connection(turns: int, stub: type[Connection]) -> None:
    async def slowly(self: Connection) -> None:
        self.closed += 1
        await asyncio.sleep(0)

    async def test() -> None:
        client = two_at_once()
        await both_permits_are_back(client)
        closing = asyncio.create_task(client.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await closing
        await client.close()
        assert [connection.closed for connection in stub.made] == [1, 1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "aclose", slowly)
        asyncio.run(test())


def test_nothing_is_opened_before_the_first_request(stub: type[Connection]) -> None:
    with KeystoneClient(URL):
        assert stub.made == []
    AsyncKeystoneClient(URL)
    assert stub.made == []


CALLS: dict[str, Callable[[Any], object]] = {
    "http_get": lambda client: client.http_get("version"),
    "retrieve": lambda client: client.retrieve_team(1),
    "list": lambda client: client.retrieve_team(),
    "iterate": lambda client: client.iterate_team(),
    "count": lambda client: client.count_team(),
    "create": lambda client: client.create_team(name="t"),
    "login": lambda client: client.login("ada", "pw"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("own", [True, False], ids=["own transport", "network"])
def test_use_after_close_is_a_clear_error(colour: str, call: Callable[[Any], object], own: bool) -> None:
    wire = Scripted()
    client = connect(colour, wire if own else None)
    client.close()
    with pytest.raises(ClosedError, match="the client is closed: make a new one"):
        call(client)
    assert wire.requests == []


def test_closing_twice_is_allowed_and_closes_a_custom_transport_once(colour: str) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    client.http_get("version")
    client.close()
    client.close()
    assert wire.closed == 1


def test_a_client_that_was_never_used_can_be_closed(colour: str, stub: type[Connection]) -> None:
    client = connect(colour)
    client.close()
    client.close()
    with pytest.raises(ClosedError):
        client.http_get("version")
    assert stub.made == []


def test_leaving_the_block_closes_even_if_it_raises() -> None:
    wire = Scripted()
    with pytest.raises(KeyError), KeystoneClient(URL, transport=wire) as client:
        raise KeyError
    with pytest.raises(ClosedError):
        client.http_get("version")
    assert wire.closed == 1
