"""A server that keeps callers waiting, in a different way on each path. It runs in a separate process.

    python benchmarks/unsteady.py [CERTIFICATE]      # a PEM file with key; prints its URL and that of a mute port

``/version/`` answers after up to 20 ms, ``/stall/`` never answers, ``/half/`` stops in the middle of the body, and
``/deaf/`` does not read the body of the request. The mute port accepts connections but sends nothing, not even the
server's part of a TLS handshake.
"""

import asyncio
import random
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after the other."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"/version/" in head:
                await asyncio.sleep(random.uniform(0, 0.02))
                writer.write(HEAD + b"1.2.3")
            elif b"/half/" in head:
                writer.write(HEAD + b"1.")
            else:
                if b"/deaf/" in head:
                    transport = writer.transport
                    assert isinstance(transport, asyncio.ReadTransport)
                    transport.pause_reading()
                await asyncio.sleep(3600)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def main(certificate: str | None) -> None:
    """Print both URLs and serve until the process is terminated."""
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=1000)
    mute = await asyncio.start_server(lambda reader, writer: asyncio.sleep(3600), "127.0.0.1", 0, backlog=1000)
    port, silent = (listener.sockets[0].getsockname()[1] for listener in (server, mute))
    print(f"{'https' if context else 'http'}://127.0.0.1:{port}", f"https://127.0.0.1:{silent}", flush=True)
    await asyncio.gather(server.serve_forever(), mute.serve_forever())


@contextmanager
def running(certificate: str | None = None) -> Iterator[tuple[str, str]]:
    """Run the server in its own process and yield its URL and that of the mute port."""
    command = [sys.executable, __file__, *([certificate] if certificate else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url, mute = process.stdout.readline().split()
            yield url, mute
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
