"""Reads and writes of the sync client that end when the call must be over, for clients with a deadline.

httpcore gives each read the same timeout, so a server that drips could stretch a call for ever. Here each read has what
is left of the call. Async calls are cancelled instead. Imported only where there is a deadline.
"""

from collections.abc import Iterable
from typing import Any

import httpcore

from .exchange import LEFT


def _bounded(timeout: float | None, error: type[Exception]) -> float | None:
    """The timeout, or what is left of the call if that is less.

    Raises:
        httpcore.TimeoutException: Nothing is left.
    """
    left_of_call = LEFT.get()
    if left_of_call is None:
        return timeout
    left = left_of_call()
    if left <= 0:
        raise error("the deadline of the call passed")
    return left if timeout is None else min(timeout, left)


class PunctualStream(httpcore.NetworkStream):
    """A connection whose every step ends with the call."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        """Take the connection itself."""
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive some bytes."""
        return self._stream.read(max_bytes, _bounded(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, _bounded(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> httpcore.NetworkStream:
        """Speak TLS from now on."""
        limit = _bounded(timeout, httpcore.ConnectTimeout)
        return PunctualStream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        """Tell what the connection knows of itself."""
        return self._stream.get_extra_info(info)


class PunctualBackend(httpcore.SyncBackend):
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
        limit = _bounded(timeout, httpcore.ConnectTimeout)
        return PunctualStream(super().connect_tcp(host, port, limit, local_address, socket_options))
