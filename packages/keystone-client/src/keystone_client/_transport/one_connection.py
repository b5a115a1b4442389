"""Take the place of the pool of an httpx transport: hold one connection, for one call at a time.

The client has a pool of its own (``pool``), in which each connection is a transport of httpx. The pool inside of such a
transport has nothing to decide; it only costs time. What stays of it here is the rule when a connection cannot be used
again: it does not wait for a request, it has been idle for too long, the server has closed it or has sent something
unasked, or the request goes to another server.

The pool that is replaced still makes the connections. It stays where requests may come two at once, from a transport
of the user (``wrapped``), and where connections are of other kinds, through a proxy.
"""

from typing import Any

from .httpcore_internals import is_readable, remove_locks


class OneConnection:
    """Holds a connection for threads."""

    def __init__(self, pool: Any) -> None:
        """Take the pool that makes connections, an ``httpcore.ConnectionPool``."""
        self._pool = pool
        self._connection: Any = None

    def handle_request(self, request: Any) -> Any:
        """Send a request of httpcore, on another connection if this one cannot take it."""
        origin = request.url.origin
        current = self._connection
        if current is None or not current.is_idle() or current.has_expired() or not current.can_handle_request(origin):
            self.close()
            self._connection = self._pool.create_connection(origin)
        return self._connection.handle_request(request)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class AsyncOneConnection:
    """Holds a connection for tasks."""

    def __init__(self, pool: Any) -> None:
        """Take the pool that makes connections, an ``httpcore.AsyncConnectionPool``."""
        self._pool = pool
        self._connection: Any = None
        self._network: Any = None
        """The socket of the connection."""

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request of httpcore, on another connection if this one cannot take it."""
        origin = request.url.origin
        current = self._connection
        # Not ``has_expired``, which has anyio look up the addresses of both ends; how long it was idle, ``pool`` knows.
        if current and current.is_idle() and not is_readable(self._network) and current.can_handle_request(origin):
            return await current.handle_async_request(request)
        await self.aclose()
        self._connection = self._pool.create_connection(origin)
        response = await self._connection.handle_async_request(request)
        remove_locks(self._connection)
        if "network_stream" in response.extensions:  # not in an answer of respx
            self._network = response.extensions["network_stream"].get_extra_info("socket")
        return response

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.aclose()
            self._connection = None
