"""One request and its answer: sent through a transport, read whole or into a file, broken off when it is too late.

Nothing here knows Keystone, and nothing decides what an answer means.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from time import perf_counter
from typing import Any

import httpx

from .deadline import time_left_of
from .outgoing import OutgoingRequest, Sink
from .response_guard import Bounded, check_size

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


def _bounded(response: httpx.Response, request: OutgoingRequest) -> Bounded:
    """Return the body of an answer, within what the request allows; a download may be of any size."""
    limit = None if request.size_limit is None else float("inf") if _sink(request, response) else request.size_limit
    return Bounded(response, limit, request.time_left)


async def exchange_async(transport: httpx.AsyncBaseTransport, request: OutgoingRequest) -> httpx.Response:
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
    return _finished(response if sink is None else _without_body(response), request, started)


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


def exchange(transport: httpx.BaseTransport, request: OutgoingRequest) -> httpx.Response:
    """Send a request through a transport and read its answer whole."""
    if request.time_left is None:
        return _exchange(transport, request)
    with time_left_of(request):
        return _exchange(transport, request)


def _exchange(transport: httpx.BaseTransport, request: OutgoingRequest) -> httpx.Response:
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
    return _finished(response if sink is None else _without_body(response), request, started)


def _sink(request: OutgoingRequest, response: httpx.Response) -> Sink | None:
    """Return what takes the body of a download bit by bit; errors are read whole like all other answers."""
    return request.sink if response.status_code == 200 else None


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


def _finished(response: httpx.Response, request: OutgoingRequest, started: float) -> httpx.Response:
    """Return the response as ``httpx.Client`` would hand it out: with the time it took."""
    check_size(len(response.content), request.size_limit)  # a transport may have read it whole
    response.elapsed = timedelta(seconds=perf_counter() - started)
    return response
