"""A connection that cannot be used again is replaced, before anything is sent on it."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anyio
import httpx
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client._transport.httpcore_internals import replace_pool
from keystone_client._transport.one_connection import AsyncOneConnection, OneConnection

from .sockets import serving

MINE = {"id": 1, "name": "mine"}
OTHER = {"id": 2, "name": "another"}


def answer(record: Mapping[str, object], head: str = "") -> bytes:
    body = json.dumps(record)
    return f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


class Server:
    """A server that counts its connections, and that may do something right after its first answer."""

    def __init__(self, reply: bytes, afterwards: Callable[[socket.socket], object]) -> None:
        self.reply, self.afterwards = reply, afterwards
        self.connections = 0
        self.done = threading.Event()
        """Set when the server has done that; on the loopback, the client's system knows then."""
        self.url = ""

    def act(self, connection: socket.socket) -> None:
        self.connections += 1
        while connection.recv(65536):
            connection.sendall(self.reply)
            if not self.done.is_set():
                self.afterwards(connection)
                self.done.set()


@contextlib.contextmanager
def answering(reply: bytes = answer(MINE), afterwards: Callable[[socket.socket], object] = id) -> Iterator[Server]:
    server = Server(reply, afterwards)
    with serving(server.act) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server


def records(way: str, server: Server, **options: Any) -> list[Any]:
    """Retrieve a record three times with one client that does not retry."""
    if way == "sync":
        with KeystoneClient(server.url, retry=None, **options) as client:
            first = client.retrieve_cluster(1)
            assert server.done.wait(30)
            return [first, client.retrieve_cluster(1), client.retrieve_cluster(1)]

    async def retrieve() -> list[Any]:
        async with AsyncKeystoneClient(server.url, retry=None, **options) as client:
            first = await client.retrieve_cluster(1)
            assert await anyio.to_thread.run_sync(server.done.wait, 30)
            return [first, await client.retrieve_cluster(1), await client.retrieve_cluster(1)]

    return anyio.run(retrieve, backend=way)


def test_calls_one_after_the_other_use_one_connection(runner: str) -> None:
    with answering() as server:
        assert records(runner, server) == [MINE] * 3
    assert server.connections == 1


def test_an_answer_with_connection_close_is_the_last_on_its_connection(runner: str) -> None:
    with answering(answer(MINE, "Connection: close\r\n")) as server:
        assert records(runner, server) == [MINE] * 3
    assert server.connections == 3


def test_a_connection_that_the_server_closed_is_replaced_without_an_error(runner: str) -> None:
    with answering(afterwards=lambda connection: connection.shutdown(socket.SHUT_RDWR)) as server:
        assert records(runner, server) == [MINE] * 3
    assert server.connections == 2


def test_what_the_server_sends_unasked_is_never_an_answer(runner: str) -> None:
    with answering(afterwards=lambda connection: connection.sendall(answer(OTHER))) as server:
        assert records(runner, server) == [MINE] * 3
    assert server.connections == 2


class Diverting(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Asks another server before each request, as a wrapper does that fetches a token."""

    def __init__(self, inner: Any, other: str) -> None:
        self.inner = inner
        self.request = httpx.Request("GET", other)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert json.loads(self.inner.handle_request(self.request).read()) == OTHER
        response: httpx.Response = self.inner.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert json.loads(await (await self.inner.handle_async_request(self.request)).aread()) == OTHER
        response: httpx.Response = await self.inner.handle_async_request(request)
        return response


def test_a_wrapper_may_ask_another_server_over_its_connection(runner: str) -> None:
    with answering() as server, answering(answer(OTHER)) as other:
        assert records(runner, server, wrap_transport=lambda inner: Diverting(inner, other.url)) == [MINE] * 3


def test_a_request_to_another_server_gets_a_connection_of_its_own() -> None:
    """None is sent by the client itself; a tool that replaces ``httpx.Client.send`` may change the address."""
    with (
        answering() as server,
        answering(answer(OTHER)) as other,
        contextlib.closing(httpx.HTTPTransport()) as transport,
    ):
        replace_pool(transport, OneConnection)
        for url, record in ((server.url, MINE), (other.url, OTHER), (other.url, OTHER)):
            assert json.loads(transport.handle_request(httpx.Request("GET", url)).read()) == record
    assert (server.connections, other.connections) == (1, 1)


def test_an_async_request_to_another_server_gets_a_connection_of_its_own(backend: str) -> None:
    async def ask(url: str, other: str) -> None:
        async with contextlib.aclosing(httpx.AsyncHTTPTransport()) as transport:
            replace_pool(transport, AsyncOneConnection)
            for where, record in ((url, MINE), (other, OTHER), (other, OTHER)):
                response = await transport.handle_async_request(httpx.Request("GET", where))
                assert json.loads(await response.aread()) == record

    with answering() as server, answering(answer(OTHER)) as other:
        anyio.run(ask, server.url, other.url, backend=backend)
    assert (server.connections, other.connections) == (1, 1)


def test_a_connection_whose_answer_was_left_unread_is_replaced(backend: str) -> None:
    async def ask(url: str) -> None:
        async with contextlib.aclosing(httpx.AsyncHTTPTransport()) as transport:
            replace_pool(transport, AsyncOneConnection)
            await transport.handle_async_request(httpx.Request("GET", url))
            response = await transport.handle_async_request(httpx.Request("GET", url))
            assert json.loads(await response.aread()) == MINE

    with answering() as server:
        anyio.run(ask, server.url, backend=backend)
    assert server.connections == 2
