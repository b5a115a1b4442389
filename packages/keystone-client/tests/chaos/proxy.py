"""A TCP proxy between a client and a server on loopback that injects a fault into a fraction of the answers.

The fault of the n-th request depends only on the seed and n. ``FAULTS`` says for each whether the server saw the
request; ``promises`` says what a client may conclude from it.
"""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

HTML = b"<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"
PATIENCE = 30.0
"""Seconds after which the proxy disconnects a client that waits for an answer that never comes."""


class Connection:
    """One client connection, and the faults injected into it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.over = False
        self.doomed = False

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)

    def end(self) -> None:
        self.over = True

    def reset(self) -> None:
        """Reset the connection (TCP RST)."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        self.over = True


Act = Callable[[Connection, bytes], Awaitable[None]]


class Fault(NamedTuple):
    """One kind of fault."""

    act: Act
    reaches: bool
    """Whether the server gets the request."""
    spoils: bool = True
    """Whether the answer is lost."""
    passes: bool = True
    """Whether a client may retry a read after this fault, according to its policy."""


async def reset(client: Connection, answer: bytes) -> None:
    client.reset()


async def hang_up(client: Connection, answer: bytes) -> None:
    client.end()


async def stall(client: Connection, answer: bytes) -> None:
    """Send nothing until the client times out."""
    async with asyncio.timeout(PATIENCE):
        await client.reader.read()
    client.end()


async def cut_the_body(client: Connection, answer: bytes) -> None:
    head = answer.index(b"\r\n\r\n") + 4
    client.send(answer[: head + (len(answer) - head) // 2] if len(answer) > head else answer[: head - 2])
    client.end()


async def cut_the_head(client: Connection, answer: bytes) -> None:
    client.send(answer[: answer.index(b"\r\n\r\n") // 2])
    client.end()


async def babble(client: Connection, answer: bytes) -> None:
    client.send(b"\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n")
    client.end()


async def forbid(client: Connection, answer: bytes) -> None:
    """Send a header that no parser accepts."""
    client.send(answer.replace(b"\r\n", b"\r\nno colon in this line\r\n", 1))
    client.end()


async def mispack(client: Connection, answer: bytes) -> None:
    client.send(answer.replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1))
    client.end()


async def drip(client: Connection, answer: bytes) -> None:
    """Send the unchanged answer in many small pieces."""
    size = max(1, len(answer) // 20)
    for start in range(0, len(answer), size):
        client.send(answer[start : start + size])
        await client.writer.drain()
        await asyncio.sleep(0)


async def adorn(client: Connection, answer: bytes) -> None:
    """Add many unknown and unusual headers."""
    junk = b"".join(b"X-Junk-%d: %s\r\n" % (number, b"\xfc" * 200) for number in range(100))
    cookies = b"Set-Cookie: junk\r\nSet-Cookie: spy=1; Domain=elsewhere.test\r\nSet-Cookie: a=\xfc\r\nDate: never\r\n"
    client.send(answer.replace(b"\r\n", b"\r\n" + junk + cookies, 1))


async def hint(client: Connection, answer: bytes) -> None:
    """Send informational (1xx) responses before the answer."""
    client.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", answer)


async def repeat(client: Connection, answer: bytes) -> None:
    """Send the answer twice. A client must not read the second copy as the answer to its next request."""
    client.send(answer + answer)


async def drop(client: Connection, answer: bytes) -> None:
    """Close the connection after an answer that announced keep-alive."""
    client.send(answer)
    client.end()


async def doom(client: Connection, answer: bytes) -> None:
    """Close the connection when it is used again."""
    client.send(answer)
    client.doomed = True


def page(status: bytes, *headers: bytes) -> Act:
    async def answer_with(client: Connection, answer: bytes) -> None:
        lines = [b"HTTP/1.1 " + status, b"Content-Type: text/html", b"Content-Length: %d" % len(HTML), *headers]
        client.send(b"\r\n".join(lines) + b"\r\n\r\n" + HTML)

    return answer_with


FAULTS: dict[str, Fault] = {
    "reset before": Fault(reset, False),
    "reset after": Fault(reset, True),
    "hang up before": Fault(hang_up, False),
    "hang up after": Fault(hang_up, True),
    "stall before": Fault(stall, False),
    "stall after": Fault(stall, True),
    "cut body": Fault(cut_the_body, True),
    "cut head": Fault(cut_the_head, True),
    "babble": Fault(babble, True),
    "illegal header": Fault(forbid, True),
    "429": Fault(page(b"429 Too Many Requests", b"Retry-After: 0.01"), False),
    "502 before": Fault(page(b"502 Bad Gateway"), False),
    "502 after": Fault(page(b"502 Bad Gateway"), True),
    "503 before": Fault(page(b"503 Service Unavailable", b"Retry-After: 0"), False),
    "503 after": Fault(page(b"503 Service Unavailable"), True),
    "504 after": Fault(page(b"504 Gateway Timeout"), True),
    "html before": Fault(page(b"200 OK"), False, passes=False),
    "html after": Fault(page(b"200 OK"), True, passes=False),
    "404 of another": Fault(page(b"404 Not Found"), False, passes=False),
    "redirect": Fault(page(b"302 Found", b"Location: http://elsewhere.test/"), False, passes=False),
    "redirect for ever": Fault(page(b"308 Permanent Redirect", b"Location: //elsewhere.test"), False, passes=False),
    "not packed": Fault(mispack, True, passes=False),
    "drip": Fault(drip, True, spoils=False),
    "junk": Fault(adorn, True, spoils=False),
    "hints": Fault(hint, True, spoils=False),
    "repeat": Fault(repeat, True, spoils=False),
    "drop": Fault(drop, True, spoils=False),
    "doom": Fault(doom, True, spoils=False),
}
PASSING = [name for name, fault in FAULTS.items() if fault.passes]


class Proxy:
    """Proxies the server at a URL for the duration of a block; injects no fault until ``rate`` is set."""

    def __init__(self, url: str, *, seed: int, faults: Sequence[str] = tuple(FAULTS)) -> None:
        self._target = urlsplit(url)
        self._seed, self._faults = seed, faults
        self._number = 0
        self.rate = 0.0
        """Fraction of the requests that get a fault."""
        self.done: Counter[str] = Counter()
        """How often each fault was injected; under "" the requests without a fault."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos", daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(60)
        self.url = f"http://127.0.0.1:{port}/"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Connection(reader, writer)
        upstream: list[asyncio.StreamWriter] = []
        try:
            server, to_server = await asyncio.open_connection(self._target.hostname, self._target.port)
            upstream.append(to_server)
            while not client.over:
                await self._exchange(client, server, to_server)
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            pass  # the client or the server closed the connection, or the block has ended
        finally:
            for each in (writer, *upstream):
                each.close()

    async def _exchange(
        self, client: Connection, server: asyncio.StreamReader, to_server: asyncio.StreamWriter
    ) -> None:
        request = await message(client.reader)
        if client.doomed:
            client.reset()
            return
        name = self._draw()
        fault = FAULTS.get(name)
        answer = b""
        if fault is None or fault.reaches:
            to_server.write(request)
            answer = await message(server)
        if fault is None:
            client.send(answer)
        else:
            await fault.act(client, answer)

    def _draw(self) -> str:
        self._number += 1
        chance = random.Random(f"{self._seed} {self._number}")
        name = chance.choice(self._faults) if chance.random() < self.rate else ""
        self.done[name] += 1
        return name


async def message(reader: asyncio.StreamReader) -> bytes:
    """Read one request or answer: its head, and a body of the length that the head announces."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    return head + await reader.readexactly(length)
