"""Connections of the client for threads, each of whose steps ends with the call; see ``deadline``.

Apart from it because httpcore is slow to import: this is imported when a client with a deadline opens a connection.
"""

from collections.abc import Iterable
from typing import Any

import httpcore

from .deadline import TIME_LEFT


def _limited(timeout: float | None, error: type[Exception]) -> float | None:
    """Return the timeout, or what is left of the call if that is less.

    Raises:
        httpcore.TimeoutException: Nothing is left.
    """
    time_left = TIME_LEFT.get()
    if time_left is None:
        return timeout
    left = time_left()
    if left <= 0:
        raise error("the deadline of the call passed")
    return left if timeout is None else min(timeout, left)


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose every step ends with the call."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        """Take the connection itself."""
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
        """Speak TLS from now on."""
        limit = _limited(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        """Tell what the connection knows of itself."""
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore.SyncBackend):
    """Opens such connections."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        limit = _limited(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(super().connect_tcp(host, port, limit, local_address, socket_options))
