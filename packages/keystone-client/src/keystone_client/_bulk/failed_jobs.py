"""What is known of the records of a bulk operation whose jobs were answered with a 500.

Bookkeeping only: which of them wait for a further try, in how large a job, and which may have been written unseen.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from keystone_client_core import KeystoneError

from .report import Item


class FailedJob(NamedTuple):
    """The last of the jobs with a record that were answered with a 500."""

    jobs: int
    """How many such jobs the record was in."""
    number: int
    """How many records this one had."""
    size: int
    """How many records the next one may have."""
    error: KeystoneError


class FailedJobs:
    """The records of such jobs, by their place."""

    def __init__(self, dry_run: bool) -> None:
        """Begin without any; ``dry_run`` says whether every job is undone."""
        self._dry_run = dry_run
        self._failures: dict[int, FailedJob] = {}
        self.unsure: set[int] = set()
        """The places of records of which nobody knows whether such a job has written them."""
        self.collided: set[int] = set()
        """In a dry run, the places of records that passed in a smaller job than the one that failed."""

    def of(self, chunk: Sequence[Item]) -> FailedJob | None:
        """Return the last failure of the records of a chunk, which have the same past."""
        return self._failures.get(chunk[0].place) if chunk else None

    def note(self, chunk: Iterable[Item], failure: FailedJob) -> None:
        """Remember that the job of a chunk has failed."""
        self._failures.update((item.place, failure) for item in chunk)

    def alike(self, waiting: Sequence[Item]) -> list[Item]:
        """Return the first records that wait and have the same past: they may share a job."""
        past = self.of(waiting)
        return list(takewhile(lambda item: self._failures.get(item.place) == past, waiting))

    def passed(self, chunk: Sequence[Item], waiting: Sequence[Item]) -> None:
        """Take in that a job was carried out.

        Args:
            chunk: Its records.
            waiting: The records that come after them.

        Raises:
            KeystoneError: In a dry run, the answer to a larger job, of which each part has passed now: each part was
                undone, so they fail together.
        """
        failure = self.of(chunk)
        if chunk[0].action.method == "POST":
            self.unsure.clear()  # a unique field would have refused these, had an earlier job written all of them
        else:
            self.unsure -= {item.place for item in chunk}
        if not self._dry_run or failure is None or failure.number == len(chunk):
            return
        self.collided |= {item.place for item in chunk}
        if self.of(waiting) != failure:
            raise failure.error
