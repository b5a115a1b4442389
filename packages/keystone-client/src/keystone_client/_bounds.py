"""How much of an answer is read: its bytes are counted as they arrive, unpacked, and reading ends at the limit.

It also ends when the call must be over: each read has a timeout, many reads have none.

A packed answer is counted by unpacking it a little at a time and throwing that away, so a bomb never fills the memory.
That also tells whether it was packed whole: httpx takes one that was cut for complete, and drops what follows its end.
"""

import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import anyio
import httpx

STEP: Final = 262_144
"""Bytes that are unpacked at a time."""

_PACKED: Final = frozenset({"gzip", "deflate", "br", "zstd"})
"""What httpx unpacks, given the packages for it; it takes any other name for plain bytes."""

_WINDOWS: Final = {"gzip": [zlib.MAX_WBITS | 16], "deflate": [zlib.MAX_WBITS, -zlib.MAX_WBITS]}
"""How zlib is to read a packing; some servers leave the header of deflate out, which httpx reads too."""


class TooLargeError(httpx.DecodingError):
    """An answer has more bytes than the client reads."""


def check_size(size: int, most: float | None) -> None:
    """Refuse more bytes than the limit.

    Raises:
        TooLargeError: There are more.
    """
    if most is not None and size > most:
        raise TooLargeError(f"the answer has more than {most:,} bytes")


class Bounded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer, which ends in an error where there is too much or too little of it, or it is too late."""

    def __init__(self, response: httpx.Response, most: float | None, left: Callable[[], float] | None = None) -> None:
        """Take an answer that was not read yet, and its bounds.

        Args:
            response: The answer.
            most: The bytes it may have unpacked; ``None`` for any, packed in any way.
            left: Gives the seconds left of the call, where there is a deadline.

        Raises:
            httpx.DecodingError: It is packed in a way that nobody asked for and that cannot be counted.
        """
        self._stream: Any = response.stream
        self._chunks: Any = None
        """What is being read from a task, and not at its end."""
        self._network = response.extensions.get("network_stream")
        self._wire = _wire_of(response.stream)
        self._left = left
        self._most, self._read, self._unpacked = most, 0, 0
        given = [name.lower() for name in response.headers.get_list("content-encoding", split_commas=True)]
        packed = [name for name in given if name in _PACKED]
        countable = packed in (["gzip"], ["deflate"])
        if packed and not countable and most is not None:
            raise httpx.DecodingError(
                f"it is packed as {', '.join(packed)}, which was not asked for; max_response_size=None reads it"
            )
        self._unpackers = [zlib.decompressobj(bits) for bits in _WINDOWS[packed[0]]] if countable else []

    def __iter__(self) -> Iterator[bytes]:
        """Read it from a thread."""
        for chunk in self._stream:
            self._check_time()
            self._count(chunk)
            yield chunk
        self._check_end()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Read it from a task; no generator, because trio warns of those that are left midway."""
        self._chunks = aiter(self._stream)
        return self

    async def __anext__(self) -> bytes:
        """Read some of it."""
        try:
            chunk: bytes = await anext(self._chunks)
        except StopAsyncIteration:
            self._chunks = None
            self._check_end()
            raise
        except BaseException:
            self._chunks = None
            raise
        # Where the loop's clock says that it is too late, too, the next wait is cancelled. An error here would leave
        # the generators of a transport of the user behind, which has no connection to close.
        if self._left is not None and anyio.current_effective_deadline() > anyio.current_time():
            self._check_time()
        self._count(chunk)
        return chunk

    def _check_time(self) -> None:
        if self._left is not None and self._left() <= 0:
            raise httpx.ReadTimeout("the deadline of the call passed while its answer was read")

    def _count(self, chunk: bytes) -> None:
        self._read += len(chunk)
        check_size(self._read, self._most)
        while chunk and self._unpackers:
            unpacker = self._unpackers[0]
            if unpacker.eof:
                raise httpx.DecodingError("more bytes follow the end of the packed ones")
            try:
                self._unpacked += len(unpacker.decompress(chunk, STEP))
            except zlib.error as error:
                del self._unpackers[0]  # the next way
                if not self._unpackers:
                    raise httpx.DecodingError(str(error)) from None
            else:
                check_size(self._unpacked, self._most)
                chunk = unpacker.unconsumed_tail or unpacker.unused_data

    def _check_end(self) -> None:
        if self._read and self._unpackers and not self._unpackers[0].eof:
            raise httpx.DecodingError("the packed bytes were cut before their end")

    def _part(self) -> None:
        """Have the connection closed if there are bytes behind the answer, which the next call would take for its own.

        httpcore 1.0.9 looks for such bytes on the socket, but not among those it has read already.
        """
        if self._wire is not None and self._wire.trailing_data[0]:
            self._wire.send_failed()

    def close(self) -> None:
        """Close the body."""
        self._part()
        self._stream.close()

    async def _give_up(self) -> None:
        """Let the generators of httpx and httpcore come to their end: without its connection the innermost fails."""
        if self._chunks is not None and self._network is not None:
            if self._wire is not None:
                self._wire.send_failed()  # an answer that is there whole would make the closed connection an idle one
            await self._network.aclose()
            with suppress(httpx.TransportError):
                async for _ in self._chunks:
                    pass

    async def aclose(self) -> None:
        """Close the body."""
        self._part()
        await self._give_up()
        await self._stream.aclose()


def _wire_of(stream: Any) -> Any:
    """The state of the connection an answer comes on, where it is one of httpcore; else ``None``."""
    for name in ("_httpcore_stream", "_stream", "_connection", "_h11_state"):  # neither httpx nor httpcore shows it
        stream = getattr(stream, name, None)
    return stream
