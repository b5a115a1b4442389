"""How much of an answer is read: its bytes are counted as they arrive, unpacked, and reading ends at the limit.

A packed answer is counted by unpacking it a little at a time and throwing that away, so a bomb never fills the memory.
"""

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

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
    """The body of an answer, which ends in an error where there is too much of it."""

    def __init__(self, response: httpx.Response, most: float) -> None:
        """Take the answer, not read yet, and the bytes it may have unpacked.

        Raises:
            httpx.DecodingError: It is packed in a way that nobody asked for and that cannot be counted.
        """
        self._stream: Any = response.stream
        self._most, self._read, self._unpacked = most, 0, 0
        given = [name.lower() for name in response.headers.get_list("content-encoding", split_commas=True)]
        packed = [name for name in given if name in _PACKED]
        if packed not in ([], ["gzip"], ["deflate"]):
            raise httpx.DecodingError(
                f"it is packed as {', '.join(packed)}, which was not asked for; max_response_size=None reads it"
            )
        self._unpackers = [zlib.decompressobj(bits) for bits in _WINDOWS[packed[0]]] if packed else []

    def __iter__(self) -> Iterator[bytes]:
        """Read it from a thread."""
        for chunk in self._stream:
            self._count(chunk)
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Read it from a task."""
        async for chunk in self._stream:
            self._count(chunk)
            yield chunk

    def _count(self, chunk: bytes) -> None:
        self._read += len(chunk)
        check_size(self._read, self._most)
        while chunk and self._unpackers and not self._unpackers[0].eof:
            try:
                self._unpacked += len(self._unpackers[0].decompress(chunk, STEP))
            except zlib.error:
                del self._unpackers[0]  # the next way, or none: then httpx says that it cannot be unpacked
            else:
                check_size(self._unpacked, self._most)
                chunk = self._unpackers[0].unconsumed_tail

    def close(self) -> None:
        """Close the body."""
        self._stream.close()

    async def aclose(self) -> None:
        """Close the body."""
        await self._stream.aclose()
