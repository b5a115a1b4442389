"""Limits the connections of the loopback server: their number, and how long each may take to send a request.

Requests and answers are read and written in ``server``.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Mapping

MOST: int = 256
"""The most open connections; each has a thread."""

LARGEST_PORT = 65_535

NO_SOCKET = (
    "The fake needs a socket of this machine to serve. With pytest-socket, mark the test "
    '@pytest.mark.allow_hosts(["127.0.0.1"]) or @pytest.mark.enable_socket.'
)

REQUEST_TIMEOUT: float = 60.0
"""Seconds a request may take to arrive, counted from the answer to the one before."""


class Connections:
    """Keeps track of the open connections, and of how long the server has waited for a request on each."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Start without connections; ``now`` is the clock, in seconds."""
        self._now = now
        self._lock = threading.Lock()
        self._since: dict[socket.socket, float | None] = {}

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._since)

    def admit(self, connection: socket.socket) -> bool:
        """Take a new connection. If there are too many, close the one that has been idle for longest.

        Returns:
            Whether it was taken: false if every open connection is being answered.
        """
        with self._lock:
            if len(self._since) >= MOST:
                waiting = {other: since for other, since in self._since.items() if since is not None}
                if not waiting:
                    return False
                self._shut(min(waiting, key=lambda other: waiting[other]))
            self._since[connection] = self._now()
        return True

    def forget(self, connection: socket.socket) -> None:
        """Forget a connection that was closed."""
        with self._lock:
            self._since.pop(connection, None)

    def wait_for(self, connection: socket.socket) -> None:
        """Start to count the time until the next request."""
        self._note(connection, self._now())

    def answer(self, connection: socket.socket) -> None:
        """Stop counting: the request has arrived."""
        self._note(connection, None)

    def shut_late(self) -> None:
        """Close the connections whose request has taken too long to arrive."""
        late = self._now() - REQUEST_TIMEOUT
        with self._lock:
            for connection in [each for each, since in self._since.items() if since is not None and since < late]:
                self._shut(connection)

    def shut_all(self) -> None:
        """Close all connections."""
        with self._lock:
            for connection in list(self._since):
                self._shut(connection)

    def _note(self, connection: socket.socket, since: float | None) -> None:
        with self._lock:
            if connection in self._since:
                self._since[connection] = since

    def _shut(self, connection: socket.socket) -> None:
        """Shut a connection down; its thread reads the end of the stream and ends."""
        del self._since[connection]
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def bare_host(host: str) -> str:
    """Return an address without the brackets that IPv6 has in URLs."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def url_host(host: str) -> str:
    """Return an address to bind to as a URL has it; for every address of the machine, that of loopback."""
    host = _LOOPBACK_OF.get(host, host)
    return f"[{ipaddress.ip_address(host)}]".replace("%", "%25") if ":" in host else host


_LOOPBACK_OF: Mapping[str, str] = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def exposure(host: str) -> str:
    """Return why it is dangerous to bind to an address; an empty text for loopback."""
    try:
        safe = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        safe = False
    if safe:
        return ""
    return (
        f"the fake Keystone listens on {host or 'every address'}: anyone who can reach this machine can log in with "
        "the well-known password, and fill its memory; bind it to 127.0.0.1 unless that is what you want"
    )
