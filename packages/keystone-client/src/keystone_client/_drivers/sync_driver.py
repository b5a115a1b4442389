"""Drive flows in threads: send the requests they yield, sleep when they pause.

The async twin is ``async_driver``. What a client does stands in the flows, which both drive; a driver knows only how to
wait.
"""

import os
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from contextvars import copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from .._config.options import Options, checked_transport
from .._errors import ClosedError
from .._flow import NOTHING, Answer, Ask, Exclusive, Flow, Pause, Step, advance
from .._flows import records as record_flows
from .._listing import plan as listing
from .._listing.query import BulkOptions, FollowOptions, Query
from .._protocol.call import Call
from .._protocol.session_state import SessionState
from .._redaction import forget_locals
from .._transport.exchange import exchange
from .._transport.fork import watch
from .._transport.httpcore_internals import use_backend
from .._transport.outgoing import OutgoingRequest
from .._transport.permits import Permits
from .._transport.pool import ThreadSlots, closed

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

T = TypeVar("T")


def attempt(act: Callable[[], object]) -> Answer:
    """Return the result of a step, or its failure, for the flow to handle."""
    try:
        return Answer(act(), None)
    except BaseException as error:  # noqa: BLE001 - the flow must see it, even an interrupt
        forget_locals(error)
        return Answer(None, error)


def _result(coming: "Future[Any]", process: int) -> Any:
    """Wait for the result of a worker thread; in a forked child, which does not have the thread, raise an error."""
    if os.getpid() != process:
        raise ClosedError("the iteration was begun in the parent process, whose threads are not here: begin it anew")
    return coming.result()


class Worker:
    """A thread that fetches the next page of a listing while the caller works on this one."""

    def __init__(self, run: Callable[[Flow[Any], threading.Event], Any]) -> None:
        """Keep the function that drives a flow; the thread is started when there is something to fetch."""
        self._run = run
        self._stop = threading.Event()
        self._threads: Executor | None = None

    def start(self, flow: Flow[Any]) -> Callable[[], Any]:
        """Start to drive a flow, and return a function that waits for its result."""
        from concurrent.futures import ThreadPoolExecutor  # here because it is slow to import and not always needed

        self._threads = self._threads or ThreadPoolExecutor(1, "keystone-client")
        coming = self._threads.submit(copy_context().run, self._run, flow, self._stop)
        return partial(_result, coming, os.getpid())

    def __enter__(self) -> Self:
        """Return itself; no thread is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread and wait for its end. A pause is cut short; a request on its way cannot be cancelled."""
        self._stop.set()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


def _opener(options: Options) -> Callable[[], httpx.BaseTransport]:
    """Return a function that opens connections, all with the arguments that the first one had.

    A closure, not a method, so that it does not keep the client alive.
    """
    arguments = cache(options.for_one_connection)

    def open_connection() -> httpx.BaseTransport:
        transport = httpx.HTTPTransport(**arguments())
        if options.retry.deadline is not None:
            # Imported here because it imports httpcore, which is slow; by now the transport has done that anyway.
            from .._transport.deadline_backend import DeadlineBackend

            use_backend(transport, DeadlineBackend())
        return transport

    return open_connection


