"""Put a transport of the user around each connection, without giving up what the pool and the guard promise.

The idea. The user's function gets a transport that guards its connection itself (``GuardedTransport``), and returns
another, which may cache, trace or add credentials. The pool has both in one object and closes both, so that a wrapper
that forgets to pass ``close`` on leaks nothing. A wrapper that keeps a response open, or reads it on the side, cannot
spoil the connection either: the guard checks what follows a response where it leaves the connection, and the next
request on it closes what is still open.
"""

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from .response_guard import Bounded


class GuardedTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A connection that the user's transport sends through."""

    def __init__(self, connection: Any) -> None:
        """Take an httpx transport of one connection, sync or async."""
        self._connection = connection
        self._response: httpx.Response | None = None
        self.extensions: Mapping[str, Any] = {}
        """Those of the request that the client sends: a wrapper that makes a request of its own may leave them out, and
        without them it would have no timeouts, and leave connections open when it is cancelled."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request in a thread; the response has not been read yet."""
        request.extensions = {**self.extensions, **request.extensions}
        if self._response is not None:
            self._response.close()
        return self._guarded(self._connection.handle_request(request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request in a task; the response has not been read yet."""
        request.extensions = {**self.extensions, **request.extensions}
        if self._response is not None:
            await self._response.aclose()
        return self._guarded(await self._connection.handle_async_request(request))

    def _guarded(self, response: httpx.Response) -> httpx.Response:
        response.stream = Bounded(response, None)
        self._response = response
        return response


class WrappedTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The user's transport, closed together with the connection inside of it."""

    def __init__(self, connection: Any, wrap: Callable[[Any], Any], check: Callable[[object], None]) -> None:
        """Wrap a connection.

        Args:
            connection: An httpx transport of one connection, sync or async.
            wrap: The user's function.
            check: Raises an error if what the function returned is no transport.
        """
        self._connection = connection
        self._guarded = GuardedTransport(connection)
        self._wrapper: Any = wrap(self._guarded)
        check(self._wrapper)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the user's transport, in a thread."""
        self._guarded.extensions = request.extensions
        response: httpx.Response = self._wrapper.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the user's transport, in a task."""
        self._guarded.extensions = request.extensions
        response: httpx.Response = await self._wrapper.handle_async_request(request)
        return response

    def close(self) -> None:
        """Close the user's transport and the connection."""
        try:
            self._wrapper.close()
        finally:
            self._connection.close()

    async def aclose(self) -> None:
        """Close the user's transport and the connection."""
        try:
            await self._wrapper.aclose()
        finally:
            await self._connection.aclose()
