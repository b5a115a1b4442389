"""The connections of the loopback server: so many at most, and none that keeps others out by saying nothing.

What is said on them is ``server``'s.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Mapping

MOST: int = 256
"""Connections at a time, each with a thread."""

LARGEST_PORT = 65_535

PATIENCE: float = 60.0
"""Seconds a request may take to arrive, from the end of the one before."""


class Connections:
    """Knows which connections are open, and since when each is waited for."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Start without connections; ``now`` is the clock, in seconds."""
        self._now = now
        self._lock = threading.Lock()
        self._since: dict[socket.socket, float | None] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._since)

    def admit(self, connection: socket.socket) -> bool:
        """Take a new connection; where there are too many, the one that has kept us waiting longest makes room.

        Returns:
            Whether it was taken: not where every other is being answered.
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
        """A connection is closed."""
        with self._lock:
            self._since.pop(connection, None)

    def wait_for(self, connection: socket.socket) -> None:
        """Wait for a request from now on."""
        self._note(connection, self._now())

    def answer(self, connection: socket.socket) -> None:
        """Wait no longer: the request is there."""
        self._note(connection, None)

    def shut_late(self) -> None:
        """End the connections whose request has taken too long to arrive."""
        late = self._now() - PATIENCE
        with self._lock:
            for connection in [each for each, since in self._since.items() if since is not None and since < late]:
                self._shut(connection)

    def shut_all(self) -> None:
        """End all connections."""
        with self._lock:
            for connection in list(self._since):
                self._shut(connection)

    def _note(self, connection: socket.socket, since: float | None) -> None:
        with self._lock:
            if connection in self._since:
                self._since[connection] = since

    def _shut(self, connection: socket.socket) -> None:
        """End a connection: its thread finds nothing more to read, and goes."""
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
    """Why an address to bind to is dangerous; empty for one of loopback."""
    try:
        safe = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        safe = False
    if safe:
        return ""
    return (
        f"the fake Keystone listens on {host or 'every address'}: whoever can reach this machine can log in with the "
        "password everybody knows, and fill its memory; bind it to 127.0.0.1 unless that is what you want"
    )
