"""Measures the memory used by uploads and downloads of 50 MB: by path, and from a file of unknown length.

    python benchmarks/files.py

Each case runs in its own process. Its peak memory is compared with the peak after a small call of the same kind.
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
"""The divisor from ``ru_maxrss`` to megabytes: macOS reports bytes, other systems kilobytes."""


class Large(BaseHTTPRequestHandler):
    """A request handler that accepts uploads of any size and serves a file of 50 MB."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the record, or with its file."""
        if "/media/" not in self.path:
            self._answer("application/json", len(RECORD), [RECORD])
        else:
            self._answer("text/plain", SIZE, (BLOCK for _ in range(SIZE // len(BLOCK))))

    def do_POST(self) -> None:
        """Read an upload block by block and answer with the record."""
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
        """Log nothing."""


class Endless:
    """A readable file of 50 MB whose length is unknown, because it has no ``seek`` and no ``fileno``."""

    def __init__(self) -> None:
        """Start with all of the content unread."""
        self.left = SIZE

    def read(self, size: int = -1) -> bytes:
        """Return the next part of the content, at most one block if no size is given."""
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
    """Run the server in its own process and yield its URL."""
    start = multiprocessing.get_context("spawn")
    port = start.Queue()
    process = start.Process(target=serve, args=(port,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get()}"
    finally:
        process.terminate()


def up_by_path(client: Any, folder: Path) -> Any:
    """Upload a file on disk."""
    return client.create_attachment(request=1, file=folder / "large.txt")


def up_of_unknown_length(client: Any, folder: Path) -> Any:
    """Upload a file object of unknown length."""
    return client.create_attachment(request=1, file=cast("IO[bytes]", Endless()), filename="large.txt")


def down_to_path(client: Any, folder: Path) -> Any:
    """Download a file to disk."""
    return client.download_attachment(1, folder / "fetched.txt")


def small(client: Any) -> Any:
    """Upload one byte: a call of the same kind that needs hardly any memory."""
    return client.create_attachment(request=1, file=io.BytesIO(b"x"), filename="small.txt")


WAYS: tuple[Callable[[Any, Path], Any], ...] = (up_by_path, up_of_unknown_length, down_to_path)


def peak() -> float:
    """Return the peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PEAK_UNIT


async def measure_async(url: str, way: Callable[[Any, Path], Any], folder: Path) -> float:
    """Return the memory that one case takes with the async client, in MB."""
    async with AsyncKeystoneClient(url) as client:
        await small(client)
        before = peak()
        await way(client, folder)
        return peak() - before


def measure(url: str, number: int, colour: str, folder: Path) -> float:
    """Return the memory that one case takes, in MB."""
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
