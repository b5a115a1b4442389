"""Guard the body of a response while it is read: its size, its compression, the deadline, and what follows its end.

The idea
--------
``Bounded`` takes the place of the stream of a response, between httpcore, which delivers the bytes of the body, and
httpx, which decompresses them. Each chunk is checked before httpx gets it:

- The bytes are counted, as received and as decompressed. Reading stops at the limit.
- To count a compressed body it is decompressed here, at most ``STEP`` bytes at a time, and the result is thrown away.
  So a decompression bomb never fills the memory.
- That also shows whether the compressed data is complete. httpx takes a truncated body for a whole one, and drops what
  follows the end of the compressed data. Both are errors here.
- The deadline of the call is checked between chunks. A read timeout limits one read; a server that sends a byte now and
  then could stretch many reads without end.
- When the body is closed, bytes behind the response make the connection unusable, or the next call on it would take
  them for its own response.

What does not work instead
--------------------------
- Trust ``Content-Length``: it gives the compressed size, and not every response has it.
- Measure ``response.content`` after reading: by then a bomb is in memory.
- Let httpx decompress and count that: its decoders turn each chunk into all that it holds, with no limit. This is why a
  compressed body is decompressed twice.
- Open a new connection for each call, so that nothing can follow a response: that costs a handshake each.

What must never be done here
----------------------------
- Read the body with an async generator. A cancelled call leaves it suspended, and trio warns about that; hence
  ``__anext__``, written out.
- Pass on a chunk before it is counted.
- Accept, where there is a limit, a compression that cannot be counted here (``br``, ``zstd``, several at once).
"""

import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import httpx

from .httpcore_internals import connection_state

STEP: Final = 262_144
"""How many bytes are decompressed at a time."""

_PACKED: Final = frozenset({"gzip", "deflate", "br", "zstd"})
"""The encodings that httpx decompresses, if the packages for them are installed; it passes others on as they are."""

_ALIASES: Final = {"x-gzip": "gzip"}
"""Old names, which mean the same (RFC 9110, section 8.4.1.3), and which httpx does not know."""

_WINDOWS: Final = {"gzip": [zlib.MAX_WBITS | 16], "deflate": [zlib.MAX_WBITS, -zlib.MAX_WBITS]}
"""The window sizes to try with zlib. Some servers send deflate without its header; httpx accepts that, too."""


class TooLargeError(httpx.DecodingError):
    """A response is larger than the client's limit."""


def check_size(size: int, most: float | None) -> None:
    """Check a number of bytes against the limit; ``None`` is no limit.

    Raises:
        TooLargeError: There are more.
    """
    if most is not None and size > most:
        raise TooLargeError(f"the answer has more than {most:,} bytes")


def _encodings(response: httpx.Response) -> list[str]:
    """Return the names in ``Content-Encoding``; old names are replaced, in the header, too, which httpx reads next."""
    if "content-encoding" not in response.headers:
        return []
    given = [name.strip().lower() for name in response.headers.get_list("content-encoding", split_commas=True)]
    if not _ALIASES.keys().isdisjoint(given):
        given = [_ALIASES.get(name, name) for name in given]
        response.headers["content-encoding"] = ", ".join(given)
    return given


class Bounded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a response, which raises an error if it is too large, is truncated, or comes too late."""

    def __init__(self, response: httpx.Response, most: float | None, left: Callable[[], float] | None = None) -> None:
        """Wrap the stream of a response that was not read yet.

        Args:
            response: The response.
            most: How many bytes the body may have, decompressed. With infinity it may have any number; with ``None``
                also any compression.
            left: Returns the seconds left before the deadline of the call; ``None`` without a deadline.

        Raises:
            httpx.DecodingError: The compression was not asked for and cannot be counted.
        """
        self._stream: Any = response.stream
        self._chunks: Any = None
        """The iterator a task is reading from; ``None`` before, and after its end or an error."""
        self._network = response.extensions.get("network_stream")
        self._wire = connection_state(response.stream)
        self._left = left
        self._most, self._read, self._unpacked = most, 0, 0
        packed = [name for name in _encodings(response) if name in _PACKED]
        countable = packed in (["gzip"], ["deflate"])
        if packed and not countable and most is not None:
            raise httpx.DecodingError(
                f"it is packed as {', '.join(packed)}, which was not asked for; max_response_size=None reads it"
            )
        self._unpackers = [zlib.decompressobj(bits) for bits in _WINDOWS[packed[0]]] if countable else []

    def __iter__(self) -> Iterator[bytes]:
        """Read the body from a thread."""
        for chunk in self._stream:
            self._check_time()
            self._count(chunk)
            yield chunk
        self._check_end()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Read the body from a task. No generator, because trio warns about one that is abandoned before its end."""
        self._chunks = aiter(self._stream)
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk."""
        try:
            chunk: bytes = await anext(self._chunks)
        except StopAsyncIteration:
            self._chunks = None
            self._check_end()
            raise
        except BaseException:
            self._chunks = None
            raise
        # If the event loop, too, takes the deadline for passed, it cancels the next wait by itself. Raising here
        # instead would abandon the generators inside a transport given by the user: there is no connection whose
        # closing would end them.
        if self._left is not None:
            import anyio  # here because it is slow to import, and threads do not need it

            if anyio.current_effective_deadline() > anyio.current_time():
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
                del self._unpackers[0]  # try the next window size
                if not self._unpackers:
                    raise httpx.DecodingError(str(error)) from None
            else:
                check_size(self._unpacked, self._most)
                chunk = unpacker.unconsumed_tail or unpacker.unused_data

    def _check_end(self) -> None:
        if self._read and self._unpackers and not self._unpackers[0].eof:
            raise httpx.DecodingError("the packed bytes were cut before their end")

    def _close_if_bytes_follow(self) -> None:
        """Make httpcore close the connection if bytes follow the response; the next call would take them for its own.

        httpcore 1.0.9 looks for such bytes on the socket, but not among those it has read already.
        """
        if self._wire is not None and self._wire.trailing_data[0]:
            self._wire.send_failed()

    def close(self) -> None:
        """Close the body, and with it the connection if it cannot be used again."""
        self._close_if_bytes_follow()
        self._stream.close()

    async def _give_up(self) -> None:
        """Run the generators of httpx and httpcore to their end, where reading stopped before the end of the body.

        With the connection closed, the innermost one raises an error, and that ends all of them.
        """
        if self._chunks is not None and self._network is not None:
            if self._wire is not None:
                self._wire.send_failed()  # an answer that is there whole would make the closed connection an idle one
            await self._network.aclose()
            with suppress(httpx.TransportError):
                async for _ in self._chunks:
                    pass

    async def aclose(self) -> None:
        """Close the body, and with it the connection if it cannot be used again."""
        self._close_if_bytes_follow()
        await self._give_up()
        await self._stream.aclose()
