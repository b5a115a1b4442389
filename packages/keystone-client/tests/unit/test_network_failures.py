"""Over a socket: threads, asyncio and trio report a failure with the same message and send as many requests."""

import contextlib
import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient, RequestTimeoutError, RetryPolicy, TransportError
from keystone_client_testing import FakeKeystone

from .sockets import serving

RUNNERS = ["sync", "asyncio", "trio"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"
Act = Callable[[socket.socket], None]


def saying(text: bytes, *, reset: bool = False) -> Act:
    """Return a handler that reads a request, sends a text and closes the connection."""

    def act(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(text)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def silent(connection: socket.socket) -> None:
    """Wait until the client gives up."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def deaf(connection: socket.socket) -> None:
    """Read nothing until the client gives up; the request is larger than the socket buffers."""
    connection.settimeout(30)
    gone.wait(30)


gone = threading.Event()
CLOSED = "the connection was closed before the whole answer had come"
HTTP = {
    "closed": (saying(b""), CLOSED),
    "reset": (saying(b"", reset=True), CLOSED),
    "cut head": (saying(b"HTTP/1.1 200 OK\r\nContent-"), CLOSED),
    "cut body": (saying(HEAD), CLOSED),
    "reset in the body": (saying(HEAD, reset=True), CLOSED),
    "cut chunk": (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), CLOSED),
    "another protocol": (saying(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "the answer is not HTTP (illegal status line"),
    "an alert of TLS": (saying(b"\x15\x03\x01\x00\x02\x02\x16"), "does the server speak https there?"),
    "no answer": (silent, "nothing came from the server within 0.3 s"),
    "no ear": (deaf, "the request could not be sent within 0.3 s"),
}
HTTPS = {
    "closed": (saying(b""), "UNEXPECTED_EOF_WHILE_READING"),
    "reset": (saying(b"", reset=True), "the connection was closed while it was opened"),
    "http": (saying(HEAD), "is it http:// that the server speaks on this port"),
    "no answer": (silent, "there was no connection within 0.3 s"),
}
EVENTS = [("http", *event) for event in HTTP.values()] + [("https", *event) for event in HTTPS.values()]
NAMES = [f"http {name}" for name in HTTP] + [f"https {name}" for name in HTTPS]


@contextlib.contextmanager
def serving_until_told(act: Act) -> Iterator[int]:
    gone.clear()
    with serving(act) as port:
        yield port
        gone.set()


def told(runner: str, url: str, body: object) -> TransportError:
    options: dict[str, Any] = {"retry": None, "trust_env": False, "timeout": 0.3, "verify": TRUSTED}

    async def send_in_task() -> None:
        async with AsyncKeystoneClient(url, **options) as client:
            await client.http_post("version", json=body)

    def send() -> None:
        with KeystoneClient(url, **options) as client:
            client.http_post("version", json=body)

    with pytest.raises(TransportError) as caught:
        send() if runner == "sync" else anyio.run(send_in_task, backend=runner)
    return caught.value


TRUSTED = ssl.create_default_context()


@pytest.mark.parametrize(("scheme", "act", "words"), EVENTS, ids=NAMES)
def test_a_failure_has_the_same_message_on_every_backend(scheme: str, act: Act, words: str) -> None:
    body = "x" * 20_000_000 if act is deaf else {}
    with serving_until_told(act) as port:
        errors = [told(runner, f"{scheme}://127.0.0.1:{port}", body) for runner in RUNNERS]
    assert len({str(error) for error in errors}) == 1
    assert len({(type(error), error.outcome, error.attempts) for error in errors}) == 1
    assert words in str(errors[0])
    assert not {"deque", "scope", "cancel", "h11", "Error:"} & set(str(errors[0]).replace("_", " ").split())


def test_a_refused_connection_has_the_same_message_on_every_backend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    words = {str(told(runner, f"http://127.0.0.1:{port}", {})) for runner in RUNNERS}
    assert len(words) == 1
    assert "Connection refused" in words.pop()


def listed(runner: str, url: str, **options: Any) -> list[Any]:
    """Return all teams, listed with a client that is closed afterwards."""
    options = {"trust_env": False, **options}

    async def list_in_task() -> list[Any]:
        async with AsyncKeystoneClient(url, **options) as client:
            return [*await client.retrieve_team()]

    if runner != "sync":
        return anyio.run(list_in_task, backend=runner)
    with KeystoneClient(url, **options) as client:
        return [*client.retrieve_team()]


@pytest.mark.parametrize(("retry", "requests"), [(None, 1), (RetryPolicy(attempts=3, backoff=0), 3)])
def test_a_listing_that_times_out_sends_what_the_policy_allows(
    runner: str, retry: RetryPolicy | None, requests: int
) -> None:
    fake = FakeKeystone()
    fake.fail("GET", "/users/teams/", error="timeout", times=9)
    with fake.serve() as url:
        with pytest.raises(RequestTimeoutError, match=r"nothing came from the server within 0\.2 s") as caught:
            listed(runner, url, retry=retry, timeout=0.2)
        assert len(fake.journal) == caught.value.attempts == requests


def test_an_x_gzip_page_is_read(runner: str) -> None:
    body = gzip.compress(b'{"count": 1, "next": null, "previous": null, "results": [{"id": 1}]}')
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: x-gzip\r\n"
    page = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    with serving(saying(page)) as port:
        assert listed(runner, f"http://127.0.0.1:{port}") == [{"id": 1}]
