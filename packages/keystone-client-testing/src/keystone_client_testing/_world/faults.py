"""Planned faults: which requests they hit, and how often.

What the client gets instead of an answer is in ``_server.fault_answers``.
"""

import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

from .matchers import Seen, Wanted

EXPIRED = "expired"
"""The error that is none of the transport: the caller's session ends."""
HTML = "html"
DATABASE = "database"
"""The error that is none of the transport either: the server has lost its database."""
TIMEOUT = "timeout"
ERRORS = frozenset({"connect", TIMEOUT, "reset", "cut", HTML, EXPIRED, DATABASE})


class Fault(NamedTuple):
    """One rule."""

    method: str | None = None
    path: str | None = None
    route: str | None = None
    user: str | None = None
    status: int | None = None
    error: str | None = None
    after: bool = False
    delay: float = 0
    retry_after: int | None = None
    json: Any = None
    visible_after: float | None = None
    """How many seconds later others see what was written; at once by default."""

    @property
    def wanted(self) -> Wanted:
        """Which requests it is meant for."""
        return Wanted(self.method, self.path, self.route, self.user)

    @property
    def name(self) -> str:
        """What the journal calls it."""
        return self.error or (f"status {self.status}" if self.status else "delay")

    @property
    def replaces(self) -> bool:
        """Whether the client gets something else than the answer of the server."""
        return bool(self.status or (self.error and self.error not in (EXPIRED, DATABASE)))


@dataclass
class _Plan:
    """A rule with what is left of its counts."""

    fault: Fault
    skip: int
    left: int | None
    hits: int = 0

    @property
    def unused(self) -> bool:
        return self.hits == 0 if self.left is None else self.left > 0

    def take(self, seen: Seen) -> bool:
        """Tell whether it hits this request, and count."""
        if self.left == 0 or not self.fault.wanted.fits(seen):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The rules of a world."""

    def __init__(self) -> None:
        """Start without faults."""
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, times: int | None, skip: int) -> None:
        """Plan a fault for the next ``times`` requests that match, behind ``skip`` of them that are spared."""
        if skip < 0 or (times is not None and times < 1):
            raise ValueError(f"times={times!r} and skip={skip!r}: a fault hits at least once (None: every time)")
        self._plans.append(_Plan(fault, skip, times))

    def clear(self) -> None:
        """Forget every rule: none hits any more, none is unused."""
        self._plans = []

    @property
    def planned(self) -> bool:
        """Whether there are any."""
        return bool(self._plans)

    @property
    def unused(self) -> list[Fault]:
        """The faults that have hits left, or never hit."""
        return [plan.fault for plan in self._plans if plan.unused]

    def take(self, seen: Seen) -> Fault | None:
        """Return the first planned fault that matches, and use it up by one."""
        with self._lock:
            return next((plan.fault for plan in self._plans if plan.take(seen)), None)
