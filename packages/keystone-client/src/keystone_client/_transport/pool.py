"""One connection for each call in flight, for threads and for tasks.

A call takes a permit and an idle connection. One that read its answer to the end gives the connection back; anything
else closes it. Nothing is shared between calls, so nothing can be left behind in another call's hands: httpcore 1.0.9
loses a slot of its pool for ever when a call is cancelled, or interrupted by Ctrl-C, at the wrong moment, and its pool
is quadratic in waiting calls.
"""

from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final, Generic, TypeVar

import anyio
import httpx

from .._errors import ClosedError
from .deadline import Trace
from .exchange import exchange, exchange_async
from .outgoing import OutgoingRequest
from .permits import Permits

Clock = Callable[[], float]
Transport = TypeVar("Transport", httpx.BaseTransport, httpx.AsyncBaseTransport)


def closed() -> ClosedError:
    """The error of a call on a client that is closed."""
    return ClosedError("the client is closed: make a new one, or do all calls before close(), inside its `with`")


def no_permit(request: httpx.Request) -> httpx.PoolTimeout:
    """The failure of a call whose turn did not come, without a word as httpx's own: the error of the call has them."""
    return httpx.PoolTimeout("", request=request)


def number(limit: float | None) -> float:
    """A limit as a number; ``None`` is no limit."""
    return float("inf") if limit is None else limit


class Idle(Generic[Transport]):
    """The connections that are open without being used."""

    def __init__(self, limits: httpx.Limits, clock: Clock) -> None:
        """Take how many are kept, and for how long."""
        self.clock = clock
        self.most = number(limits.max_keepalive_connections)
        self.expiry: Final = number(limits.keepalive_expiry)
        self.since: deque[tuple[float, Transport]] = deque()
        """Each with the time since when: taken from the right, so that those at the left grow old."""

    def __len__(self) -> int:
        return len(self.since)

    def take(self) -> Transport | None:
        """The one that was used last."""
        try:
            return self.since.pop()[1]
        except IndexError:  # not asked before: another thread may come in between
            return None

    def put(self, slot: Transport) -> bool:
        """Keep a connection; whether there was room."""
        if len(self.since) >= self.most:
            return False
        self.since.append((self.clock(), slot))
        return True

    def take_old(self) -> Transport | None:
        """One that nobody has used for long."""
        try:
            if self.since[0][0] + self.expiry >= self.clock():
                return None
            return self.since.popleft()[1]  # another thread may have taken the old one: this is closed a little early
        except IndexError:
            return None


class ThreadSlots:
    """The connections of a client for threads."""

    def __init__(self, make: Callable[[], httpx.BaseTransport], limits: httpx.Limits, clock: Clock) -> None:
        """Take a maker of transports that hold one connection each."""
        self._make = make
        self._permits = Permits(number(limits.max_connections))
        self._closed = False
        self.idle: Idle[httpx.BaseTransport] = Idle(limits, clock)

    def exchange(self, request: OutgoingRequest) -> httpx.Response:
        """Send a request and read its answer whole."""
        permit = self._permits.permit()
        try:
            if not permit.enter(request.timeouts.get("pool")):
                raise no_permit(request)
            if self._closed:
                raise closed()
            while (old := self.idle.take_old()) is not None:
                old.close()
            return self._exchange(self.idle.take() or self._make(), request)
        finally:
            permit.leave()

    def _exchange(self, slot: httpx.BaseTransport, request: OutgoingRequest) -> httpx.Response:
        """Send it. What an interrupt ends is left to the collector: a lock of it may be held for ever."""
        try:
            response = exchange(slot, request)
        except Exception:
            slot.close()
            raise
        if not self.idle.put(slot):
            slot.close()
        elif self._closed:
            self.close()  # again: it has not seen this one
        return response

    def close(self) -> None:
        """Close the idle connections now, and those in use when their call is over."""
        self._closed = True
        while (slot := self.idle.take()) is not None:
            slot.close()


class TaskSlots:
    """The connections of a client for tasks, on one event loop."""

    def __init__(
        self, make: Callable[[], httpx.AsyncBaseTransport], limits: httpx.Limits, clock: Clock, *, secure: bool
    ) -> None:
        """Take a maker of transports that hold one connection each, and whether they speak TLS."""
        self._make = make
        self._secure = secure
        self._free = number(limits.max_connections)
        self._closed = False
        self._waiting: deque[anyio.Event] = deque()
        self.idle: Idle[httpx.AsyncBaseTransport] = Idle(limits, clock)

    async def exchange(self, request: OutgoingRequest) -> httpx.Response:
        """Send a request and read its answer whole."""
        if self._secure or request.time_left is not None:  # it costs 20 us
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

    async def _exchange(self, slot: httpx.AsyncBaseTransport, request: OutgoingRequest) -> httpx.Response:
        kept = False
        try:
            response = await exchange_async(slot, request)
            kept = self.idle.put(slot)
            return response
        finally:
            if not kept:
                await self._close(slot, request)

    async def _close(self, slot: httpx.AsyncBaseTransport, request: OutgoingRequest | None = None) -> None:
        """Close it, and what its transport knows nothing of: httpcore loses a handshake that is cancelled."""
        with anyio.CancelScope(shield=True):
            await slot.aclose()
            if request is not None and "trace" in request.extensions:
                for stream in request.extensions["trace"].opened:
                    await stream.aclose()

    async def aclose(self) -> None:
        """Close the idle connections now, all of them even if that is cancelled, and those in use after their call."""
        self.idle.most = 0
        self._closed = True
        async with AsyncExitStack() as stack:
            while (slot := self.idle.take()) is not None:
                stack.push_async_callback(slot.aclose)

    def drop(self) -> None:
        """Let go of the idle connections, where there is no loop to close them on: collecting them does it."""
        self.idle.since.clear()

    async def _enter(self, request: OutgoingRequest) -> None:
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
                self._leave()  # the permit came at the moment of giving up: pass it on
            else:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise no_permit(request) from None
            raise

    def _leave(self) -> None:
        """Hand the permit to the one who waits longest, or put it back."""
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1
