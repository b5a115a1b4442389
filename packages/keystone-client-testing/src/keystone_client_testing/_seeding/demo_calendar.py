"""The calendar of the made-up centre: what happens when, and by whom."""

import datetime as dt
import heapq
import random
from collections.abc import Callable

from .seeder import Seeder

Event = Callable[[Seeder], object]
"""Is given a seeder of its moment, and may plan more events."""
ADMIN_ID = 1


class Calendar:
    """A queue of events in the order of their moments."""

    def __init__(self, dice: random.Random, today: dt.date, days: int) -> None:
        """Open an empty calendar.

        Args:
            dice: for the time of day.
            today: the day behind the last one.
            days: how many days there are.
        """
        self._dice = dice
        self._end = dt.datetime.combine(today, dt.time(), dt.UTC)
        self.start = self._end - dt.timedelta(days=days)
        self._queue: list[tuple[dt.datetime, int, int, Event]] = []
        self._planned = 0
        self._now = self.start

    def plan(self, day: float, event: Event, by: int = ADMIN_ID) -> None:
        """Plan an event for a working hour of a day, or at once where that has passed.

        What lies behind the last day does not happen.

        Args:
            day: counted from the first.
            event: what happens.
            by: id of the user who does it.
        """
        seconds = self._dice.randrange(8 * 3600, 18 * 3600)
        moment = self.start + dt.timedelta(days=int(day), seconds=seconds, microseconds=self._dice.randrange(10**6))
        self._planned += 1
        if moment < self._end:
            heapq.heappush(self._queue, (max(moment, self._now), self._planned, by, event))

    def day_of(self, moment: dt.datetime) -> int:
        """Return the day of a moment, counted from the first."""
        return (moment - self.start).days

    def run(self, add: Seeder) -> None:
        """Let everything happen."""
        while self._queue:
            moment, _, actor, event = heapq.heappop(self._queue)
            self._now = moment
            event(add.as_of(moment, actor))
