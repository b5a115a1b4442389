"""Serves flows with threads: sends what they yield, sleeps when they pause. The async twin is ``async_driver``."""

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
    """What an act brought, or how it failed: the flow decides what a failure means."""
    try:
        return Answer(act(), None)
    except BaseException as error:  # noqa: BLE001 - whatever it is, an interrupt too, the flow must see it
        forget_locals(error)
        return Answer(None, error)


def _result(coming: "Future[Any]", process: int) -> Any:
    if os.getpid() != process:
        raise ClosedError("the iteration was begun in the parent process, whose threads are not here: begin it anew")
    return coming.result()


class Worker:
    """Fetches the next page of a listing in a thread while the caller works on this one."""

    def __init__(self, run: Callable[[Flow[Any], threading.Event], Any]) -> None:
        """Take what serves a flow; a thread is started when there is something to fetch."""
        self._run = run
        self._stop = threading.Event()
        self._threads: Executor | None = None

    def start(self, flow: Flow[Any]) -> Callable[[], Any]:
        """Begin to serve a flow, and give what waits for its result."""
        from concurrent.futures import ThreadPoolExecutor  # slow to import, and not always needed

        self._threads = self._threads or ThreadPoolExecutor(1, "keystone-client")
        coming = self._threads.submit(copy_context().run, self._run, flow, self._stop)
        return partial(_result, coming, os.getpid())

    def __enter__(self) -> Self:
        """Nothing to do yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no thread behind: a pause ends at once, a request that is on its way is waited for."""
        self._stop.set()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


def _opener(options: Options) -> Callable[[], httpx.BaseTransport]:
    """What opens connections, all as the first one; no method of the client, which could not be dropped then."""
    arguments = cache(options.for_one_connection)

    def open_connection() -> httpx.BaseTransport:
        transport = httpx.HTTPTransport(**arguments())
        if options.retry.deadline is not None:
            from .._transport.deadline_backend import DeadlineBackend  # httpcore is slow to import; by now it is there

            use_backend(transport, DeadlineBackend())
        return transport

    return open_connection


class SyncDriver:
    """The part of ``KeystoneClient`` that does the work."""

    def __init__(self, options: Options, transport: httpx.BaseTransport | None) -> None:
        """Take options that were checked; nothing is opened before the first request."""
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
        """Close what nobody can use any more, and say so: it should have been closed before."""
        slots = getattr(self, "_slots", None)
        if slots is not None and len(slots.idle):
            slots.close()
            warn(f"{self!r} was not closed: use `with`, or close()", ResourceWarning, stacklevel=2, source=self)

    __reduce__ = SessionState.__reduce__  # else a shallow copy would share its connections, and close them

    def _after_fork(self) -> None:
        self._slots, self._turn = self._make_slots(), Permits(1)
        self._session.after_fork()

    def close(self) -> None:
        """Close the connections; the session on the server lives on. Closing twice is fine."""
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        self._slots.close()

    def _run(self, flow: Flow[T], stop: threading.Event | None = None) -> T:
        """Serve a flow to its end; ``stop`` ends its pauses at once."""
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
        """Serve a listing, handing out its records as they come."""
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
                        if place == 1 and prefetch:  # not before: many callers want the first record only
                            more = worker.start(step.ahead)
                        yield record
                    answer = attempt(more)
                else:
                    answer = attempt(partial(self._act, step))

    def _act(self, step: Step, stop: threading.Event | None = None) -> Any:
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
        turn = self._turn.permit()
        try:
            return self._run(step.flow) if turn.enter(step.timeout) else None
        finally:
            turn.leave()

    def _pause(self, step: Pause, stop: threading.Event | None) -> None:
        if stop is not None and self._sleep is time.sleep:
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
