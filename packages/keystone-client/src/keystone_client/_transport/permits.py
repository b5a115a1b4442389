"""A semaphore for threads that Ctrl-C cannot break: permits, handed on in the order in which they were asked for.

``threading.Semaphore`` loses a permit for ever when a ``KeyboardInterrupt`` strikes between acquiring it and the code
that would release it. Here the object that holds a permit exists before the permit is taken, and knows whether it holds
one. So ``leave`` in a ``finally`` is right wherever the interrupt struck, and if not even that runs, the garbage
collector calls it.

The state changes only inside ``with`` on a ``threading.RLock``: written in C, it cannot be interrupted between
acquiring the lock and entering the block that releases it. Reentrant, because the garbage collector may call ``leave``
of another permit inside of such a block.
"""

import threading
from collections import deque
from contextlib import suppress


class Permits:
    """A semaphore: how many permits are free, and who waits for one."""

    def __init__(self, count: float) -> None:
        """Start with ``count`` free permits; infinity is allowed."""
        self.free = count
        self.lock = threading.RLock()
        self.waiting: deque[Permit] = deque()

    def permit(self) -> "Permit":
        """Return a permit that is not held yet."""
        return Permit(self)


class Permit:
    """One permit. Call ``enter`` inside a ``try`` whose ``finally`` calls ``leave``."""

    # Both on the class: an interrupt may end ``__init__`` early, and ``leave`` must work even then.
    held = False
    _turn: "threading.Lock | None" = None

    def __init__(self, permits: Permits) -> None:
        """Belong to a semaphore, without holding anything yet."""
        self._permits = permits

    def __del__(self) -> None:
        """Release the permit if an interrupt kept its holder from doing so."""
        self.leave()

    def enter(self, timeout: float | None) -> bool:
        """Wait for a permit and return whether it is held now.

        Args:
            timeout: How many seconds to wait at most; ``None`` for no end.
        """
        if not self._taken():
            assert self._turn is not None
            self._turn.acquire(timeout=-1 if timeout is None else min(timeout, threading.TIMEOUT_MAX))
            self._out_of_line()
        return self.held

    def _taken(self) -> bool:
        """Take a permit if one is free and nobody waits, else queue for one."""
        permits = self._permits
        with permits.lock:
            if permits.free > 0 and not permits.waiting:
                permits.free -= 1
                self.held = True  # no call stands between these two lines, so no interrupt can separate them
                return True
            self._turn = threading.Lock()
            self._turn.acquire()
            permits.waiting.append(self)
            return False

    def leave(self) -> None:
        """Hand the permit to the thread that has waited longest, or put it back; do nothing if it is not held."""
        if self._turn is not None:
            self._out_of_line()
            self._turn = None
        if self.held:
            self._hand_on()

    def _hand_on(self) -> None:
        with self._permits.lock:
            for waiting in self._permits.waiting:
                if not waiting.held:
                    assert waiting._turn is not None
                    self.held, waiting.held = False, True
                    waiting._turn.release()
                    return
            self.held = False
            self._permits.free += 1

    def _out_of_line(self) -> None:
        with self._permits.lock, suppress(ValueError):
            self._permits.waiting.remove(self)
