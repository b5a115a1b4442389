"""Report on a bulk operation that stopped: what became of each record, and which one is to blame.

Pure: it turns what is known into a ``BulkError``. What happens next is decided in ``runner``.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from keystone_client_core import Action, KeystoneError

from .._errors import BulkError, DecodeError, JobError, RequestTimeoutError, StatusError

TOO_LARGE: Final = 413
BROKEN: Final = 500
"""Statuses of a whole job for which one record may be to blame although the answer names none."""

GATEWAY_TIMEOUT: Final = 504

LOOK: Final = (
    "the server may still be at work on the unknown ones: wait until it cannot be any more, 60 s behind most web "
    "servers, then look for {which}, and send only what is not there"
)
COLLIDED: Final = (
    "the failed ones pass in smaller chunks and fail together: look for what two of them must not share, such as an "
    "empty doi"
)

Group: TypeAlias = Literal["completed", "failed", "unknown", "pending"]


class Item(NamedTuple):
    """One record of a bulk operation."""

    place: int
    given: Any
    action: Action
    size: int
    """The length of its action as JSON, in bytes."""


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
    repeated: bool,
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
        repeated: Whether the records of the last job had been in a failed job before.
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
    for item in items:
        group = fates.get(item.place, "pending")
        result = done[item.place] if group == "completed" else None  # None for a delete
        groups[group].append(item.given if result is None else result)
    position = None if collided else _position(stop, chunk, unsure, repeated)
    advice = COLLIDED if collided else _advice(groups, position, stop, len(chunk))
    error = BulkError(_message(name, groups, position, stop, advice), **groups, cid=cid)
    error.position = position
    return error


def _fate(stop: BaseException, lost: bool) -> Group:
    """Return the group of the last chunk, going only by how its own job ended."""
    if lost or isinstance(stop, DecodeError):
        return "unknown"
    if isinstance(stop, StatusError):
        return "unknown" if stop.status_code > BROKEN else "failed"
    return "pending"


def _position(stop: BaseException, chunk: Sequence[Item], unsure: Collection[int], repeated: bool) -> int | None:
    """Return the place of the record to blame, or ``None`` where that is not known.

    A record that an earlier job may have written is not to blame for a refusal: it may be in conflict with itself. One
    500 may be the server's own fault; a record that gets one in every job, even alone, is to blame.
    """
    if isinstance(stop, JobError) and stop.action is not None:
        place = chunk[stop.action - 1].place
        return None if place in unsure else place
    if len(chunk) != 1 or not isinstance(stop, StatusError) or stop.status_code not in (TOO_LARGE, BROKEN):
        return None
    return chunk[0].place if repeated or chunk[0].place not in unsure else None


def _message(
    name: str, groups: Mapping[Group, Sequence[Any]], position: int | None, stop: BaseException, advice: str
) -> str:
    counts = ", ".join(f"{len(records)} {group}" for group, records in groups.items())
    blame = "" if position is None else f"; record {position}, counted from 0, is to blame"
    reason = str(stop) if isinstance(stop, KeystoneError) else f"{type(stop).__name__}: {stop}".removesuffix(": ")
    return f"{name} stopped: {counts}{blame}: {reason}" + (f" ({advice})" if advice else "")


def _advice(groups: Mapping[Group, Sequence[Any]], position: int | None, stop: BaseException, in_last_job: int) -> str:
    if groups["failed"] and position is not None:
        return "correct that record and go on with those that failed and are pending"
    if not groups["unknown"]:
        return ""
    together = len(groups["unknown"]) == in_last_job
    advice = LOOK.format(which="one (they are in all together or not at all)" if together else "each")
    return f"{advice}; a longer timeout or a smaller chunk_size leaves the server time" if _timed_out(stop) else advice


def _timed_out(stop: BaseException) -> bool:
    by_proxy = isinstance(stop, StatusError) and stop.status_code == GATEWAY_TIMEOUT
    return by_proxy or isinstance(stop, RequestTimeoutError)
