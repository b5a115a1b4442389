"""Report on a bulk operation that stopped: what became of each record, and which one is to blame.

Pure: it turns what is known into an ``Outcome``, and that into a ``BulkError``. What comes next, ``runner`` decides.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from keystone_client_core import Action, KeystoneError, brief, record_name

from .._bulk_errors import BulkError
from .._errors import JobError, RequestTimeoutError, StatusError

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
    "the failed ones, {which}, pass in smaller chunks and fail together: try again, for a server that was unwell fails "
    "like this, too; if they still do, look for what two of them must not share"
)
_NAMED: Final = 20

Group: TypeAlias = Literal["completed", "failed", "unknown", "pending"]


class Outcome(NamedTuple):
    """What became of all records of an operation that stopped."""

    groups: Mapping[Group, Sequence[tuple["Item", Any]]]
    """Each record, with what the server answered for it if its job was carried out."""
    blamed: "Item | None"
    message: str


class Item(NamedTuple):
    """One record of a bulk operation."""

    place: int
    given: Any
    action: Action
    size: int
    """The length of its action as JSON, in bytes."""
    label: Any = None
    """The caller's label, or ``None`` if the records have no labels."""

    group: Any = None
    """Records of different groups are never in one job."""
    unit: Any = None
    """Records of one unit are in one job, if it can have so many."""

    @property
    def pk(self) -> int:
        """The primary key in the path of its action."""
        return int(self.action.path.split("/")[-2])

    @property
    def name(self) -> str:
        """The words for the record in a message."""
        return record_name(self.place if self.label is None else self.label, self.label is not None)


def outcome(
    name: str,
    items: Sequence[Item],
    done: Mapping[int, Any],
    chunk: Sequence[Item],
    stop: BaseException,
    *,
    lost: bool,
    unknown: Collection[int],
    collided: Collection[int],
    dry_run: bool,
    advice: str = "",
) -> Outcome:
    """Tell what became of each record.

    Args:
        name: The method that was called.
        items: All records.
        done: What the server answered for the records whose jobs were carried out, by their place.
        chunk: The records of the last job.
        stop: The error, interrupt or cancellation that ended the operation.
        lost: Whether the last job was sent and no answer arrived.
        unknown: The places of records that were in a job of unknown outcome.
        collided: The places of records that pass in smaller jobs and fail together.
        dry_run: Whether the server undid every job.
        advice: What to do now, if that does not depend on what became of the records.
    """
    group_of_chunk = _group_of_chunk(stop, lost)
    if dry_run and group_of_chunk == "unknown":
        group_of_chunk = "pending"  # a dry run writes nothing, whether its answer arrived or not
    groups_by_place: dict[int, Group] = {item.place: group_of_chunk for item in chunk if item.place not in done}
    if dry_run:
        groups_by_place.update(dict.fromkeys(collided, "failed"))
    else:
        groups_by_place.update(dict.fromkeys(unknown, "unknown"))
        groups_by_place.update(dict.fromkeys(done, "completed"))
    groups: dict[Group, list[tuple[Item, Any]]] = {"completed": [], "failed": [], "unknown": [], "pending": []}
    for item in items:
        group = groups_by_place.get(item.place, "pending")
        groups[group].append((item, done[item.place] if group == "completed" else None))
    blamed = None if collided else _blamed(stop, chunk, unknown)
    if not advice:
        advice = _collided(items, collided) if collided else _advice(groups, blamed, stop, len(chunk))
    return Outcome(groups, blamed, _message(name, groups, blamed, stop, advice))


def bulk_error(outcome: Outcome, cid: str) -> BulkError:
    """Return the error that lists every record by what became of it, not raised."""
    lists = {
        group: [item.given if result is None else result for item, result in found]  # None for a delete
        for group, found in outcome.groups.items()
    }
    error = BulkError(outcome.message, **lists, cid=cid)
    labels = {
        group: [item.label for item, _ in found if item.label is not None] for group, found in outcome.groups.items()
    }
    error.labels = {group: some for group, some in labels.items() if some}
    if outcome.blamed is not None:
        error.position, error.label = outcome.blamed.place, outcome.blamed.label
    return error


def _collided(items: Sequence[Item], collided: Collection[int]) -> str:
    """Return which records fail together; the labels of a long list are left to ``failed``."""
    names = [brief(item.place if item.label is None else item.label) for item in items if item.place in collided]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return COLLIDED.format(which=", ".join(names[:_NAMED]) + more)


def _group_of_chunk(stop: BaseException, lost: bool) -> Group:
    """Return the group of the last chunk, judged only by how its own job ended."""
    if lost:
        return "unknown"
    if isinstance(stop, StatusError):
        return "unknown" if stop.status_code > BROKEN else "failed"
    return "pending"


def _blamed(stop: BaseException, chunk: Sequence[Item], unknown: Collection[int]) -> Item | None:
    """Return the record to blame, or ``None`` where that is not known.

    A record is to blame only for what the server says of it: for the refusal of its step, or for a size that it has
    alone. It is not to blame for a 500, not even alone and repeatedly, for the database may be locked. Nor where an
    earlier job may have written it: then it may be in conflict with itself.
    """
    if isinstance(stop, JobError) and stop.action is not None:
        item = chunk[stop.action - 1]
        status = stop.step_status or 0
        return None if item.place in unknown or status in NOT_OF_RECORD or status >= BROKEN else item
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
