"""The connection pool for tasks; ``pool`` has the idea, and what must never be done."""

from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack

import anyio
import httpx

from .deadline import Trace
from .exchange import exchange_async
from .outgoing import OutgoingRequest
from .pool import Clock, Idle, closed, no_permit, number


class AsyncPool:
    """The connection pool of an async client on one event loop."""

    def __init__(
        self, make: Callable[[], httpx.AsyncBaseTransport], limits: httpx.Limits, clock: Clock, *, secure: bool
    ) -> None:
        """Make an empty pool.

        Args:
            make: Returns a new transport, which holds one connection.
            limits: How many connections there may be, how many are kept idle, and for how long.
            clock: Returns seconds of a monotonic clock.
            secure: Whether the connections use TLS.
        """
        self._make = make
        self._secure = secure
        self._free = number(limits.max_connections)
        self._closed = False
        self._waiting: deque[anyio.Event] = deque()
        self.idle: Idle[httpx.AsyncBaseTransport] = Idle(limits, clock)

    async def exchange(self, request: OutgoingRequest) -> httpx.Response:
        """Send a request over a connection of the pool, and read the response to its end.

        Raises:
            httpx.PoolTimeout: All connections were in use for longer than the pool timeout.
            httpx.RequestError: There is no response.
            ClosedError: The client is closed.
        """
        if self._secure or request.time_left is not None:  # not always: a trace costs 20 us
            request.extensions["trace"] = Trace()
        await self._enter(request)
        try:
            if self._closed:
                raise closed()
            while (old := self.idle.take_old()) is not None:
                await self._close(old)
            return await self._exchange(self.idle.take() or self._make(), request)
        finally:
            self._leave()

    async def _exchange(self, connection: httpx.AsyncBaseTransport, request: OutgoingRequest) -> httpx.Response:
        kept = False
        try:
            response = await exchange_async(connection, request)
            kept = self.idle.put(connection)
            return response
        finally:
            if not kept:
                await self._close(connection, request)

    async def _close(self, connection: httpx.AsyncBaseTransport, request: OutgoingRequest | None = None) -> None:
        """Close a connection, even while the call is being cancelled.

        httpcore forgets a TCP connection whose TLS handshake is cancelled. The trace of the request remembers it.
        """
        with anyio.CancelScope(shield=True):
            await connection.aclose()
            if request is not None and "trace" in request.extensions:
                for stream in request.extensions["trace"].opened:
                    await stream.aclose()

    async def aclose(self) -> None:
        """Close the idle connections now, and each of the others when its call is over."""
        self.idle.most = 0  # connections in use find no room when they come back, and are closed
        self._closed = True
        async with AsyncExitStack() as stack:  # it closes the rest if closing one of them is cancelled or fails
            while (connection := self.idle.take()) is not None:
                stack.push_async_callback(connection.aclose)

    def drop(self) -> None:
        """Drop the idle connections, whose event loop is gone; the garbage collector closes them."""
        self.idle.since.clear()

    async def _enter(self, request: OutgoingRequest) -> None:
        """Take a permit, after those who have waited longer.

        Raises:
            httpx.PoolTimeout: There was none within the pool timeout.
        """
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        turn = anyio.Event()
        self._waiting.append(turn)
        try:
            with anyio.fail_after(request.timeouts.get("pool")):
                await turn.wait()
        except BaseException as error:
            if turn.is_set():
                self._leave()  # the permit was handed over at the moment of the timeout or cancellation: pass it on
            else:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise no_permit(request) from None
            raise

    def _leave(self) -> None:
        """Hand the permit to the call that has waited longest, or put it back if none waits."""
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1
