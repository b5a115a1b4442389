"""Measures the ladder of one call: the same request at each layer between the socket and a client, JSON decoded.

    python benchmarks/ladder.py [--write]      # --write puts the table into docs/benchmarks.md

The lower steps do all that the ones above them do, and more; but the client does not build on ``httpx.Client``. All
take turns over one server. Times are those that this process has worked, so that the server does not count.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from time import process_time
from urllib.parse import urlsplit

import httpcore
import httpx
from compare import timed, timed_async
from keystone_client import AsyncKeystoneClient, KeystoneClient
from loopback import running
from tables import Report, table

Headers = list[tuple[str, str]]
ROUNDS, EACH = 60, 20
LOGIN = {"username": "admin", "password": "quickstart"}
CLUSTER = "allocations/clusters/1/"
STEPS = {
    "socket": "a socket, with the request written by hand",
    "httpcore": "a connection of httpcore",
    "transport": "the transport of httpx",
    "ours": "`client.retrieve_cluster(pk=1)`",
    "httpx": "`httpx.Client.get`",
}


def headers_of(url: str) -> Headers:
    """Log in, and return the headers that a request of the session has."""
    with httpx.Client(base_url=url) as client:
        client.post("authentication/login/", json=LOGIN)
        return list(client.build_request("GET", CLUSTER).headers.items())


def as_text(headers: Headers) -> bytes:
    """Return the request as it is sent."""
    lines = [f"GET /{CLUSTER} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def missing(answer: bytes) -> int:
    """Return how many bytes of an answer are still to come; 1 where its headers have no end yet."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    return int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]) - len(body) if blank else 1


def over_socket(stack: ExitStack, url: str, request: bytes) -> Callable[[], object]:
    """Return the call over a bare socket."""
    parts = urlsplit(url)
    connection = stack.enter_context(socket.create_connection((parts.hostname, parts.port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call() -> object:
        connection.sendall(request)
        answer = b""
        while missing(answer):
            answer += connection.recv(65_536)
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    return call


def sync(url: str, headers: Headers) -> dict[str, float]:
    """Return the seconds that each step takes from a thread."""
    with ExitStack() as stack:
        core = stack.enter_context(httpcore.HTTPConnection(httpcore.URL(url).origin))
        transport = stack.enter_context(httpx.HTTPTransport())
        raw = stack.enter_context(httpx.Client(base_url=url))
        client = stack.enter_context(KeystoneClient(url))
        raw.post("authentication/login/", json=LOGIN)
        client.login(**LOGIN)
        target, timeout = f"{url}/{CLUSTER}", {"timeout": httpx.Timeout(5).as_dict()}

        def over_httpcore() -> object:
            response = core.request("GET", target, headers=[*headers], extensions=timeout)
            return json.loads(response.content)

        def over_transport() -> object:
            request = httpx.Request("GET", target, headers=headers, extensions=timeout)
            response = transport.handle_request(request)
            response.read()
            return response.json()

        steps: dict[str, Callable[[], object]] = {
            "socket": over_socket(stack, url, as_text(headers)),
            "httpcore": over_httpcore,
            "transport": over_transport,
            "ours": lambda: client.retrieve_cluster(pk=1),
            "httpx": lambda: raw.get(CLUSTER).json(),
        }
        return timed(steps, ROUNDS, EACH, process_time)


async def over_streams(stack: AsyncExitStack, url: str, request: bytes) -> Callable[[], Awaitable[object]]:
    """Return the call over the streams of asyncio."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    stack.callback(writer.close)

    async def call() -> object:
        writer.write(request)
        answer = b""
        while missing(answer):
            answer += await reader.read(65_536)
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    return call


async def asynchronous(url: str, headers: Headers) -> dict[str, float]:
    """Return the seconds that each step takes from a task."""
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(httpcore.AsyncHTTPConnection(httpcore.URL(url).origin))
        transport = await stack.enter_async_context(httpx.AsyncHTTPTransport())
        raw = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
        client = await stack.enter_async_context(AsyncKeystoneClient(url))
        await raw.post("authentication/login/", json=LOGIN)
        await client.login(**LOGIN)
        target, timeout = f"{url}/{CLUSTER}", {"timeout": httpx.Timeout(5).as_dict()}

        async def over_httpcore() -> object:
            response = await core.request("GET", target, headers=[*headers], extensions=timeout)
            return json.loads(response.content)

        async def over_transport() -> object:
            request = httpx.Request("GET", target, headers=headers, extensions=timeout)
            response = await transport.handle_async_request(request)
            await response.aread()
            return response.json()

        async def ours() -> object:
            return await client.retrieve_cluster(pk=1)

        async def theirs() -> object:
            return (await raw.get(CLUSTER)).json()

        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "socket": await over_streams(stack, url, as_text(headers)),
            "httpcore": over_httpcore,
            "transport": over_transport,
            "ours": ours,
            "httpx": theirs,
        }
        return await timed_async(steps, ROUNDS, EACH, process_time)


def ladder(url: str) -> str:
    """Return the table."""
    headers = headers_of(url)
    colours = (sync(url, headers), asyncio.run(asynchronous(url, headers)))
    rows = [
        [
            shown,
            *(
                cell
                for took in colours
                for cell in (f"{took[step] * 1e6:,.0f} µs", f"{took[step] / took['httpx']:.2f}")
            ),
        ]
        for step, shown in STEPS.items()
    ]
    return table(["the same request over", "sync", "of httpx", "async", "of httpx"], rows)


if __name__ == "__main__":
    page = Report(__doc__)
    with running() as server:
        page.add("ladder", ladder(server))
