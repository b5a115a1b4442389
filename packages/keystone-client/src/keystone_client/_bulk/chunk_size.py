"""How many records go into one job, so that its answer comes long before the timeout for it ends.

A job whose answer comes too late leaves its records unknown. What a record takes depends on its kind and on the server:
a password is hashed on purpose slowly, 0.3 to 1 s each, while most other records take 5 to 20 ms.
"""

from collections.abc import Sequence
from typing import Final

from keystone_client_core import Action

CAREFUL: Final = 5
"""Records to the first job if they hold passwords."""

GROWTH: Final = 4
"""By how much the next job may be larger than the largest before."""

SHARE: Final = 1 / 3
"""Of the read timeout that a job may take."""

LONGEST_JOB: Final = 20.0
"""Seconds a job may take whatever the timeout is: front-end web servers give up after 60 s."""


def first_chunk_size(actions: Sequence[Action], most: int) -> int:
    """The number of records to the first job."""
    return min(most, CAREFUL) if any("password" in action.payload for action in actions) else most


def next_chunk_size(size: int, number: int, seconds: float, timeout: float | None) -> int:
    """The number of records to the next job.

    Args:
        size: The number allowed so far.
        number: How many the last job had.
        seconds: How long it took.
        timeout: The read timeout in seconds; ``None`` for no end.

    Returns:
        As many as fit in the time for a job, but not too many more than before; at least 1.
    """
    longest = LONGEST_JOB if timeout is None else min(LONGEST_JOB, timeout * SHARE)
    allowed = max(size, number * GROWTH)
    return max(1, min(allowed, int(number * longest / max(seconds, 1e-6))))
