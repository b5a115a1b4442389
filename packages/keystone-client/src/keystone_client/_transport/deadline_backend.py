"""Connections of the sync client that stop at the deadline of the call that uses them; see ``deadline``.

A module of its own because httpcore is slow to import: it is imported when a client with a deadline opens a connection.
"""

from collections.abc import Iterable
from typing import Any

import httpcore

from .deadline import TIME_LEFT


def _limited(timeout: float | None, error: type[Exception]) -> float | None:
    """Return the timeout, or the time left of the call if that is shorter.

    Args:
        timeout: The timeout in seconds; ``None`` for no end.
        error: The ``httpcore.TimeoutException`` to raise when no time is left.
    """
    time_left = TIME_LEFT.get()
    if time_left is None:
        return timeout
    left = time_left()
    if left <= 0:
        raise error("the deadline of the call passed")
    return left if timeout is None else min(timeout, left)


class DeadlineStream(httpcore.NetworkStream):
    """A connection that gives each connect, read and write the time left of the call as its timeout."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        """Wrap the connection that does the work."""
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive some bytes."""
        return self._stream.read(max_bytes, _limited(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, _limited(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> httpcore.NetworkStream:
        """Start TLS on this connection, and return the encrypted one."""
        limit = _limited(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        """Return what the wrapped connection says about itself, such as its socket."""
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore.SyncBackend):
    """A network backend of httpcore that opens connections with a deadline."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a TCP connection within the time left."""
        limit = _limited(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(super().connect_tcp(host, port, limit, local_address, socket_options))