class SyncDriver:
    """The base class of ``KeystoneClient``: drives its flows and owns its connections."""

    def __init__(self, options: Options, transport: httpx.BaseTransport | None) -> None:
        """Prepare a client from options that were checked; no connection is opened before the first request."""
        checked_transport(transport, "handle_request")
        self._options = options
        self._session = SessionState(options)
        self._transport = transport
        self._slots = self._make_slots()
        self._turn = Permits(1)
        self._closed = False
        self._sleep: Callable[[float], object] = time.sleep
        watch(self)

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        """Close the idle connections of a client that was not closed, and warn about it."""
        slots = getattr(self, "_slots", None)
        if slots is not None and len(slots.idle):
            slots.close()
            warn(f"{self!r} was not closed: use `with`, or close()", ResourceWarning, stacklevel=2, source=self)

    __reduce__ = SessionState.__reduce__  # a shallow copy would share the connections, and close them

    def _after_fork(self) -> None:
        self._slots, self._turn = self._make_slots(), Permits(1)
        self._session.after_fork()

    def close(self) -> None:
        """Close the connections. The session on the server goes on. Closing twice is fine."""
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        self._slots.close()

    def _run(self, flow: Flow[T], stop: threading.Event | None = None) -> T:
        """Drive a flow to its end, and return its result; setting ``stop`` ends its pauses at once."""
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
                answer = attempt(partial(self._act, step, stop))

    def _stream(self, batches: listing.Batches, prefetch: bool) -> Generator[dict[str, Any], None, None]:
        """Drive a listing, and yield its records as they come.

        With ``prefetch`` the next page is fetched in a thread while the caller works on this one.
        """
        answer = NOTHING
        with closing(batches), Worker(self._run) as worker:
            while True:
                try:
                    step = advance(batches, answer)
                except StopIteration:
                    return
                if isinstance(step, listing.Batch):
                    more: Callable[[], object] = partial(self._run, step.ahead)
                    for place, record in enumerate(step.records):
                        if place == 1 and prefetch:  # not at the first record: many callers want only that one
                            more = worker.start(step.ahead)
                        yield record
                    answer = attempt(more)
                else:
                    answer = attempt(partial(self._act, step))

    def _act(self, step: Step, stop: threading.Event | None = None) -> Any:
        """Do what a flow asked for, and return the result."""
        if isinstance(step, OutgoingRequest):
            return self._exchange(step)
        if isinstance(step, Pause):
            return self._pause(step, stop)
        return step.question() if isinstance(step, Ask) else self._alone(step)

    def _exchange(self, request: OutgoingRequest) -> httpx.Response:
        transport = self._transport
        if self._closed:
            raise closed()
        return self._slots.exchange(request) if transport is None else exchange(transport, request)

    def _alone(self, step: Exclusive) -> Any:
        """Drive a flow while no other exclusive one of this client runs; return ``None`` if its turn comes too late."""
        turn = self._turn.permit()
        try:
            return self._run(step.flow) if turn.enter(step.timeout) else None
        finally:
            turn.leave()

    def _pause(self, step: Pause, stop: threading.Event | None) -> None:
        """Sleep; raise an error if the iteration this flow fetches a page for has been left meanwhile."""
        if stop is not None and self._sleep is time.sleep:  # a replaced sleep may advance a clock other than real time
            stop.wait(step.seconds)
        else:
            self._sleep(step.seconds)
        if stop is not None and stop.is_set():
            raise ClosedError("the iteration was left while its next page was fetched")

    def _make_slots(self) -> ThreadSlots:
        return ThreadSlots(_opener(self._options), self._options.limits, time.monotonic)

    def _retrieve(self, name: str, pk: object, raise_not_exists: bool, query: Query) -> Any:
        if listing.wants_one(pk, raise_not_exists, query):
            return self._run(record_flows.retrieve(Call(self._session), name, pk, raise_not_exists))
        plan = listing.plan(Call(self._session), name, query)
        return list(self._stream(listing.batches(plan, at_once=True), prefetch=False))

    def _iterate(self, name: str, query: Query) -> Generator[Any, None, None]:
        plan = listing.plan(Call(self._session), name, query)
        return self._stream(listing.batches(plan), query.prefetch)

    def _count(self, name: str, query: Query) -> int:
        return self._run(listing.count(Call(self._session), name, query))

    def _follow(self, name: str, options: FollowOptions) -> Any:
        from .._listing import follow as follower  # most programs never need it

        return self._run(follower.follow(Call(self._session), name, options))

    def _create(self, name: str, fields: Mapping[str, Any]) -> Any:
        return self._run(record_flows.create(Call(self._session), name, fields))

    def _update(self, name: str, pk: object, data: Mapping[str, Any]) -> Any:
        return self._run(record_flows.update(Call(self._session), name, pk, data))

    def _delete(self, name: str, pk: object, raise_not_exists: bool) -> None:
        self._run(record_flows.delete(Call(self._session), name, pk, raise_not_exists))

    def _bulk_create(self, name: str, records: Iterable[Any], options: BulkOptions) -> Any:
        from .._bulk import operations  # most programs never need it

        return self._run(operations.create(Call(self._session), name, records, options))

    def _bulk_update(self, name: str, changes: Mapping[Any, Any], options: BulkOptions) -> Any:
        from .._bulk import operations  # most programs never need it

        return self._run(operations.update(Call(self._session), name, changes, options))

    def _bulk_delete(self, name: str, pks: Iterable[object], options: BulkOptions) -> None:
        from .._bulk import operations  # most programs never need it

        self._run(operations.delete(Call(self._session), name, pks, options))
