"""Servers on a port of the loopback that do what the fake cannot: break off, drip, send what nobody asked for."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


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
