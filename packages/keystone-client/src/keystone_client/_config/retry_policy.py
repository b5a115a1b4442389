"""The retry policy: how many times and for how long a call is tried. Numbers only, checked by the constructor."""

from typing import Any, Final, NamedTuple, Self

from keystone_client_core import FieldError, brief, integer, real

LONGEST_SECONDS: Final = 1e9
"""The most seconds accepted anywhere, some 30 years. Operating systems reject socket timeouts ten times as long."""


class _Numbers(NamedTuple):
    attempts: int
    backoff: float
    max_backoff: float
    max_retry_after: float
    deadline: float | None


class RetryPolicy(_Numbers):  # no dataclass: importing dataclasses takes longer than all the rest of this module
    """How many times and for how long a call is tried: ``RetryPolicy(attempts=2, deadline=60)``.

    Each attribute is an argument of the constructor.

    Attributes:
        attempts: The number of tries in all, at least 1; 4 by default.
        backoff: Seconds, 0.5 by default. The wait before try n + 1 is random, from 0 to ``backoff * 2 ** (n - 1)``. It
            is added to what a ``Retry-After`` asks for, so that clients that were told the same do not come back
            together.
        max_backoff: The longest backoff, in seconds; 30 by default.
        max_retry_after: The longest ``Retry-After`` that is waited for, in seconds; 120 by default. After a longer one
            the call fails.
        deadline: Seconds for the whole call, waits and pages included; ``None``, the default, for no end.
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
        """Check the numbers.

        Raises:
            FieldError: A number has the wrong type, or is out of range.
        """
        count = integer(attempts)
        if count is None or count < 1:
            raise _unfit("attempts", attempts, "give a whole number from 1; switch retries off with retry=None")
        end = None if deadline is None else real(deadline)
        if deadline is not None and (end is None or not 0 < end <= LONGEST_SECONDS):
            raise _unfit("deadline", deadline, f"give seconds above 0, to {LONGEST_SECONDS:.0e}; None for no end")
        return super().__new__(
            cls,
            count,
            _seconds("backoff", backoff),
            _seconds("max_backoff", max_backoff),
            _seconds("max_retry_after", max_retry_after),
            end,
        )

    # pyright takes it for final: without this one, copies would not be checked.
    def _replace(self, **changes: Any) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return a copy with other numbers, which are checked as those of the constructor are."""
        return type(self)(**{**self._asdict(), **changes})


def _seconds(name: str, value: object) -> float:
    seconds = real(value)
    if seconds is None or not 0 <= seconds <= LONGEST_SECONDS:
        raise _unfit(name, value, f"give seconds from 0 to {LONGEST_SECONDS:.0e}")
    return seconds


def _unfit(name: str, value: object, advice: str) -> FieldError:
    return FieldError(f"RetryPolicy({name}={brief(value)}): {advice}", field=name)


NO_RETRIES = RetryPolicy(attempts=1)
