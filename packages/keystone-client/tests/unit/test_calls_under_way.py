"""Calls under way while their client, or the server, closes connections."""

import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    ClosedError,
    KeystoneClient,
    KeystoneError,
    TransportError,
)

from .sockets import Doorkeeper, connections_to
from .threads import until

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
