"""Choose how many records go into one job, so that its answer comes well before the read timeout.

If the answer comes too late, it stays unknown whether the records of the job were written. How long a record takes
depends on its kind and on the server: most take 5 to 20 ms, but one with a password takes 0.3 to 1 s, because passwords
are hashed slowly on purpose.
"""

from collections.abc import Sequence
from typing import Final

from keystone_client_core import Action, FieldError, brief, integer

from .report import Item

CAREFUL: Final = 5
"""The number of records in the first job if any of the records holds a password."""

GROWTH: Final = 4
"""How many times as large as the last job the next one may be, unless a larger one was already allowed."""

SHARE: Final = 1 / 3
"""Fraction of the read timeout that one job may take."""

LONGEST_JOB: Final = 20.0
"""Seconds that one job may take, however long the timeout: front-end web servers give up after 60 s."""


def first_chunk_size(actions: Sequence[Action], most: int) -> int:
    """Return the number of records in the first job, at most ``most``."""
    return min(most, CAREFUL) if any("password" in action.payload for action in actions) else most


def next_chunk_size(size: int, number: int, seconds: float, timeout: float | None) -> int:
    """Return the number of records in the next job.

    Args:
        size: The number allowed so far.
        number: The number of records in the last job.
        seconds: How long the last job took.
        timeout: The read timeout in seconds; ``None`` for none.

    Returns:
        As many records as fit in the time for one job, within ``size`` or ``GROWTH`` times ``number``; at least 1.
    """
    longest = LONGEST_JOB if timeout is None else min(LONGEST_JOB, timeout * SHARE)
    allowed = max(size, number * GROWTH)
    return max(1, min(allowed, int(number * longest / max(seconds, 1e-6))))


def next_chunk(waiting: Sequence[Item], most: int, limit: int) -> list[Item]:
    """Return the records of the next chunk, taken from the front of those that wait.

    Args:
        waiting: The records still to be sent.
        most: The largest number of records in a chunk.
        limit: The largest size of a chunk in bytes. A record larger than that is returned alone, so that a caller that
            loops always makes progress.

    Returns:
        At least one record, if any is waiting.
    """
    chunk: list[Item] = []
    total = 0
    for each in waiting[:most]:
        total += each.size + 1  # and the comma behind it
        if chunk and total > limit:
            break
        chunk.append(each)
    return chunk


def checked_chunk_size(size: object) -> int:
    """Return the number of records in a chunk.

    Raises:
        FieldError: It is not a positive integer.
    """
    number = integer(size)
    if number is None or number < 1:
        raise FieldError(f"chunk_size={brief(size)}: give a positive integer", field="chunk_size")
    return number
