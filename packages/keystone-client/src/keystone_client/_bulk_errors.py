"""The errors of operations on many records: each says what became of every record."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._errors import _Portable

if TYPE_CHECKING:
    from keystone_client_core import Change


class BulkError(_Portable):
    """A bulk operation stopped before its end; ``__cause__`` says why. Every record is in one of four lists.

    All but those in ``completed`` are as you gave them: fields, keys, or for an update pairs of key and fields.

    Attributes:
        completed: Written: the records as the server keeps them; for a delete, the keys that are gone.
        failed: Not written: the records of the chunk that the server refused.
        unknown: Perhaps written: the answer to their job was lost, or was a 500 or the like. Wait until the server
            cannot be at work on them any more, then look for them before you send them again.
        pending: Not written: the records whose turn did not come; in a dry run, also those that passed.
        position: The place of the record that the server refused, counted from 0; ``None`` if it refused no single one.
        label: The caller's label of that record, if the records were given with labels.
        labels: The labels of the records in each list, by its name, if the records were given with labels.
        cid: The correlation id of the client; the server's logs carry it.
    """

    position: int | None = None
    label: Any = None
    labels: Mapping[str, list[Any]] = {}

    def __init__(
        self,
        message: str,
        *,
        completed: Sequence[Any] = (),
        failed: Sequence[Any] = (),
        unknown: Sequence[Any] = (),
        pending: Sequence[Any] = (),
        cid: str | None = None,
    ) -> None:
        super().__init__(message)
        self.completed, self.failed = list(completed), list(failed)
        self.unknown, self.pending = list(unknown), list(pending)
        self.cid = cid


class PlanError(_Portable):
    """A plan stopped while it was applied; ``__cause__`` says why. Every change is in one of four lists.

    Wait until the server cannot be at work on the unknown ones any more, 60 s behind most web servers, then plan again:
    the new plan has what is left.

    Attributes:
        done: Written.
        failed: Not written: the changes of the job that the server refused.
        unknown: Perhaps written: the answer to their job was lost, or was a 500 or the like.
        pending: Not written: the changes whose turn did not come; in a dry run, also those that passed.
        change: The change that the server refused; ``None`` if it refused no single one.
        cid: The correlation id of the client; the server's logs carry it.
    """

    change: "Change | None" = None

    def __init__(
        self,
        message: str,
        *,
        done: "Sequence[Change]" = (),
        failed: "Sequence[Change]" = (),
        unknown: "Sequence[Change]" = (),
        pending: "Sequence[Change]" = (),
        cid: str | None = None,
    ) -> None:
        super().__init__(message)
        self.done, self.failed = list(done), list(failed)
        self.unknown, self.pending = list(unknown), list(pending)
        self.cid = cid
