"""Drive flows in tasks, on asyncio and trio: send the requests they yield, sleep when they pause.

The sync twin is ``sync_driver``. What a client does stands in the flows, which both drive; a driver knows only how to
wait.
"""

import sys
import time
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import aclosing, closing
from functools import partial
from typing import Any, Self, TypeVar

import anyio
import httpx

from .._config.options import Options, checked_transport
from .._flow import NOTHING, Answer, Exclusive, Flow, Pause, Step, advance
from .._flows import records as record_flows
from .._listing import plan as listing
from .._listing.query import BulkOptions, FollowOptions, Query
from .._protocol.call import Call
from .._protocol.session_state import SessionState
from .._redaction import forget_locals
from .._transport.deadline import within_deadline
from .._transport.event_loops import OPEN, OnLoop, on_asyncio, running_loop
from .._transport.exchange import exchange_async
from .._transport.fork import watch
from .._transport.outgoing import OutgoingRequest
from .._transport.pool import TaskSlots, closed

T = TypeVar("T")


async def attempt(act: Awaitable[object]) -> Answer:
    """Return the result of a step, or its failure, for the flow to handle."""
    try:
        return Answer(await act, None)
    except BaseException as error:  # noqa: BLE001 - the flow must see it, even an interrupt or a cancellation
        forget_locals(error)
        return Answer(None, error)


