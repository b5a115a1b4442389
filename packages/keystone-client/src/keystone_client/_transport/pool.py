"""The connection pool: one connection for each call in flight. Here is the idea, and the pool for threads.

The idea
--------
A call first takes a permit; there are as many as ``max_connections``. Then it takes the idle connection that was used
last, or opens a new one. A call that reads its response to the end puts the connection back. A call that ends in any
other way (an error, a timeout, a cancellation, Ctrl-C) gives its connection up. The permit is released in ``finally``
in either case.

So while a call runs, its connection belongs to it alone, and nothing that other calls use has to be repaired when it is
cut short. Each connection is an httpx transport of its own, which works the same on asyncio and on trio, and has one
connection of httpcore in place of a pool (``one_connection``).

What was rejected, and why
--------------------------
Measured with storms of 2,000 to 2,400 cancelled calls on 10 connections, each followed by 20 ordinary calls:

- One httpx transport with a pool for all calls, as in ``httpx.AsyncClient``. httpcore 1.0.9 loses a place in its pool
  for ever when a call is cancelled, or interrupted by Ctrl-C, at the wrong moment. It depends on the timing: after
  storms of 3 ms all went well, after those of 60 ms or over TLS 0 of the 20 calls were answered, all others ended in
  ``PoolTimeout``. Its pool is also quadratic in the number of waiting calls.
- That pool behind ``asyncio.shield``. Trio cannot do it without a nursery, and the calls that were cancelled go on
  behind the scenes: after ten of them to a stalled server, the next call took 2.91 s, here 0.003 s.
- That pool behind a shielded cancel scope of anyio. On asyncio a task's own ``cancel`` goes through it (0 of 20); on
  trio, cancelling had to wait up to 3 s.
- ``httpcore.HTTPConnection`` without a transport around it. It is faster still, but tools that patch
  ``httpx.HTTPTransport.handle_request`` (OpenTelemetry, pytest-httpx, vcrpy) would not see the requests.

The price: some 7 us a call, and no HTTP/2, which would send several requests over one connection.

What must never be done here
----------------------------
- Put back a connection whose response was not read to its end: the next call would read the rest.
- In ``async_pool``: ``await`` anything between getting a permit and the ``try`` that releases it, or between two
  changes of ``_free`` and ``_waiting`` that belong together. A cancellation arrives at an ``await``, and would lose
  the permit.
- In ``SyncPool``: close a connection after a ``KeyboardInterrupt``. It may have struck while a lock of that
  connection was held, and closing would wait for that lock for ever. The garbage collector closes the socket.
- Ask whether there is an idle connection before taking it: another thread may take it in between. Take it, and catch
  the ``IndexError``.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import httpx

from .._errors import ClosedError
from .exchange import exchange
from .outgoing import OutgoingRequest
from .permits import Permits

Clock = Callable[[], float]
Transport = TypeVar("Transport", httpx.BaseTransport, httpx.AsyncBaseTransport)


def closed() -> ClosedError:
    """Return the error of a call on a client that is closed."""
    return ClosedError("the client is closed: make a new one, or do all calls before close(), inside its `with`")


def no_permit(request: httpx.Request) -> httpx.PoolTimeout:
    """Return the failure of a call that got no permit in time.

    It has no message, like those that httpx raises itself: ``UNEXPLAINED`` in ``_protocol/failures.py`` has one for
    both.
    """
    return httpx.PoolTimeout("", request=request)


def number(limit: float | None) -> float:
    """Return a limit as a number: infinity for ``None``, which means no limit."""
    return float("inf") if limit is None else limit


class Idle(Generic[Transport]):
    """The connections that are open and not in use."""

    def __init__(self, limits: httpx.Limits, clock: Clock) -> None:
        """Keep as many connections, for as long, as the limits say."""
        self.clock = clock
        self.most = number(limits.max_keepalive_connections)
        self.expiry: Final = number(limits.keepalive_expiry)
        self.since: deque[tuple[float, Transport]] = deque()
        """Each connection with the time at which it became idle.

        Calls take from the right and put back there, so the connections at the left are the ones that expire.
        """

    def __len__(self) -> int:
        return len(self.since)

    def take(self) -> Transport | None:
        """Take the connection that was used last; ``None`` if there is none."""
        try:
            return self.since.pop()[1]
        except IndexError:  # asking first would not help: another thread may take the last one in between
            return None

    def put(self, connection: Transport) -> bool:
        """Keep a connection if there is room, and return whether there was."""
        if len(self.since) >= self.most:
            return False
        self.since.append((self.clock(), connection))
        return True

    def take_old(self) -> Transport | None:
        """Take a connection that has been idle for too long; ``None`` if there is none."""
        try:
            if self.since[0][0] + self.expiry >= self.clock():
                return None
            # Another thread may have taken the expired one since; then this one is younger, and is closed a bit early.
            return self.since.popleft()[1]
        except IndexError:
            return None


class SyncPool:
    """The connection pool of a sync client, shared by all threads that use it."""

    def __init__(self, make: Callable[[], httpx.BaseTransport], limits: httpx.Limits, clock: Clock) -> None:
        """Make an empty pool.

        Args:
            make: Returns a new transport, which holds one connection.
            limits: How many connections there may be, how many are kept idle, and for how long.
            clock: Returns seconds of a monotonic clock.
        """
        self._make = make
        self._permits = Permits(number(limits.max_connections))
        self._closed = False
        self.idle: Idle[httpx.BaseTransport] = Idle(limits, clock)

    def exchange(self, request: OutgoingRequest) -> httpx.Response:
        """Send a request over a connection of the pool, and read the response to its end.

        Raises:
            httpx.PoolTimeout: All connections were in use for longer than the pool timeout.
            httpx.RequestError: There is no response.
            ClosedError: The client is closed.
        """
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

    def _exchange(self, connection: httpx.BaseTransport, request: OutgoingRequest) -> httpx.Response:
        try:
            response = exchange(connection, request)
        except Exception:  # not BaseException: after an interrupt, close() may wait for ever for a lock held then
            connection.close()
            raise
        if not self.idle.put(connection):
            connection.close()
        elif self._closed:
            self.close()  # another thread closed the pool before this connection was back in it
        return response

    def close(self) -> None:
        """Close the idle connections now, and each of the others when its call is over."""
        self._closed = True
        while (connection := self.idle.take()) is not None:
            connection.close()
