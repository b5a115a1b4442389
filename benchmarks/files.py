"""The memory that 50 MB take on their way up and down, by path, by file, and of unknown length.

    python benchmarks/files.py

Each way runs in a process of its own, whose peak is compared with its peak after a small call of the same kind.
"""

import asyncio
import io
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, cast

from keystone_client import AsyncKeystoneClient, KeystoneClient

SIZE = 50_000_000
BAR = 8.0
BLOCK = b"x" * 100_000
RECORD = b'{"id": 1, "file": "allocations/large.txt"}'
PEAK_UNIT = 1024**2 if sys.platform == "darwin" else 1024
"""What makes megabytes of the peak that the system tells."""


class Large(BaseHTTPRequestHandler):
    """Takes files of any size, and gives out one of 50 MB."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Give the record, or its file."""
        if "/media/" not in self.path:
            self._answer("application/json", len(RECORD), [RECORD])
        else:
            self._answer("text/plain", SIZE, (BLOCK for _ in range(SIZE // len(BLOCK))))

    def do_POST(self) -> None:
        """Take a file."""
        left = int(self.headers["content-length"])
        while left:
            left -= len(self.rfile.read(min(left, len(BLOCK))))
        self._answer("application/json", len(RECORD), [RECORD])

    def _answer(self, kind: str, length: int, blocks: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        for block in blocks:
            self.wfile.write(block)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Endless:
    """A file that cannot tell its length."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self.left = SIZE

    def read(self, size: int = -1) -> bytes:
        """Give some of it."""
        taken = min(self.left, len(BLOCK) if size < 0 else size)
        self.left -= taken
        return b"x" * taken


def serve(port: Any) -> None:
    """Serve until the process is ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Large)
    port.put(server.server_address[1])
    server.serve_forever()


@contextmanager
def running() -> Iterator[str]:
    """A server in a process of its own."""
    start = multiprocessing.get_context("spawn")
    port = start.Queue()
    process = start.Process(target=serve, args=(port,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get()}"
    finally:
        process.terminate()


def up_by_path(client: Any, folder: Path) -> Any:
    """Send a file on the disk."""
    return client.create_attachment(request=1, file=folder / "large.txt")


def up_of_unknown_length(client: Any, folder: Path) -> Any:
    """Send what cannot tell its length."""
    return client.create_attachment(request=1, file=cast("IO[bytes]", Endless()), filename="large.txt")


def down_to_path(client: Any, folder: Path) -> Any:
    """Fetch a file."""
    return client.download_attachment(1, folder / "fetched.txt")


def small(client: Any) -> Any:
    """A call of the same kind that takes no memory to speak of."""
    return client.create_attachment(request=1, file=io.BytesIO(b"x"), filename="small.txt")


WAYS: tuple[Callable[[Any, Path], Any], ...] = (up_by_path, up_of_unknown_length, down_to_path)


def peak() -> float:
    """The most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PEAK_UNIT


async def measure_async(url: str, way: Callable[[Any, Path], Any], folder: Path) -> float:
    """The MB a way takes with the async client."""
    async with AsyncKeystoneClient(url) as client:
        await small(client)
        before = peak()
        await way(client, folder)
        return peak() - before


def measure(url: str, number: int, colour: str, folder: Path) -> float:
    """The MB a way takes."""
    if colour == "async":
        return asyncio.run(measure_async(url, WAYS[number], folder))
    with KeystoneClient(url) as client:
        small(client)
        before = peak()
        WAYS[number](client, folder)
        return peak() - before


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, running() as address:
        with (Path(name) / "large.txt").open("wb") as file:
            file.writelines(BLOCK for _ in range(SIZE // len(BLOCK)))
        for colour in ("sync", "async"):
            for number, way in enumerate(WAYS):
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    taken = pool.apply(measure, (address, number, colour, Path(name)))
                verdict = "ok" if taken < BAR else "MISSED"
                title = f"50 MB {way.__name__.replace('_', ' ')}, {colour}: MB of memory"
                print(f"{title:<58} {taken:6.1f}  (bar {BAR:5.1f})  {verdict}")