class Task:
    """A coroutine that will be awaited, and that on asyncio can be started before that.

    Trio allows tasks only inside of a nursery, so there the coroutine runs when it is awaited.
    """

    def __init__(self, act: Coroutine[Any, Any, Any]) -> None:
        """Keep the coroutine, without starting it."""
        self._act = act
        self._task: Any = None

    def start(self) -> None:
        """Start the coroutine in a task, on asyncio; else do nothing."""
        if on_asyncio():
            self._task = sys.modules["asyncio"].create_task(self._act)

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for the result of the coroutine."""
        return (self._task or self._act).__await__()

    async def __aenter__(self) -> Self:
        """Return itself; nothing is started yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the task if it still runs, and wait for its end."""
        if self._task is None:
            self._act.close()
            return
        self._task.cancel()
        await sys.modules["asyncio"].wait([self._task])
        if not self._task.cancelled():
            self._task.exception()  # retrieved, or asyncio logs that it never was


class AsyncDriver:
    """The base class of ``AsyncKeystoneClient``: drives its flows and owns its connections."""

    def __init__(self, options: Options, transport: httpx.AsyncBaseTransport | None) -> None:
        """Prepare a client from options that were checked; no connection is opened before the first request."""
        checked_transport(transport, "handle_async_request")
        self._options = options
        self._session = SessionState(options)
        self._transport = transport
        self._loops: dict[object, OnLoop] = {}
        self._closed = False
        self._sleep: Callable[[float], Awaitable[object]] = anyio.sleep
        watch(self)

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        """Close the idle connections of a client that was not closed, and warn about it."""
        OPEN.pop(id(self), None)
        left = [here for here in getattr(self, "_loops", {}).values() if len(here.slots.idle)]
        for here in left:
            here.leave()
        if left:
            warn(f"{self!r} was not closed: use `async with`, or close()", ResourceWarning, stacklevel=2, source=self)

    __reduce__ = SessionState.__reduce__  # a shallow copy would share the connections, and close them

    def _after_fork(self) -> None:
        self._loops = {}
        self._session.after_fork()

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
                await here.slots.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        """Drive a flow to its end, and return its result."""
        answer = NOTHING
        with closing(flow):
            while True:
                try:
                    step = advance(flow, answer)
                except StopIteration as end:
                    result: T = end.value
                    return result
                except BaseException as error:
                    forget_locals(error)
                    raise
                answer = await attempt(self._act(step))

    async def _stream(self, batches: listing.Batches, prefetch: bool) -> AsyncGenerator[dict[str, Any], None]:
        """Drive a listing, and yield its records as they come.

        With ``prefetch`` the next page is fetched while the caller works on this one, where a task can be started.
        """
        answer = NOTHING
        with closing(batches):
            while True:
                try:
                    step = advance(batches, answer)
                except StopIteration:
                    return
                if isinstance(step, listing.Batch):
                    async with Task(self._run(step.ahead)) as coming:
                        for place, record in enumerate(step.records):
                            if place == 1 and prefetch:  # not at the first record: many callers want only that one
                                coming.start()
                            yield record
                        answer = await attempt(coming)
                else:
                    answer = await attempt(self._act(step))

    async def _act(self, step: Step) -> Any:
        """Do what a flow asked for, and return the result."""
        if isinstance(step, OutgoingRequest):
            return await self._exchange(step)
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        if isinstance(step, Exclusive):
            return await self._alone(step)
        answer = step.question()
        if not isinstance(answer, Awaitable):
            return answer
        with anyio.fail_after(step.timeout):
            return await answer

    async def _alone(self, step: Exclusive) -> Any:
        """Drive a flow while no other exclusive one runs on this loop; return ``None`` if its turn comes too late."""
        turn = self._here().turn
        with anyio.move_on_after(step.timeout) as waiting:
            await turn.acquire()
        if waiting.cancelled_caught:
            return None
        try:
            return await self._run(step.flow)
        finally:
            turn.release()

    async def _exchange(self, step: OutgoingRequest) -> httpx.Response:
        if self._closed:
            raise closed()
        if self._transport is not None:
            return await within_deadline(partial(exchange_async, self._transport), step)
        return await within_deadline(self._here().slots.exchange, step)

    def _here(self) -> OnLoop:
        """Return the pool and the lock for the running loop; if they are new, drop those of loops that are closed."""
        loop = running_loop()
        here = self._loops.get(loop)
        if here is None:
            for former, there in list(self._loops.items()):
                if there.is_gone:
                    self._loops.pop(former).slots.drop()
            OPEN[id(self)] = self._loops
            here = self._loops[loop] = OnLoop(loop, self._make_slots(), anyio.Lock())
        return here

    def _make_slots(self) -> TaskSlots:
        make = partial(httpx.AsyncHTTPTransport, **self._options.for_one_connection())
        secure = self._session.base_url.startswith("https:")
        return TaskSlots(make, self._options.limits, time.monotonic, secure=secure)

    async def _retrieve(self, name: str, pk: object, raise_not_exists: bool, query: Query) -> Any:
        if listing.wants_one(pk, raise_not_exists, query):
            return await self._run(record_flows.retrieve(Call(self._session), name, pk, raise_not_exists))
        plan = listing.plan(Call(self._session), name, query)
        async with aclosing(self._stream(listing.batches(plan, at_once=True), prefetch=False)) as records:
            return [record async for record in records]

    def _iterate(self, name: str, query: Query) -> AsyncGenerator[Any, None]:
        plan = listing.plan(Call(self._session), name, query)
        return self._stream(listing.batches(plan), query.prefetch)

    async def _count(self, name: str, query: Query) -> int:
        return await self._run(listing.count(Call(self._session), name, query))

    async def _follow(self, name: str, options: FollowOptions) -> Any:
        from .._listing import follow as follower  # most programs never need it

        return await self._run(follower.follow(Call(self._session), name, options))

    async def _create(self, name: str, fields: Mapping[str, Any]) -> Any:
        return await self._run(record_flows.create(Call(self._session), name, fields))

    async def _update(self, name: str, pk: object, data: Mapping[str, Any]) -> Any:
        return await self._run(record_flows.update(Call(self._session), name, pk, data))

    async def _delete(self, name: str, pk: object, raise_not_exists: bool) -> None:
        await self._run(record_flows.delete(Call(self._session), name, pk, raise_not_exists))

    async def _bulk_create(self, name: str, records: Iterable[Any], options: BulkOptions) -> Any:
        from .._bulk import operations  # most programs never need it

        return await self._run(operations.create(Call(self._session), name, records, options))

    async def _bulk_update(self, name: str, changes: Mapping[Any, Any], options: BulkOptions) -> Any:
        from .._bulk import operations  # most programs never need it

        return await self._run(operations.update(Call(self._session), name, changes, options))

    async def _bulk_delete(self, name: str, pks: Iterable[object], options: BulkOptions) -> None:
        from .._bulk import operations  # most programs never need it

        await self._run(operations.delete(Call(self._session), name, pks, options))
