"""The retry policy: how often and how long a call is tried; numbers only, checked when they are given."""

from typing import Final, NamedTuple, Self

from keystone_client_core import FieldError, brief

LONGEST_SECONDS: Final = 1e9
"""Seconds, 30 years: ten times as long is more than an operating system takes for the timeout of a socket."""


class _Numbers(NamedTuple):
    attempts: int
    backoff: float
    max_backoff: float
    max_retry_after: float
    deadline: float | None


class RetryPolicy(_Numbers):  # no dataclass: those take longer to import than all the rest of this module
    """How often and how long a call is tried.

    Args:
        attempts: Tries in all, at least 1.
        backoff: Seconds; the wait before try n + 1 is drawn from 0 to ``backoff * 2 ** (n - 1)``, and comes on top of
            what a ``Retry-After`` asks for: those who were told the same do not come back together.
        max_backoff: The longest such wait, in seconds.
        max_retry_after: The longest ``Retry-After`` that is waited for, in seconds; after a longer one the call fails.
        deadline: Seconds for the whole call, waits and pages included; ``None`` for no end.
    """

    __slots__ = ()

    def __new__(
        cls,
        attempts: int = 4,
        backoff: float = 0.5,
        max_backoff: float = 30,
        max_retry_after: float = 120,
        deadline: float | None = None,
    ) -> Self:
        """Refuse numbers that make no sense."""
        self = super().__new__(cls, attempts, backoff, max_backoff, max_retry_after, deadline)
        self._check()
        return self

    def _check(self) -> None:
        if type(self.attempts) is not int or self.attempts < 1:
            raise _unfit("attempts", self.attempts, "give a whole number from 1; switch retries off with retry=None")
        for name in ("backoff", "max_backoff", "max_retry_after"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value <= LONGEST_SECONDS:
                raise _unfit(name, value, f"give seconds from 0 to {LONGEST_SECONDS:.0e}")
        if self.deadline is not None and (
            type(self.deadline) not in (int, float) or not 0 < self.deadline <= LONGEST_SECONDS
        ):
            raise _unfit("deadline", self.deadline, f"give seconds above 0, to {LONGEST_SECONDS:.0e}; None for no end")


def _unfit(name: str, value: object, advice: str) -> FieldError:
    return FieldError(f"RetryPolicy({name}={brief(value)}): {advice}", field=name)


NO_RETRIES = RetryPolicy(attempts=1)
