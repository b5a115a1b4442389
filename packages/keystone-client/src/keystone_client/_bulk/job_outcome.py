"""Decide what a job that was answered with a 500 has left behind, and whether it may be sent again.

The idea. A 500 does not say whether the job was written. Django's own error page comes where the database undid the job
(a deadlock, a delete of a protected record), but also where something failed after the commit. The error page of a
front-end web server says nothing of the job at all. So the outcome is unknown unless the audit log shows it, which only
staff can read. Its rows name the client, not the job: their keys tell those of a job from those of earlier writes. Two
rules follow:

- A job is sent again only if that cannot do harm: deletes, updates, creates that a unique field keeps from being
  written twice, and other creates after the audit log has shown that nothing was written.
- A record is reported as failed only where it is known that it was not written.

Rejected:

- To take a 500 for "nothing was written": records were written twice.
- To halve the chunk, as often as it takes, until the record to blame is found: with ``attempts=4`` a record of a chunk
  of 100 was sent eight times.

What must never be done here: to take an empty audit log for proof where it could not be read, does not record
this kind of write, or does not fit in one page; to take a row for one of an earlier write because of a key that was
undone (of a dry run), or that the server answered only after the job was sent.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from keystone_client_core import CALLER, LARGEST_PAGE, Action, KeystoneError

from .._errors import DeadlineExceededError
from .._flow import Flow
from .._protocol.call import Call
from .._protocol.requests import Draft
from .._protocol.responses import page_of
from .._protocol.retries import sent_at
from .._protocol.session_state import SessionState
from .report import Item

NOT_AUDITED: Final = frozenset({"preference", "notification"})
"""Resources whose writes leave no row in the audit log (seen on the server)."""

MARGIN: Final = 2.0
"""Seconds of tolerance for a ``Date`` header, which has no fractions and may be a second old."""

_DJANGO_PAGE: Final = b"<h1>Server Error (500)</h1>"


def may_be_sent_twice(action: Action) -> bool:
    """Check that carrying out an action a second time cannot do harm.

    Args:
        action: An action of a bulk operation.

    Returns:
        True for deletes and updates, and for creates that a unique field keeps from being written twice.
    """
    return action.method != "POST" or _has_unique_value(action)


def _has_unique_value(action: Action) -> bool:
    resource = action.resource
    alone = any(
        action.payload.get(name) not in (None, "") or (name not in action.payload and field.default is CALLER)
        for name, field in resource.fields.items()
        if field.unique
    )
    return alone or bool(resource.unique_together and all(name in action.payload for name in resource.unique_together))


def next_size(number: int, failures: int, attempts: int) -> int:
    """Return how many records go into the next job after one that was answered with a 500.

    The first repetition has all records again, because a deadlock passes by itself. After that the number falls so that
    the last try of each record is a job of its own, which shows where the server fails, and no record is sent more than
    ``attempts`` times.

    Args:
        number: Records in the job that failed.
        failures: How many jobs with these records have failed.
        attempts: Tries in all, from the retry policy; more than ``failures``.

    Returns:
        The number of records, at least 1.
    """
    left = attempts - failures
    if failures == 1 and left > 1:
        return number
    return math.ceil(round(math.pow(number, (left - 1) / left), 9))  # rounded: 100.0 ** 0.5 may lie just above 10


def wrote_nothing(call: Call, items: Sequence[Item], response: httpx.Response, newest: Mapping[str, int]) -> Flow[bool]:
    """Ask the audit log whether a job that was answered with a 500 has written nothing.

    Args:
        call: The call the job belongs to; its correlation id is in the log, for all writes of the client.
        items: The records of the job.
        response: The answer.
        newest: The highest keys of records, by model, that the server had answered before the job was sent: rows up to
            these are of other writes, however recent.

    Returns:
        True if nothing was written; False if something was, or if the log cannot tell.
    """
    action = items[0].action
    resources = {item.action.resource.name: item.action.resource for item in items}
    if _DJANGO_PAGE not in response.content or action.method == "PATCH" or not NOT_AUDITED.isdisjoint(resources):
        # Without Django's page the server may still be at work; an update that changes only links leaves no row.
        return False
    since = _begun(response)
    lost = call.lost
    try:
        rows = yield from _audit_rows(call, {resource.model for resource in resources.values()}, since)
    except DeadlineExceededError:
        raise
    except KeystoneError:
        return False
    finally:
        call.lost = lost  # a lost answer to this request says nothing about the job
    if rows is None:
        return False
    if action.method == "DELETE":
        deleted = {row.get("record_id") for row in rows if row.get("action") == "delete"}
        return deleted.isdisjoint(item.pk for item in items)
    created = [row for row in rows if row.get("action") == "create" and not _is_older(row, newest)]
    return len(created) < len(items)  # a job is written whole or not at all


def _is_older(row: Mapping[str, Any], newest: Mapping[str, int]) -> bool:
    key = row.get("record_id")
    return isinstance(key, int) and key <= newest.get(model_of(row), 0)


def note_created(session: SessionState, results: Iterable[tuple[Action, Any]]) -> None:
    """Remember the keys of the records that a job has created. Not for a dry run, whose records are undone."""
    for action, record in results:
        if action.method == "POST":
            session.note_created(action.resource.model, record)


def _begun(response: httpx.Response) -> datetime | None:
    """Return a time, by the server's clock, at or before the beginning of the job; ``None`` if the answer has none."""
    answered = sent_at(response)
    if answered is None:
        return None
    return datetime.fromtimestamp(answered, UTC) - response.elapsed - timedelta(seconds=MARGIN)


def _audit_rows(call: Call, models: Collection[str], since: datetime | None) -> Flow[list[dict[str, Any]] | None]:
    """Fetch the log's rows of this client's writes to some models since then; ``None`` if they do not fit in a page."""
    asked = {"cid": call.cid, "_order": "-id", "_limit": str(LARGEST_PAGE)}
    if since is not None:
        asked["timestamp__gte"] = since.isoformat()
    page = page_of((yield from call.send(Draft("GET", "logs/audit/", asked))), call.cid)
    if page.more:
        return None
    return [row for row in page.records if model_of(row) in models]


def model_of(row: Mapping[str, Any]) -> str:
    """Return the model of the record that a row of the audit log is about."""
    return str(row.get("record_name")).rpartition("| ")[2]
