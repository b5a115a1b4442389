"""The private attributes of httpx and httpcore that the client uses still exist."""

import contextlib
import socket
from contextlib import nullcontext
from typing import Any

import anyio
import httpcore
import httpx
import pytest
from keystone_client._transport.deadline_backend import DeadlineBackend, DeadlineStream
from keystone_client._transport.httpcore_internals import (
    connection_state,
    is_readable,
    keep_body,
    replace_pool,
    use_backend,
)
from keystone_client._transport.one_connection import AsyncOneConnection, OneConnection
from keystone_client_testing import FakeKeystone


def test_a_transport_of_httpx_has_a_pool_that_can_be_replaced() -> None:
    transport = httpx.HTTPTransport()
    assert isinstance(transport._pool, httpcore.ConnectionPool), "HTTPTransport._pool has moved"
    assert hasattr(transport._pool, "_network_backend"), "ConnectionPool._network_backend has moved"
    use_backend(transport, DeadlineBackend())
    replace_pool(transport, OneConnection)

    with FakeKeystone().serve() as url:
        response = transport.handle_request(httpx.Request("GET", f"{url}version/"))

        assert isinstance(transport._pool, OneConnection), "HTTPTransport does not use _pool"
        network = response.extensions["network_stream"]
        assert isinstance(network, DeadlineStream), "ConnectionPool.create_connection does not use _network_backend"
        transport.close()
        assert network.get_extra_info("socket").fileno() == -1, "HTTPTransport.close does not close _pool"


def test_an_async_transport_of_httpx_has_a_pool_that_can_be_replaced() -> None:
    async def ask(url: str) -> None:
        transport = httpx.AsyncHTTPTransport()
        assert isinstance(transport._pool, httpcore.AsyncConnectionPool), "AsyncHTTPTransport._pool has moved"
        replace_pool(transport, AsyncOneConnection)

        response = await transport.handle_async_request(httpx.Request("GET", f"{url}version/"))

        pool: Any = transport._pool
        assert pool._connection.is_idle() is False, "AsyncHTTPTransport does not use _pool"
        connection = pool._connection
        for locked, lock in ((connection, "_request_lock"), (connection._connection, "_state_lock")):
            assert isinstance(getattr(locked, lock), nullcontext), f"{type(locked).__name__}.{lock} has moved"
        await response.aread()
        await transport.aclose()
        assert pool._connection is None, "AsyncHTTPTransport.aclose does not close _pool"

    with FakeKeystone().serve() as url:
        anyio.run(ask, url)


@pytest.mark.parametrize("replaced", [False, True], ids=["of a pool", "of one connection"])
def test_the_stream_of_a_response_leads_to_the_state_of_its_connection(replaced: bool) -> None:
    with FakeKeystone().serve() as url, contextlib.closing(httpx.HTTPTransport()) as transport:
        if replaced:
            replace_pool(transport, OneConnection)
        response = transport.handle_request(httpx.Request("GET", f"{url}version/"))

        state = connection_state(response.stream)

        assert state is not None, "_httpcore_stream._connection._h11_state has moved"
        response.read()
        assert state.trailing_data == (b"", False), "h11's trailing_data has another form"
        assert callable(state.send_failed), "h11's send_failed has moved"


@pytest.mark.parametrize("replaced", [False, True], ids=["of a pool", "of one connection"])
def test_the_stream_of_an_async_response_leads_to_the_state_of_its_connection(replaced: bool) -> None:
    async def ask(url: str) -> None:
        async with contextlib.aclosing(httpx.AsyncHTTPTransport()) as transport:
            if replaced:
                replace_pool(transport, AsyncOneConnection)
            response = await transport.handle_async_request(httpx.Request("GET", f"{url}version/"))
            assert connection_state(response.stream) is not None, "the async way to _h11_state has moved"
            await response.aclose()

    with FakeKeystone().serve() as url:
        anyio.run(ask, url)


def test_a_response_whose_body_was_set_equals_one_that_was_read() -> None:
    def received() -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    read, kept = received(), received()
    read.read()

    keep_body(kept, b"{}")

    attributes = ("content", "text", "num_bytes_downloaded", "is_closed", "is_stream_consumed")
    for name in attributes:
        assert getattr(kept, name) == getattr(read, name), f"Response.{name} depends on another attribute"
    assert kept.read() == b"{}"
    assert b"".join(kept.iter_bytes()) == b"{}"


def test_a_socket_is_readable_when_bytes_have_come_or_its_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not is_readable(ours), "httpcore._utils.is_socket_readable has another meaning"
        theirs.send(b"x")
        assert is_readable(ours)
        assert ours.recv(1) == b"x"
        theirs.close()
        assert is_readable(ours)
