"""Carry out the steps of flows in tasks, on asyncio and trio: send requests, sleep, wait for a turn.

The sync twin is ``sync_driver``. What a client does stands in the flows, which both run; a driver knows only how to
wait, and owns the connections.
"""

import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Self, TypeVar

import anyio
import httpx

from .._config.options import Options, checked_transport
from .._flow import Exclusive, Flow, Pause, Step
from .._transport.async_pool import AsyncPool
from .._transport.deadline import within_deadline
from .._transport.event_loops import OPEN, OnLoop, on_asyncio, running_loop
from .._transport.exchange import exchange_async
from .._transport.httpcore_internals import replace_pool
from .._transport.instrumentation import send_async
from .._transport.one_connection import AsyncOneConnection
from .._transport.outgoing import OutgoingRequest
from .._transport.pool import closed
from .._transport.wrapped import WrappedTransport
from .async_runner import AsyncRun, AsyncRunner

T = TypeVar("T")


class Ahead:
    """A flow that on asyncio can be run in a task while the caller works on what came before.

    Trio allows tasks only inside of a nursery, so there the flow runs when its result is asked for.
    """

    def __init__(self, run: AsyncRun, flow: Flow[Any]) -> None:
        """Take the flow, and the function that runs it; a task is started only by ``start``."""
        self._run, self._flow = run, flow
        self._task: Any = None

    def start(self) -> None:
        """Start to run the flow in a task, on asyncio; else do nothing."""
        if on_asyncio():
            self._task = sys.modules["asyncio"].create_task(self._run(self._flow))

    async def result(self) -> Any:
        """Return the result of the flow; run it now if it was not started."""
        return await (self._task or self._run(self._flow))

    async def __aenter__(self) -> Self:
        """Return itself; nothing is started yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the task if it still runs, and wait for its end."""
        if self._task is None:
            return
        self._task.cancel()
        await sys.modules["asyncio"].wait([self._task])
        if not self._task.cancelled():
            self._task.exception()  # retrieved, or asyncio logs that it never was
        self._task = None  # a failure in it has this object in its traceback: they would keep each other alive


def _opener(options: Options) -> Callable[[], httpx.AsyncBaseTransport]:
    """Return a function that opens connections; not a method, so that it does not keep the driver alive."""
    arguments = options.for_one_connection()
    check = partial(checked_transport, method="handle_async_request", field="wrap_transport")

    def open_connection() -> httpx.AsyncBaseTransport:
        transport = httpx.AsyncHTTPTransport(**arguments)
        wrap = options.wrap_transport
        if wrap is None and arguments["proxy"] is None:
            replace_pool(transport, AsyncOneConnection)
        return transport if wrap is None else WrappedTransport(transport, wrap, check)

    return open_connection


class AsyncDriver(AsyncRunner):
    """Owns the session and the connections of a client; the client and what ``with_options`` returns share it."""

    def __init__(self, options: Options, transport: httpx.AsyncBaseTransport | None, owner: str) -> None:
        """Prepare from options that were checked; no connection is opened before the first request."""
        checked_transport(transport, "handle_async_request")
        super().__init__(options, owner)
        self.sleep: Callable[[float], Awaitable[object]] = anyio.sleep
        self._transport = transport
        self._loops: dict[object, OnLoop] = {}

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        """Close the idle connections of a client that was not closed, and warn about it."""
        OPEN.pop(id(self), None)
        left = [here for here in getattr(self, "_loops", {}).values() if len(here.pool.idle)]
        for here in left:
            here.leave()
        if left:
            message = f"{self._owner} was not closed: use `async with`, or close()"
            warn(message, ResourceWarning, stacklevel=2, source=self)

    def _after_fork(self) -> None:
        OPEN.pop(id(self), None)
        self._loops = {}
        self.session.after_fork()

    async def close(self) -> None:
        """Close the connections. The session on the server goes on. Closing twice is fine."""
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()
        OPEN.pop(id(self), None)
        loops, self._loops = self._loops, {}
        if loops:
            here = loops.pop(running_loop(), None)
            for other in loops.values():
                other.leave()
            if here is not None:
                await here.pool.aclose()

    async def act(self, step: Step) -> Any:
        """Do what a flow asked for, and return the result."""
        if isinstance(step, OutgoingRequest):
            return await self._exchange(step)
        if isinstance(step, Pause):
            await self.sleep(step.seconds)
            return None
        if isinstance(step, Exclusive):
            return await self._alone(step)
        answer = step.question()
        if not isinstance(answer, Awaitable):
            return answer
        with anyio.fail_after(step.timeout):
            return await answer

    def ahead(self, flow: Flow[T]) -> Ahead:
        """Return what can run a flow in a task while the caller works."""
        return Ahead(self.run, flow)

    async def _alone(self, step: Exclusive) -> Any:
        """Run a flow while no other exclusive one runs on this loop; return ``None`` if its turn comes too late."""
        turn = self.here().turn
        with anyio.move_on_after(step.timeout) as waiting:
            await turn.acquire()
        if waiting.cancelled_caught:
            return None
        try:
            return await self.run(step.flow)
        finally:
            turn.release()

    async def _exchange(self, request: OutgoingRequest) -> httpx.Response:
        if self._closed:
            raise closed()
        transport = self._transport
        exchange = self.here().pool.exchange if transport is None else partial(exchange_async, transport)
        if request.time_left is None:
            return await send_async(exchange, request)
        return await within_deadline(partial(send_async, exchange), request)

    def here(self) -> OnLoop:
        """Return the pool and the lock for the running loop; if they are new, drop those of loops that are closed."""
        loop = running_loop()
        here = self._loops.get(loop)
        if here is None:
            for former, there in list(self._loops.items()):
                if there.is_gone:
                    self._loops.pop(former).pool.drop()
            OPEN[id(self)] = self._loops
            here = self._loops[loop] = OnLoop(loop, self._new_pool(), anyio.Lock())
        return here

    def _new_pool(self) -> AsyncPool:
        secure = self.session.base_url.startswith("https:")
        return AsyncPool(_opener(self._options), self._options.limits, time.monotonic, secure=secure)
