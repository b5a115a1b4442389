"""Run flows: have the driver carry out each step, and hand the result back to the flow.

What differs between threads and tasks is in ``act`` and ``ahead``, which a driver defines.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import closing
from typing import Any, Protocol, Self, TypeVar

from .._config.options import Options
from .._flow import Flow, Step
from .._listing.plan import Plan, next_batch
from .._protocol.session_state import SessionState
from .._redaction import forget_locals
from .._transport.fork import watch

T = TypeVar("T")


class AsyncRun(Protocol):
    """The type of ``AsyncRunner.run``."""

    async def __call__(self, flow: Flow[T], /) -> T:
        """Run a flow to its end, and return its result."""
        ...


class AsyncAhead(Protocol):
    """A flow that may be run while the caller works on what came before."""

    def start(self) -> None:
        """Start to run it, where that is possible."""

    async def result(self) -> Any:
        """Return its result; run it now if that was not started."""

    async def __aenter__(self) -> Self:
        """Return itself; nothing is started yet."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Stop what was started, and wait for its end."""


class AsyncRunner(ABC):
    """Runs flows, and owns the session that they have in common."""

    def __init__(self, options: Options, owner: str) -> None:
        """Prepare from options that were checked.

        Args:
            options: The settings of the client.
            owner: What the client is called in warnings.
        """
        self._options = options
        self._owner = owner
        self.session = SessionState(options)
        self._closed = False
        watch(self)

    @abstractmethod
    def _after_fork(self) -> None:
        """Replace connections and locks in a forked child, without touching those of the parent."""

    @abstractmethod
    async def act(self, step: Step) -> Any:
        """Do what a flow asked for, and return the result."""

    @abstractmethod
    def ahead(self, flow: Flow[T]) -> AsyncAhead:
        """Return what can run a flow while the caller works."""

    async def run(self, flow: Flow[T], /) -> T:
        """Run a flow to its end, and return its result."""
        value: Any = None
        failure: BaseException | None = None
        with closing(flow):
            while True:
                try:
                    step = flow.send(value) if failure is None else flow.throw(failure)
                except StopIteration as end:
                    result: T = end.value
                    return result
                except BaseException as error:
                    failure = None  # this frame is in its traceback: the two would keep each other alive
                    forget_locals(error)
                    raise
                try:
                    value, failure = await self.act(step), None
                except BaseException as error:  # noqa: BLE001 - the flow must see it, an interrupt or a cancellation too
                    forget_locals(error)
                    failure = error

    async def stream(self, plan: Plan, prefetch: bool) -> AsyncGenerator[Any, None]:
        """Run a listing, and yield its records as they come.

        With ``prefetch`` the next page is fetched while the caller works on this one.
        """
        batch = await self.run(next_batch(plan))
        while batch is not None:
            async with self.ahead(batch.following) as following:
                for place, record in enumerate(batch.records):
                    if place == 1 and prefetch:  # not at the first record: many callers want only that one
                        following.start()
                    yield record
                batch = await following.result()
