"""Send one request through a transport and read its response, whole or into a sink.

Nothing here knows Keystone, and nothing here decides what a response means.

The async half reads and sends without async generators wherever it can. A call that is cancelled or fails leaves them
suspended before their end, and trio warns about each one.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from time import perf_counter
from typing import Any

import httpx

from .httpcore_internals import keep_body
from .outgoing import OutgoingRequest, Sink
from .response_guard import Bounded, check_size

CHUNK = 65_536
FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers about the transfer of a body; a copy of a response with another body, or none, is without them."""


class PlainBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a request, iterated without an async generator."""

    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        """Wrap a body that can be read without awaiting, as can all that httpx makes of bytes, forms and files."""
        self._stream: Any = stream

    def __iter__(self) -> Iterator[bytes]:
        """Iterate from the beginning, in a thread."""
        return iter(self._stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate from the beginning, in a task."""
        self._chunks = iter(self)
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk."""
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


def _bounded(response: httpx.Response, request: OutgoingRequest) -> Bounded:
    """Return the guarded body of a response.

    A body that goes into a sink may have any size, but with a size limit it is still counted and checked to be
    complete.
    """
    limit = None if request.size_limit is None else float("inf") if _sink(request, response) else request.size_limit
    return Bounded(response, limit, request.time_left)


async def exchange_async(transport: httpx.AsyncBaseTransport, request: OutgoingRequest) -> httpx.Response:
    """Send a request through a transport, and read the response to its end."""
    started = perf_counter()
    request.stream = PlainBody(request.stream)
    response = await transport.handle_async_request(request)
    body: Any = response.stream
    sink = _sink(request, response)
    try:
        response.request = request
        body = response.stream = _bounded(response, request)
        if sink is not None:
            async for chunk in _chunks(response):
                sink.write(chunk, _length(response))
        elif not response.is_closed:  # closed means that the transport has read it already
            _keep(response, b"".join([chunk async for chunk in body]))
    except httpx.DecodingError:
        request.unreadable = response.status_code, response.headers.raw
        raise
    finally:
        await body.aclose()
    return _finished(response if sink is None else _without_body(response), request, started)


def _keep(response: httpx.Response, body: bytes) -> None:
    """Give a response its body, as it was received; it is decompressed now that no generator can be left suspended."""
    if "content-encoding" in response.headers:
        response.stream = httpx.ByteStream(body)
        response.read()
    else:
        keep_body(response, body)


def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """Iterate over a decompressed body; past httpx, and so without its generators, if it is not compressed."""
    if "content-encoding" in response.headers:
        return response.aiter_bytes(CHUNK)
    return aiter(response.stream)  # type: ignore[arg-type]


def exchange(transport: httpx.BaseTransport, request: OutgoingRequest) -> httpx.Response:
    """Send a request through a transport, and read the response to its end."""
    started = perf_counter()
    response = transport.handle_request(request)
    body: Any = response.stream
    sink = _sink(request, response)
    try:
        response.request = request
        body = response.stream = _bounded(response, request)
        if sink is not None:
            for chunk in response.iter_bytes(CHUNK):
                sink.write(chunk, _length(response))
        elif not response.is_closed:  # closed means that the transport has read it already
            _keep(response, b"".join(body))
    except httpx.DecodingError:
        request.unreadable = response.status_code, response.headers.raw
        raise
    finally:
        body.close()
    return _finished(response if sink is None else _without_body(response), request, started)


def _sink(request: OutgoingRequest, response: httpx.Response) -> Sink | None:
    """Return the sink for the body of a response, if there is one; only a 200 is a download, an error is read whole."""
    return request.sink if response.status_code == 200 else None


def _without_body(response: httpx.Response) -> httpx.Response:
    """Return a copy of a response whose body went into a sink."""
    return httpx.Response(
        response.status_code,
        headers=[pair for pair in response.headers.multi_items() if pair[0] not in FRAMING],
        content=b"",
        extensions=response.extensions,
        request=response.request,
    )


def _length(response: httpx.Response) -> int:
    """Return how many bytes the sink will get, or 0 if the server does not say."""
    length = response.headers.get("content-length", "")
    known = length.isdecimal() and len(length) < 20 and "content-encoding" not in response.headers
    return int(length) if known else 0


def _finished(response: httpx.Response, request: OutgoingRequest, started: float) -> httpx.Response:
    """Return the response as ``httpx.Client`` would: with its elapsed time."""
    check_size(len(response.content), request.size_limit)  # a transport that read the body itself went past the guard
    response.elapsed = timedelta(seconds=perf_counter() - started)
    return response
