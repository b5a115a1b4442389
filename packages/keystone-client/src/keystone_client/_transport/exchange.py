"""One request and its answer: sent through a transport, read whole or into a file, broken off when it is too late.

Nothing here knows Keystone, and nothing decides what an answer means.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import timedelta
from time import perf_counter
from typing import Any

import anyio
import httpx

from .response_guard import Bounded, check_size

SINK = "keystone.sink"
"""The extension of a request that names what its answer is written into."""

LEFT_OF_CALL = "keystone.left"
"""The extension of a request that gives the seconds left of its call, where there is a deadline."""

LEFT: ContextVar[Callable[[], float] | None] = ContextVar("left", default=None)
"""The same, for a connection to ask while it carries the request of this thread."""

MOST = "keystone.most"
"""The extension of a request that names the bytes its answer may have, if there is a limit."""

CHUNK = 65_536
FRAMING = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class Sent(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a request, given out by no generator: a cancelled call leaves those midway, and trio warns of it."""

    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        """Take a body that needs no waiting: all that httpx makes of bytes, forms and files are such."""
        self._stream: Any = stream

    def __iter__(self) -> Iterator[bytes]:
        """Send it from a thread."""
        return iter(self._stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Send it from a task, from its beginning."""
        self._chunks = iter(self)
        return self

    async def __anext__(self) -> bytes:
        """Give the next piece."""
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


def _bounded(response: httpx.Response, request: httpx.Request) -> Bounded:
    """The body of an answer, within what the request allows; a download may be of any size."""
    most = request.extensions.get(MOST)
    if most is not None and _sink(request, response):
        most = float("inf")
    return Bounded(response, most, request.extensions.get(LEFT_OF_CALL))


class Trace:
    """What httpcore tells of a request on its way."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.opened: list[Any] = []
        """The TCP connections that were made for it."""
        self.begun = False
        """Whether the server may have seen some of it."""

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Take a note of an event."""
        if event.endswith(".connect_tcp.complete"):
            self.opened.append(info["return_value"])
        elif event == "http11.send_request_headers.started":
            self.begun = True


async def punctually(
    send: Callable[[httpx.Request], Awaitable[httpx.Response]], request: httpx.Request
) -> httpx.Response:
    """Send a request, and break that off when its call must be over.

    Raises:
        httpx.ConnectTimeout: It was broken off before anything was sent.
        httpx.ReadTimeout: It was broken off later, or nobody knows.
    """
    if LEFT_OF_CALL not in request.extensions:
        return await send(request)
    with anyio.move_on_after(request.extensions[LEFT_OF_CALL]()):
        return await send(request)
    trace = request.extensions.get("trace")
    kind = httpx.ReadTimeout if trace is None or trace.begun else httpx.ConnectTimeout
    raise kind("the deadline of the call passed", request=request)


async def exchange_async(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    """Send a request through a transport and read its answer whole."""
    started = perf_counter()
    request.stream = Sent(request.stream)
    response = await transport.handle_async_request(request)
    body: Any = response.stream
    sink = _sink(request, response)
    try:
        response.request = request
        body = response.stream = _bounded(response, request)
        if sink is None:
            await _read(response)
        else:
            async for chunk in _chunks(response):
                sink.write(chunk, _length(response))
    finally:
        await body.aclose()
    return _finished(response if sink is None else _without_body(response), started)


async def _read(response: httpx.Response) -> None:
    """Read it, and unpack it then: the generators of httpx would be left midway should that fail, and trio warns."""
    if not response.is_closed:  # else a transport has read it
        response.stream = httpx.ByteStream(b"".join([chunk async for chunk in response.stream]))  # type: ignore[union-attr]
        response.read()


def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body of a download, unpacked; for the same reason not by httpx where it is not packed."""
    if "content-encoding" in response.headers:
        return response.aiter_bytes(CHUNK)
    return aiter(response.stream)  # type: ignore[arg-type]


def exchange(transport: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
    """Send a request through a transport and read its answer whole."""
    if LEFT_OF_CALL not in request.extensions:
        return _exchange(transport, request)
    token = LEFT.set(request.extensions[LEFT_OF_CALL])
    try:
        return _exchange(transport, request)
    finally:
        LEFT.reset(token)


def _exchange(transport: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
    started = perf_counter()
    response = transport.handle_request(request)
    sink = _sink(request, response)
    try:
        response.request = request
        response.stream = _bounded(response, request)
        if sink is None:
            response.read()
        else:
            for chunk in response.iter_bytes(CHUNK):
                sink.write(chunk, _length(response))
    finally:
        response.close()
    return _finished(response if sink is None else _without_body(response), started)


def _sink(request: httpx.Request, response: httpx.Response) -> Any:
    """What takes the body of a download bit by bit; errors are read whole like all other answers."""
    return request.extensions.get(SINK) if response.status_code == 200 else None


def _without_body(response: httpx.Response) -> httpx.Response:
    return httpx.Response(
        response.status_code,
        headers=[pair for pair in response.headers.raw if pair[0].lower() not in FRAMING],
        content=b"",
        extensions=response.extensions,
        request=response.request,
    )


def _length(response: httpx.Response) -> int:
    """The bytes there will be, or 0 where the server does not tell."""
    length = response.headers.get("content-length", "")
    known = length.isdecimal() and len(length) < 20 and "content-encoding" not in response.headers
    return int(length) if known else 0


def _finished(response: httpx.Response, started: float) -> httpx.Response:
    """The response as ``httpx.Client`` would hand it out: with the time it took."""
    check_size(len(response.content), response.request.extensions.get(MOST))  # a transport may have read it whole
    response.elapsed = timedelta(seconds=perf_counter() - started)
    return response
