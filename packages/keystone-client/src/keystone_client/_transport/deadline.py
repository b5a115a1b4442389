"""End a call at its deadline, whatever it is waiting for.

A call with a deadline puts a function that returns its seconds left into each of its requests, ``time_left``. It takes
four means to make that hold, because none of them covers every wait:

- The timeouts of a request are cut to the time left (``Deadline.limit``). But that is done once, and httpcore applies
  the same timeout to each read, so a server that sends a byte now and then could stretch the call without end.
- In a task, the request is cancelled when no time is left (``within_deadline``).
- A thread cannot be cancelled. There each connect, read and write of a connection gets the time left as its timeout
  (``TIME_LEFT``, which ``deadline_backend`` reads).
- A transport that the user gave does not use our connections. So the time is also checked between two chunks of a
  response (``response_guard``).


How long a call may take, and which exception reports that it took longer, is decided in ``_protocol/call.py``.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpx

from .outgoing import OutgoingRequest

TIME_LEFT: ContextVar[Callable[[], float] | None] = ContextVar("time_left", default=None)
"""Returns the seconds left of the call that this thread is making. Its connection reads this at each step."""


class Trace:
    """Records what httpcore reports about one request, through its ``trace`` extension."""

    def __init__(self) -> None:
        """Start with nothing reported."""
        self.opened: list[Any] = []
        """The TCP connections that were opened for the request."""
        self.begun = False
        """Whether the server may have received part of the request."""

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Record an event."""
        if event.endswith(".connect_tcp.complete"):
            self.opened.append(info["return_value"])
        elif event == "http11.send_request_headers.started":
            self.begun = True


class Deadline:
    """The time by which a call must end."""

    __slots__ = ("_clock", "_seconds", "until")

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the time.

        Args:
            seconds: How long the call may take; ``None`` for no end.
            clock: Returns seconds of a monotonic clock.
        """
        self._seconds, self._clock = seconds, clock
        self.until: float | None = None
        """The time of the clock at which the call ends."""
        self.restart()

    def restart(self) -> None:
        """Start the time again: what the caller spends between two pages of a listing does not count."""
        if self._seconds is not None:
            self.until = self._clock() + self._seconds

    @property
    def time_left(self) -> float | None:
        """The seconds left, at least 0; ``None`` without a deadline."""
        return None if self.until is None else max(self.until - self._clock(), 0)

    def passes_within(self, seconds: float) -> bool:
        """Return whether the deadline passes within so many seconds."""
        return self.until is not None and self._clock() + seconds >= self.until

    def limit(self, request: OutgoingRequest) -> bool:
        """Cut the timeouts of a request to the time left, and let it ask for that later on; there must be a deadline.

        Returns:
            Whether any time is left.
        """
        left = self._left()
        request.time_left = self._left
        request.extensions["timeout"] = {
            name: left if timeout is None else min(timeout, left) for name, timeout in request.timeouts.items()
        }
        return left > 0

    def _left(self) -> float:
        assert self.until is not None
        return self.until - self._clock()


NO_DEADLINE: Final = Deadline(None)


@contextmanager
def time_left_of(request: OutgoingRequest) -> Iterator[None]:
    """Tell the connections that this thread uses inside the block how much time the call of a request has left."""
    token = TIME_LEFT.set(request.time_left)
    try:
        yield
    finally:
        TIME_LEFT.reset(token)


async def within_deadline(
    send: Callable[[OutgoingRequest], Awaitable[httpx.Response]], request: OutgoingRequest
) -> httpx.Response:
    """Send a request, and cancel that at the deadline of its call.

    Raises:
        httpx.ConnectTimeout: It was cancelled before anything was sent.
        httpx.ReadTimeout: It was cancelled later, or, without a trace, at an unknown point.
    """
    import anyio  # here because it is slow to import, and threads do not need it

    assert request.time_left is not None
    with anyio.move_on_after(request.time_left()):
        return await send(request)
    trace = request.extensions.get("trace")
    kind = httpx.ReadTimeout if trace is None or trace.begun else httpx.ConnectTimeout
    raise kind("the deadline of the call passed", request=request)
