"""How many threads may do something at once: permits, handed on in the order they were asked for.

``threading.Semaphore`` loses one for ever when Ctrl-C strikes between its instructions. Here a permit belongs to an
object that is asked first whether it holds one, so that it can be given back whatever happened, and by the collector in
the end. Only ``with`` on a lock of C cannot be interrupted between taking it and the block that gives it back.
"""

import threading
from collections import deque
from contextlib import suppress


class Permits:
    """So many permits; infinity is fine."""

    def __init__(self, count: float) -> None:
        """Take how many there are."""
        self.free = count
        self.lock = threading.Lock()
        self.waiting: deque[Permit] = deque()

    def permit(self) -> "Permit":
        """One that is not held yet."""
        return Permit(self)


class Permit:
    """To be entered inside of a ``try`` whose ``finally`` leaves it."""

    held = False
    _turn: "threading.Lock | None" = None  # both on the class: an interrupt may keep ``__init__`` from its end

    def __init__(self, permits: Permits) -> None:
        """Take where it comes from."""
        self._permits = permits

    def __del__(self) -> None:
        """Give it back, should an interrupt have kept its holder from that."""
        self.leave()

    def enter(self, timeout: float | None) -> bool:
        """Wait for a permit, so many seconds at most or without end; whether it is held now."""
        if not self._taken():
            assert self._turn is not None
            self._turn.acquire(timeout=-1 if timeout is None else min(timeout, threading.TIMEOUT_MAX))
            self._out_of_line()
        return self.held

    def _taken(self) -> bool:
        """Take a permit or get in line."""
        permits = self._permits
        with permits.lock:
            if permits.free > 0 and not permits.waiting:
                permits.free -= 1
                self.held = True  # nothing is called between these two, so nothing interrupts
                return True
            self._turn = threading.Lock()
            self._turn.acquire()
            permits.waiting.append(self)
            return False

    def leave(self) -> None:
        """Hand it to the one who waits longest, or put it back; nothing if it is not held."""
        if self._turn is not None:
            self._out_of_line()
        if self.held:
            self._hand_on()

    def _hand_on(self) -> None:
        with self._permits.lock:
            for heir in self._permits.waiting:
                if not heir.held:
                    assert heir._turn is not None
                    self.held, heir.held = False, True
                    heir._turn.release()
                    return
            self.held = False
            self._permits.free += 1

    def _out_of_line(self) -> None:
        with self._permits.lock, suppress(ValueError):
            self._permits.waiting.remove(self)
