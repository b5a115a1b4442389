"""Report on a bulk operation that stopped: what became of each record, and which one is to blame.

Pure: it turns what is known into a ``BulkError``. What happens next is decided in ``runner``.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from keystone_client_core import Action, KeystoneError, brief, record_name

from .._errors import BulkError, DecodeError, JobError, RequestTimeoutError, StatusError

TOO_LARGE: Final = 413
BROKEN: Final = 500
NOT_OF_RECORD: Final = frozenset({401, 429})
"""Statuses of a step that say nothing about its record."""

GATEWAY_TIMEOUT: Final = 504

LOOK: Final = (
    "the server may still be at work on the unknown ones: wait until it cannot be any more, 60 s behind most web "
    "servers, then look for {which}, and send only what is not there"
)
NOT_BLAMED: Final = (
    "a 500 says nothing of the records: send the failed ones again when the server is well; if it is, and they fail "
    "again, its own log says why"
)
COLLIDED: Final = (
    "the failed ones, {which}, pass in smaller chunks and fail together: look for what two of them must not share"
)
_NAMED: Final = 20

Group: TypeAlias = Literal["completed", "failed", "unknown", "pending"]


class Item(NamedTuple):
    """One record of a bulk operation."""

    place: int
    given: Any
    action: Action
    size: int
    """The length of its action as JSON, in bytes."""
    label: Any = None
    """The caller's label, or ``None`` if the records have no labels."""

    @property
    def name(self) -> str:
        """The words for the record in a message."""
        return record_name(self.place if self.label is None else self.label, self.label is not None)


def report(
    name: str,
    items: Sequence[Item],
    done: Mapping[int, Any],
    chunk: Sequence[Item],
    stop: BaseException,
    *,
    lost: bool,
    unsure: Collection[int],
    collided: Collection[int],
    dry_run: bool,
    cid: str,
) -> BulkError:
    """Return the error that lists every record by what became of it.

    Args:
        name: The method that was called.
        items: All records.
        done: What the server answered for the records whose jobs were carried out, by their place.
        chunk: The records of the last job.
        stop: The error, interrupt or cancellation that ended the operation.
        lost: Whether the last job was sent and no answer arrived.
        unsure: The places of records that were in a job of unknown outcome.
        collided: The places of records that pass in smaller jobs and fail together.
        dry_run: Whether the server undid every job.
        cid: The correlation id of the client.

    Returns:
        The error, not raised.
    """
    fate = _fate(stop, lost)
    if dry_run and fate == "unknown":
        fate = "pending"  # a dry run writes nothing, whether its answer arrived or not
    fates: dict[int, Group] = {item.place: fate for item in chunk if item.place not in done}
    if dry_run:
        fates.update(dict.fromkeys(collided, "failed"))
    else:
        fates.update(dict.fromkeys(unsure, "unknown"))
        fates.update(dict.fromkeys(done, "completed"))
    groups: dict[Group, list[Any]] = {"completed": [], "failed": [], "unknown": [], "pending": []}
    labels: dict[str, list[Any]] = {}
    for item in items:
        group = fates.get(item.place, "pending")
        result = done[item.place] if group == "completed" else None  # None for a delete
        groups[group].append(item.given if result is None else result)
        if item.label is not None:
            labels.setdefault(group, []).append(item.label)
    blamed = None if collided else _blamed(stop, chunk, unsure)
    advice = _collided(items, collided) if collided else _advice(groups, blamed, stop, len(chunk))
    error = BulkError(_message(name, groups, blamed, stop, advice), **groups, cid=cid)
    error.labels = labels
    if blamed is not None:
        error.position, error.label = blamed.place, blamed.label
    return error


def _collided(items: Sequence[Item], collided: Collection[int]) -> str:
    """Return which records fail together; the labels of a long list are left to ``failed``."""
    names = [brief(item.place if item.label is None else item.label) for item in items if item.place in collided]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return COLLIDED.format(which=", ".join(names[:_NAMED]) + more)


def _fate(stop: BaseException, lost: bool) -> Group:
    """Return the group of the last chunk, judged only by how its own job ended."""
    if lost or isinstance(stop, DecodeError):
        return "unknown"
    if isinstance(stop, StatusError):
        return "unknown" if stop.status_code > BROKEN else "failed"
    return "pending"


def _blamed(stop: BaseException, chunk: Sequence[Item], unsure: Collection[int]) -> Item | None:
    """Return the record to blame, or ``None`` where that is not known.

    A record is to blame only for what the server says of it: for the refusal of its step, or for a size that it has
    alone. It is not to blame for a 500, not even alone and repeatedly, for the database may be locked. Nor where an
    earlier job may have written it: then it may be in conflict with itself.
    """
    if isinstance(stop, JobError) and stop.action is not None:
        item = chunk[stop.action - 1]
        status = stop.step_status or 0
        return None if item.place in unsure or status in NOT_OF_RECORD or status >= BROKEN else item
    if len(chunk) == 1 and isinstance(stop, StatusError) and stop.status_code == TOO_LARGE:
        return chunk[0]
    return None


def _message(
    name: str, groups: Mapping[Group, Sequence[Any]], blamed: Item | None, stop: BaseException, advice: str
) -> str:
    counts = ", ".join(f"{len(records)} {group}" for group, records in groups.items())
    comma = "," if blamed is not None and blamed.label is None else ""  # it ends "record 1, counted from 0"
    blame = "" if blamed is None else f"; {blamed.name}{comma} is to blame"
    reason = str(stop) if isinstance(stop, KeystoneError) else f"{type(stop).__name__}: {stop}".removesuffix(": ")
    return f"{name} stopped: {counts}{blame}: {reason}" + (f" ({advice})" if advice else "")


def _advice(groups: Mapping[Group, Sequence[Any]], blamed: Item | None, stop: BaseException, in_last_job: int) -> str:
    if groups["failed"] and blamed is not None:
        return "correct that record and go on with those that failed and are pending"
    if groups["failed"] and isinstance(stop, StatusError) and stop.status_code == BROKEN:
        return NOT_BLAMED
    if not groups["unknown"]:
        return ""
    together = len(groups["unknown"]) == in_last_job
    advice = LOOK.format(which="one (they are in all together or not at all)" if together else "each")
    return f"{advice}; a longer timeout or a smaller chunk_size leaves the server time" if _timed_out(stop) else advice


def _timed_out(stop: BaseException) -> bool:
    by_proxy = isinstance(stop, StatusError) and stop.status_code == GATEWAY_TIMEOUT
    return by_proxy or isinstance(stop, RequestTimeoutError)
