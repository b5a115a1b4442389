"""Plans of the client for tasks: what differs from what is wanted, and a method that applies it."""

from typing import TYPE_CHECKING

from keystone_client_core import Comparison

from ._bulk.plan_runner import PlanResult, apply, check_unapplied
from ._listing.query import BulkOptions, Progress

if TYPE_CHECKING:
    from ._drivers.client_base import ClientBase


class AsyncPlan(Comparison):
    """What differs between what is wanted and what is stored; ``print`` it before you apply it.

    Attributes:
        changes: All changes, in the order in which they are carried out; ``create``, ``update`` and ``gone`` have them
            by what they do.
        faults: All that is refused, with the label of the row; the other rows go on.
        notes: What a reader should know besides.
        as_wanted: The number of rows whose records are stored as wanted.
    """

    def __init__(self, found: Comparison, client: "ClientBase") -> None:
        """Take a comparison, and the client to apply it with."""
        super().__init__(found.changes, found.faults, found.notes, found.as_wanted)
        self._client = client
        self._applied = False

    async def apply(
        self, *, dry_run: bool = False, on_progress: Progress | None = None, chunk_size: int = 100
    ) -> PlanResult:
        """Carry out all changes, in jobs that are written completely or not at all.

        Each update and each delete is refused if the record is not any more as the plan has seen it. That is no lock:
        run one sync at a time.

        Args:
            dry_run: Let the server try all of it and undo it; the plan can still be applied.
            on_progress: Called after each job with the number of changes so far and the total number.
            chunk_size: The most changes in a job.

        Returns:
            The changes; all of them are in ``done``.

        Raises:
            PlanError: A job failed. The error has each change in ``done``, ``failed``, ``unknown`` or ``pending``.
            FieldError: The plan was applied before.
        """
        check_unapplied(self._applied)
        options = BulkOptions(chunk_size, dry_run, on_progress)
        flow = apply(self._client._call(), self.changes, options)
        self._applied = not dry_run
        result: PlanResult = await self._client._run(flow)
        return result
