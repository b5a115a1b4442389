"""A transport that plays scripted replies and records requests, and one interface to the sync and the async client.

No expectations here: they belong in the tests.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeAlias

import httpx
from keystone_client import AsyncKeystoneClient, KeystoneClient

from .blocking import Blocking

URL = "http://keystone.test/"
Reply: TypeAlias = Callable[[httpx.Request], httpx.Response]
"""Answers a request, or raises."""


def answer(status: int = 200, body: object = None, **headers: str) -> Reply:
    """Return a reply with a status and a body: bytes unchanged, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {} if "content-type" in named else {"content-type": "application/json"}
    return lambda request: httpx.Response(status, headers={**kind, **named}, content=content, request=request)


def page(*records: dict[str, Any], count: int | None = None, more: bool = False) -> Reply:
    """Return a reply with one page of a listing."""
    total = len(records) if count is None else count
    following = "http://elsewhere.test/?page=2" if more else None
    return answer(200, {"count": total, "next": following, "previous": None, "results": list(records)})


def failure(kind: type[httpx.RequestError], message: str = "it broke") -> Reply:
    """Return a reply that raises a transport error."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise kind(message, request=request)

    return fail


def cookies(*lines: str, status: int = 200, body: object = None) -> Reply:
    """Return a reply that sets cookies."""
    content = json.dumps({"id": 1} if body is None else body).encode()
    headers = [(b"content-type", b"application/json"), *((b"set-cookie", line.encode("latin-1")) for line in lines)]
    return lambda request: httpx.Response(status, headers=headers, content=content, request=request)


HTML = b"<!DOCTYPE html>\n<html><head><title>Welcome to\n nginx!</title></head><body>hello</body></html>"


def html(status: int = 200) -> Reply:
    return answer(status, HTML, content_type="text/html")


class _Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is decompressed while it is read, as from a network."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def zipped(*chunks: bytes, status: int = 200) -> Reply:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    return lambda request: httpx.Response(status, headers=headers, stream=_Chunks(*chunks), request=request)


class Scripted(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers each request with the next reply of a script; repeats the last one."""

    def __init__(self, *script: Reply) -> None:
        self.script = list(script or (answer(200, {"id": 1}),))
        self.requests: list[httpx.Request] = []
        self.closed = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._reply(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self._reply(request)

    def _reply(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return reply(request)

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Player(Blocking):
    """A client whose methods block; waits between tries are recorded, not slept."""

    def __init__(self, client: KeystoneClient | AsyncKeystoneClient) -> None:
        super().__init__(client)
        self.pauses: list[float] = []
        client._session.draw = lambda: 1.0
        client._session.clock = lambda: sum(self.pauses)
        if isinstance(client, KeystoneClient):
            client._driver.sleep = self.pauses.append
        else:
            client._driver.sleep = self._sleep

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def connect(colour: str, transport: Any = None, url: str = URL, **options: Any) -> Player:
    """Return a client of a colour, ``sync`` or ``async``."""
    kind: Any = KeystoneClient if colour == "sync" else AsyncKeystoneClient
    return Player(kind(url, transport=transport, **options))
