"""The statistics endpoints: counts, sums and averages over the records a caller's list shows, filtered alike."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from keystone_client_core import RESOURCES

from .._parsing.filters import read_filters
from .._wire import Reply
from .._world.database import Database
from .._world.store import Record
from . import lists, permissions
from .call import Call

Test = Callable[[Record, dt.date], bool]
Summary = Callable[[Call, list[Record]], dict[str, Any]]


def _approved(test: Test) -> Test:
    return lambda row, today: row["status"] == "AP" and test(row, today)


_REQUEST_STAGES: Mapping[str, Test] = {
    "pending": lambda row, today: row["status"] == "PD",
    "approved": lambda row, today: row["status"] == "AP",
    "declined": lambda row, today: row["status"] == "DC",
    "upcoming": _approved(lambda row, today: bool(row["active"] and row["active"] > today)),
    "active": _approved(lambda row, today: bool(row["active"] and row["expire"]
                                                and row["active"] <= today <= row["expire"])),
    "expired": _approved(lambda row, today: bool(row["expire"] and row["expire"] < today)),
}  # fmt: skip
_SUM_ORDER = ("pending", "declined", "approved", "upcoming", "active", "expired")
_GRANT_STAGES: Mapping[str, Test] = {
    "upcoming": lambda row, today: row["start_date"] > today,
    "active": lambda row, today: bool(row["end_date"] and row["start_date"] <= today < row["end_date"]),
    "expired": lambda row, today: bool(row["end_date"] and row["end_date"] <= today),
}


def stats_of(resource: str) -> Callable[[Call], Reply]:
    """Return the endpoint that sums up a resource.

    Args:
        resource: ``request``, ``grant``, ``publication`` or ``notification``.

    Returns:
        The endpoint.
    """

    def answer(call: Call) -> Reply:
        store = call.world.store
        filters = read_filters(resource, call.query, store)
        lists.split_terms(call.query.get("_search", ""))  # nothing is searched, but it is read
        rows = lists.select(store, resource, filters.run())
        return Reply(200, _SUMMARIES[resource](call, permissions.listed(call, resource, rows)))

    return answer


def _requests(call: Call, rows: list[Record]) -> dict[str, Any]:
    today = call.world.clock.now().date()
    stages = {name: [row for row in rows if test(row, today)] for name, test in _REQUEST_STAGES.items()}
    allocations = {row["id"]: call.world.store.linked("allocation", "request", row["id"]) for row in rows}

    def total(column: str, of: Iterable[Record]) -> float:
        return float(sum(entry[column] or 0 for row in of for entry in allocations[row["id"]]))

    return {
        "request_count": len(rows),
        **{f"request_{name}_count": len(found) for name, found in stages.items()},
        **{f"su_{name}_total": total("awarded", stages[name]) for name in _SUM_ORDER},
        "su_requested_total": total("requested", rows),
        "su_awarded_total": total("awarded", rows),
        "su_finalized_total": total("final", rows),
        "days_pending_average": _whole_days(_pending(rows, call.world.store.database)),
        "days_active_average": _whole_days(_average(rows, "active", "expire")),
    }


def _grants(call: Call, rows: list[Record]) -> dict[str, Any]:
    today = call.world.clock.now().date()
    stages = {name: [row for row in rows if test(row, today)] for name, test in _GRANT_STAGES.items()}
    return {
        "grant_count": len(rows),
        **{f"{name}_count": len(found) for name, found in stages.items()},
        "agency_count": len({row["agency"] for row in rows}),
        "funding_total": _funding(rows),
        **{f"funding_{name}": _funding(found) for name, found in stages.items()},
        "funding_average": _funding(rows, len(rows)),
    }


def _funding(rows: Sequence[Record], parts: int = 1) -> str:
    total = sum((row["amount"] for row in rows), Decimal("0.00"))
    return str(round(total / max(parts, 1), 2))


def _publications(call: Call, rows: list[Record]) -> dict[str, Any]:
    return {
        "publications_count": len(rows),
        "draft_count": sum(not row["submitted"] and not row["published"] for row in rows),
        "submitted_count": sum(bool(row["submitted"] and not row["published"]) for row in rows),
        "accepted_count": sum(bool(row["published"]) for row in rows),
        "journals_count": len({row["journal"] for row in rows} - {None}),
        "review_average": _duration(_average(rows, "submitted", "published")),
    }


def _notifications(call: Call, rows: list[Record]) -> dict[str, Any]:
    return {"total": len(rows), "unread": sum(not row["read"] for row in rows)}


_SUMMARIES: Mapping[str, Summary] = {
    "request": _requests,
    "grant": _grants,
    "publication": _publications,
    "notification": _notifications,
}


COUNTED: Mapping[str, str] = {
    f"/{resource.statistics_path}/": name for name, resource in RESOURCES.items() if resource.statistics
}
"""The resource that each endpoint of statistics sums up, by its path."""


def _average(rows: Iterable[Record], start: str, end: str) -> dt.timedelta | None:
    """Return the mean time between two dates of the rows that have both."""
    spans = [row[end] - row[start] for row in rows if row[start] and row[end]]
    return sum(spans, dt.timedelta()) / len(spans) if spans else None


def _pending(rows: Iterable[Record], database: Database) -> dt.timedelta | None:
    """Return the mean time from submission to start: a date minus a moment, which databases understand differently."""
    spans = [_span(row["active"], row["submitted"], database) for row in rows if row["active"]]
    return sum(spans, dt.timedelta()) / len(spans) if spans else None


def _span(day: dt.date, moment: dt.datetime, database: Database) -> dt.timedelta:
    if database.subtracts_moments:
        return dt.datetime.combine(day, dt.time(), dt.UTC) - moment
    return dt.timedelta(microseconds=day.year - moment.year)


def _whole_days(span: dt.timedelta | None) -> float | None:
    return None if span is None else float(span.days)


def _duration(span: dt.timedelta | None) -> str | None:
    """Write a duration as Django does: days only where there are some."""
    if span is None:
        return None
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{span.days} " if span.days else ""
    micros = f".{span.microseconds:06}" if span.microseconds else ""
    return f"{days}{hours:02}:{minutes:02}:{seconds:02}{micros}"
