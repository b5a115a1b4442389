"""What a job that was answered with a 500 has left behind, and whether it may be sent again.

A 500 does not say whether the job was written. Django's own error page comes where the database undid the job (a
deadlock, a delete of a protected record), but also where something fails after the commit. The page of a front-end web
server says nothing of the job at all. So the outcome is unknown unless the audit log shows it, which only staff can
read. Two rules follow:

- A job is sent again only if that cannot do harm: deletes, updates, creates that a unique field keeps from being
  written twice, and other creates after the audit log has shown that nothing was written.
- A record is reported as failed only where it is known that it was not written.

Rejected: to take a 500 for "nothing was written" (records were written twice); to halve at will until the record to
blame is found (with ``attempts=4`` a record of a chunk of 100 was sent eight times).
"""

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from keystone_client_core import CALLER, Action, KeystoneError, Resource, primary_key

from .._errors import DeadlineExceededError
from .._flow import Flow
from .._protocol.call import Call
from .._protocol.responses import page_of
from .._protocol.retries import sent_at
from .report import Item

NOT_AUDITED: Final = frozenset({"preference", "notification"})
"""Resources whose writes leave no row in the audit log (seen on the server)."""

MARGIN: Final = 2.0
"""Seconds: a ``Date`` header has no fractions, and may be a second old."""

_DJANGO_PAGE: Final = b"<h1>Server Error (500)</h1>"
_LONGEST_PAGE: Final = 1000


def may_be_sent_twice(action: Action) -> bool:
    """Tell whether carrying out an action a second time cannot do harm.

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

    The first repetition has all records, because a deadlock passes by itself. After that the number falls so that the
    last try of a record is in a job of its own, which finds the one to blame, and none is sent more than ``attempts``
    times.

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


def wrote_nothing(call: Call, items: Sequence[Item], response: httpx.Response, known: Collection[Any]) -> Flow[bool]:
    """Ask the audit log whether a job that was answered with a 500 has written nothing.

    Args:
        call: The call the job belongs to; its correlation id is in the log.
        items: The records of the job.
        response: The answer.
        known: The ids of the records that earlier jobs have created.

    Returns:
        True where nothing was written; False where something was, or where the log cannot tell.
    """
    action = items[0].action
    if _DJANGO_PAGE not in response.content or action.method == "PATCH" or action.resource.name in NOT_AUDITED:
        return False  # the server may still be at work; an update that changes only links leaves no row; no log
    since = _begun(response)
    lost = call.lost
    try:
        rows = yield from _audit_rows(call, action.resource, since)
    except DeadlineExceededError:
        raise
    except KeystoneError:
        return False
    finally:
        call.lost = lost  # this was a look: the loss of its answer says nothing of the job
    if rows is None:
        return False
    if action.method == "DELETE":
        deleted = {row.get("record_id") for row in rows if row.get("action") == "delete"}
        return deleted.isdisjoint(primary_key(item.given) for item in items)
    created = [row for row in rows if row.get("action") == "create" and row.get("record_id") not in known]
    return len(created) < len(items)  # a job is written whole


def _begun(response: httpx.Response) -> datetime | None:
    """Return a time by the server's clock that is not later than the beginning of the job."""
    answered = sent_at(response)
    if answered is None:
        return None
    return datetime.fromtimestamp(answered, UTC) - response.elapsed - timedelta(seconds=MARGIN)


def _audit_rows(call: Call, resource: Resource, since: datetime | None) -> Flow[list[dict[str, Any]] | None]:
    """Fetch what this client has written to a resource since then; ``None`` where that does not fit in a page."""
    asked = {"cid": call.cid, "_order": "-id", "_limit": str(_LONGEST_PAGE)}
    if since is not None:
        asked["timestamp__gte"] = since.isoformat()
    page = page_of((yield from call.json("GET", "logs/audit/", params=asked)), call.cid)
    if page.more:
        return None
    return [row for row in page.records if str(row.get("record_name")).rpartition("| ")[2] == resource.model]
