"""The account of a bulk operation that stopped: where each record is, and which one is to blame.

Pure: it is told what is known, and decides nothing of what happens next.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from keystone_client_core import Action, KeystoneError

from ._errors import BulkError, DecodeError, JobError, RequestTimeoutError, StatusError

TOO_LARGE: Final = 413
BROKEN: Final = 500
"""Statuses of a whole job for which an action may be to blame although the answer names none."""

GATEWAY_TIMEOUT: Final = 504

Group: TypeAlias = Literal["completed", "failed", "unknown", "pending"]


class Item(NamedTuple):
    """One record of a bulk operation."""

    place: int
    given: Any
    action: Action
    size: int
    """The bytes of its action as JSON."""


def account(
    name: str,
    items: Sequence[Item],
    done: Mapping[int, Any],
    chunk: Sequence[Item],
    stop: BaseException,
    *,
    lost: bool,
    dry_run: bool,
    cid: str,
) -> BulkError:
    """Say where every record is.

    Args:
        name: The method that was called.
        items: All records.
        done: What the server answered for those that are in, by their place.
        chunk: The records of the last job.
        stop: What ended the operation.
        lost: Whether the last job was sent and no answer to it came.
        dry_run: Whether all was undone.
        cid: The correlation id of the client.

    Returns:
        The error, not raised.
    """
    fate = _fate(stop, lost)
    under_way = {item.place for item in chunk} - done.keys()
    groups: dict[Group, list[Any]] = {"completed": [], "failed": [], "unknown": [], "pending": []}
    for item in items:
        group = _group(item.place in done, fate if item.place in under_way else "pending", dry_run)
        result = done[item.place] if group == "completed" else None  # a delete brings nothing
        groups[group].append(item.given if result is None else result)
    position = _position(stop, chunk)
    error = BulkError(_message(name, groups, position, stop), **groups, cid=cid)
    error.position = position
    return error


def _group(done: bool, fate: Group, dry_run: bool) -> Group:
    if dry_run:
        return "failed" if fate == "failed" else "pending"  # sent or not, it was undone
    return "completed" if done else fate


def _fate(stop: BaseException, lost: bool) -> Group:
    """What became of the chunk whose job ended like this; ``lost`` if it was sent and no answer came."""
    if lost or isinstance(stop, DecodeError):
        return "unknown"
    if isinstance(stop, StatusError):
        return "unknown" if stop.status_code > BROKEN else "failed"
    return "pending"


def _position(stop: BaseException, chunk: Sequence[Item]) -> int | None:
    """The place of the record that is to blame, where that is known."""
    if isinstance(stop, JobError) and stop.action is not None:
        return chunk[stop.action - 1].place
    alone = len(chunk) == 1 and isinstance(stop, StatusError) and stop.status_code in (TOO_LARGE, BROKEN)
    return chunk[0].place if alone else None


def _message(name: str, groups: Mapping[Group, Sequence[Any]], position: int | None, stop: BaseException) -> str:
    counts = ", ".join(f"{len(records)} {group}" for group, records in groups.items())
    blame = "" if position is None else f"; record {position}, counted from 0, is to blame"
    reason = str(stop) if isinstance(stop, KeystoneError) else f"{type(stop).__name__}: {stop}".removesuffix(": ")
    advice = _advice(groups, position, stop)
    return f"{name} stopped: {counts}{blame}: {reason}" + (f" ({advice})" if advice else "")


def _advice(groups: Mapping[Group, Sequence[Any]], position: int | None, stop: BaseException) -> str:
    if groups["failed"] and position is not None:
        return "correct that record and go on with those that failed and are pending"
    if not groups["unknown"]:
        return ""
    advice = "the unknown ones are in all together or not at all: look for one before you send them again"
    return f"{advice}; a longer timeout or a smaller chunk_size leaves the server time" if _timed_out(stop) else advice


def _timed_out(stop: BaseException) -> bool:
    by_proxy = isinstance(stop, StatusError) and stop.status_code == GATEWAY_TIMEOUT
    return by_proxy or isinstance(stop, RequestTimeoutError)
