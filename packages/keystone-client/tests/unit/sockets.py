"""Servers on a port of the loopback that do what the fake cannot: break off, drip, send what nobody asked for."""

import contextlib
import gc
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx


@contextlib.contextmanager
def serving(act: Callable[[socket.socket], object]) -> Iterator[int]:
    """Serve, and yield the port.

    Args:
        act: Called with each connection, in a thread of its own; the connection is closed when it returns. It may fail
            as connections do; nothing it waits for takes longer than 30 s.

    Raises:
        AssertionError: A thread has not ended although no more connections come.
    """

    def handle(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            act(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                connection.settimeout(30)
                threads.append(threading.Thread(target=handle, args=(connection,), daemon=True))
                threads[-1].start()

    threads = [threading.Thread(target=accept, daemon=True)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        threads[0].start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "the server is still at work"


class Doorkeeper:
    """A server that holds each request until the test releases it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(30)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.taken: list[socket.socket] = []

    def take(self) -> socket.socket:
        """Accept a connection and wait for a request on it."""
        connection, _ = self.socket.accept()
        connection.settimeout(30)
        self.taken.append(connection)
        connection.recv(65536)
        return connection

    def __enter__(self) -> "Doorkeeper":
        return self

    def __exit__(self, *_: object) -> None:
        for opened in [self.socket, *self.taken]:
            opened.close()


def connections_to(url: str) -> int:
    """Return how many connections to a server this process has open, according to Linux."""
    gc.collect()
    port = f":{httpx.URL(url).port:04X} "
    lines = Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return sum(line.split()[2].endswith(port.strip()) and line.split()[3] == "01" for line in lines)
