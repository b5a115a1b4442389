"""Carry out the steps of flows in threads: send requests, sleep, wait for a turn.

The async twin is ``async_driver``. What a client does stands in the flows, which both run; a driver knows only how to
wait, and owns the connections.
"""

import os
import threading
import time
import warnings
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from .._config.event_hooks import refuse_async_hooks
from .._config.options import Options, checked_transport
from .._errors import ClosedError
from .._flow import Ask, Exclusive, Flow, Pause, Step
from .._transport.deadline import time_left_of
from .._transport.exchange import exchange
from .._transport.httpcore_internals import replace_pool, use_backend
from .._transport.instrumentation import send
from .._transport.one_connection import OneConnection
from .._transport.outgoing import OutgoingRequest
from .._transport.permits import Permits
from .._transport.pool import SyncPool, closed
from .._transport.wrapped import WrappedTransport
from .sync_runner import SyncRun, SyncRunner

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

T = TypeVar("T")

_LEFT: ContextVar[threading.Event | None] = ContextVar("left", default=None)
"""In a thread that fetches the next page: set when the iteration has been left, so that its pauses end at once."""


class Ahead:
    """A flow that may be run in a thread while the caller works on what came before."""

    def __init__(self, run: SyncRun, flow: Flow[Any]) -> None:
        """Take the flow, and the function that runs it; a thread is started only by ``start``."""
        self._run, self._flow = run, flow
        self._left = threading.Event()
        self._process = os.getpid()
        self._threads: Executor | None = None
        self._coming: Future[Any] | None = None

    def start(self) -> None:
        """Start to run the flow in a thread, if there may be one."""
        try:
            from concurrent.futures import ThreadPoolExecutor  # here because it is slow to import and not always needed

            self._threads = ThreadPoolExecutor(1, "keystone-client")
            self._coming = self._threads.submit(copy_context().run, self._run_ahead)
        except RuntimeError:  # no more threads, or not at the end of the program: ``result`` runs the flow
            return

    def _run_ahead(self) -> Any:
        _LEFT.set(self._left)
        return self._run(self._flow)

    def result(self) -> Any:
        """Return the result of the flow; run it now if it was not started."""
        if self._coming is None:
            return self._run(self._flow)
        if os.getpid() != self._process:
            raise ClosedError("the iteration was begun in the parent process, whose threads are not here: begin anew")
        return self._coming.result()

    def __enter__(self) -> Self:
        """Return itself; no thread is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread and wait for its end. A pause is cut short; a request on its way cannot be cancelled."""
        self._left.set()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        self._coming = None  # a failure in it has this object in its traceback: they would keep each other alive


class GivenTransport:
    """A transport that the user gave, with the same methods as a pool."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        """Take the transport."""
        self._transport = transport
        self._closed = False

    def exchange(self, request: OutgoingRequest) -> httpx.Response:
        """Send a request through the transport, and read the response to its end."""
        return exchange(self._transport, request)

    def close(self) -> None:
        """Close the transport, once."""
        if not self._closed:
            self._closed = True
            self._transport.close()


def _opener(options: Options) -> Callable[[], httpx.BaseTransport]:
    """Return a function that opens connections, all with the arguments that the first one had.

    A closure, not a method, so that it does not keep the driver alive.
    """
    arguments = cache(options.for_one_connection)
    check = partial(checked_transport, method="handle_request", field="wrap_transport")

    def open_connection() -> httpx.BaseTransport:
        transport = httpx.HTTPTransport(**arguments())
        # Imported here because it imports httpcore, which is slow; by now the transport has done that anyway.
        from .._transport.deadline_backend import DeadlineBackend

        use_backend(transport, DeadlineBackend())
        wrap = options.wrap_transport
        if wrap is None and arguments()["proxy"] is None:
            replace_pool(transport, OneConnection)
        return transport if wrap is None else WrappedTransport(transport, wrap, check)

    return open_connection


class SyncDriver(SyncRunner):
    """Owns the session and the connections of a client; the client and what ``with_options`` returns share it."""

    def __init__(self, options: Options, transport: httpx.BaseTransport | None, owner: str) -> None:
        """Prepare from options that were checked; no connection is opened before the first request."""
        checked_transport(transport, "handle_request")
        refuse_async_hooks(options.hooks)
        super().__init__(options, owner)
        self.sleep: Callable[[float], object] = time.sleep
        self.connections: SyncPool | GivenTransport
        self.connections = self._new_pool() if transport is None else GivenTransport(transport)
        self.turn = Permits(1)

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        """Close the idle connections of a client that was not closed, and warn about it."""
        pool = getattr(self, "connections", None)
        if isinstance(pool, SyncPool) and len(pool.idle):
            pool.close()
            message = f"{self._owner} was not closed: use `with`, or close()"
            warn(message, ResourceWarning, stacklevel=2, source=self)

    def _after_fork(self) -> None:
        if isinstance(self.connections, SyncPool):
            self.connections = self._new_pool()
        self.turn = Permits(1)
        self.session.after_fork()

    def _new_pool(self) -> SyncPool:
        return SyncPool(_opener(self._options), self._options.limits, time.monotonic)

    def close(self) -> None:
        """Close the connections. The session on the server goes on. Closing twice is fine."""
        self._closed = True
        self.connections.close()

    def act(self, step: Step) -> Any:
        """Do what a flow asked for, and return the result."""
        if isinstance(step, OutgoingRequest):
            return self._exchange(step)
        if isinstance(step, Pause):
            return self._pause(step)
        return step.question() if isinstance(step, Ask) else self._alone(step)

    def ahead(self, flow: Flow[T]) -> Ahead:
        """Return what can run a flow in a thread while the caller works."""
        return Ahead(self.run, flow)

    def _exchange(self, request: OutgoingRequest) -> httpx.Response:
        if self._closed:
            raise closed()
        if request.time_left is None:
            return send(self.connections.exchange, request)
        with time_left_of(request):
            return send(self.connections.exchange, request)

    def _alone(self, step: Exclusive) -> Any:
        """Run a flow while no other exclusive one of this client runs; return ``None`` if its turn comes too late."""
        turn = self.turn.permit()
        try:
            return self.run(step.flow) if turn.enter(step.timeout) else None
        finally:
            turn.leave()

    def _pause(self, step: Pause) -> None:
        """Sleep; raise an error if the iteration this flow fetches a page for has been left meanwhile."""
        left = _LEFT.get()
        if left is not None and self.sleep is time.sleep:  # a replaced sleep may advance a clock other than real time
            left.wait(step.seconds)
        else:
            self.sleep(step.seconds)
        if left is not None and left.is_set():
            raise ClosedError("the iteration was left while its next page was fetched")
