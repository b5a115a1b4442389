"""The clock of one world: real time plus what a test advanced it by. It never sleeps."""

import datetime as dt
import time
from email.utils import formatdate
from functools import lru_cache

_TICK = dt.timedelta(microseconds=1)


class Clock:
    """Runs with real time; ``advance`` moves it forward at no cost."""

    def __init__(self) -> None:
        """Start at real time."""
        self._offset = 0.0
        self._last = dt.datetime.min.replace(tzinfo=dt.UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Args:
            seconds: how far; not negative.

        Raises:
            ValueError: the clock would run backwards.
        """
        if seconds < 0:
            raise ValueError(f"the clock cannot be moved back ({seconds} seconds)")
        self._offset += seconds

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self._offset

    def now(self) -> dt.datetime:
        """Return the moment as an aware datetime in UTC, later than any before: no two events share one."""
        now = dt.datetime.fromtimestamp(self.time(), dt.UTC)
        self._last = now if now > self._last else self._last + _TICK
        return self._last

    def http_date(self) -> str:
        """Return the time as a ``Date`` header has it, in whole seconds."""
        return _http_date(int(self.time()))


@lru_cache(1)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
