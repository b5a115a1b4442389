"""Everything about a call that must be over: the seconds it has left, and what ends it then.

A call with a deadline puts a function that gives its seconds left into each of its requests. From there on:

- the timeouts of a request are cut to what is left (``limited``);
- a call of a task is cancelled when nothing is left (``within_deadline``);
- a call of a thread cannot be cancelled: each read and write of its connection has what is left (``TIME_LEFT``, asked
  by ``deadline_backend``);
- between two chunks of an answer the time is looked at as well (``response_guard``), for transports that have no
  connection of ours.

How long a call may take, and what error it ends in, is decided in ``_protocol/call.py``.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio
import httpx

from .outgoing import OutgoingRequest

TIME_LEFT: ContextVar[Callable[[], float] | None] = ContextVar("time_left", default=None)
"""The seconds left of the call of this thread, for a connection to ask while it carries its request."""


class Trace:
    """What httpcore tells of a request on its way."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.opened: list[Any] = []
        """The TCP connections that were made for it."""
        self.begun = False
        """Whether the server may have seen some of it."""

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Take a note of an event."""
        if event.endswith(".connect_tcp.complete"):
            self.opened.append(info["return_value"])
        elif event == "http11.send_request_headers.started":
            self.begun = True


def limited(timeouts: Mapping[str, float | None], left: float) -> dict[str, float | None]:
    """Return timeouts that do not outlast the call."""
    return {name: left if timeout is None else min(timeout, left) for name, timeout in timeouts.items()}


@contextmanager
def time_left_of(request: OutgoingRequest) -> Iterator[None]:
    """Let connections of this thread know what is left of the call that sends a request."""
    token = TIME_LEFT.set(request.time_left)
    try:
        yield
    finally:
        TIME_LEFT.reset(token)


async def within_deadline(
    send: Callable[[OutgoingRequest], Awaitable[httpx.Response]], request: OutgoingRequest
) -> httpx.Response:
    """Send a request, and break that off when its call must be over.

    Raises:
        httpx.ConnectTimeout: It was broken off before anything was sent.
        httpx.ReadTimeout: It was broken off later, or nobody knows.
    """
    if request.time_left is None:
        return await send(request)
    with anyio.move_on_after(request.time_left()):
        return await send(request)
    trace = request.extensions.get("trace")
    kind = httpx.ReadTimeout if trace is None or trace.begun else httpx.ConnectTimeout
    raise kind("the deadline of the call passed", request=request)
