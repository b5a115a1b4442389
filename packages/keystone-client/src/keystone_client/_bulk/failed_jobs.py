"""Remember the records of a bulk operation whose jobs were answered with a 500.

Bookkeeping only: which of them wait for another try, in how large a job, and which may have been written although the
answer did not say so. ``job_outcome`` decides what may be sent again.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from keystone_client_core import KeystoneError

from .report import Item


class FailedJob(NamedTuple):
    """The last job that held a record and was answered with a 500."""

    jobs: int
    """How many such jobs have held the record."""
    number: int
    """The number of records in this one."""
    size: int
    """The most records that the next one may have."""
    error: KeystoneError


class FailedJobs:
    """The records of all such jobs, by their place."""

    def __init__(self, dry_run: bool) -> None:
        """Start empty. ``dry_run``: the server undoes every job."""
        self._dry_run = dry_run
        self._failures: dict[int, FailedJob] = {}
        self.unknown: set[int] = set()
        """The places of records that such a job may have written."""
        self.collided: set[int] = set()
        """In a dry run, the places of records that passed in a smaller job than the one that failed."""

    def of(self, chunk: Sequence[Item]) -> FailedJob | None:
        """Return the last failed job of the records of a chunk, which have all failed together or not at all."""
        return self._failures.get(chunk[0].place) if chunk else None

    def note(self, chunk: Iterable[Item], failure: FailedJob) -> None:
        """Record that the job of a chunk has failed."""
        self._failures.update((item.place, failure) for item in chunk)

    def alike(self, waiting: Sequence[Item]) -> list[Item]:
        """Return the first waiting records that share their last failed job, or have none; they may share a job."""
        past = self.of(waiting)
        return list(takewhile(lambda item: self._failures.get(item.place) == past, waiting))

    def passed(self, chunk: Sequence[Item], waiting: Sequence[Item]) -> None:
        """Record that a job was carried out.

        Args:
            chunk: Its records.
            waiting: The records that come after them.

        Raises:
            KeystoneError: In a dry run, the error of a larger job, when each of its parts has passed alone. The parts
                were undone one by one, so a conflict between them shows only when they are together.
        """
        failure = self.of(chunk)
        if chunk[0].action.method == "POST":
            # The earlier job held these records too. Had it been written, a unique field would have refused them now.
            self.unknown.clear()
        else:
            self.unknown -= {item.place for item in chunk}
        if not self._dry_run or failure is None or failure.number == len(chunk):
            return
        self.collided |= {item.place for item in chunk}
        if self.of(waiting) != failure:
            raise failure.error
