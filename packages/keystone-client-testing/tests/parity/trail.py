"""Compares the audit trail and the request log that both servers wrote of the traffic, request by request."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .compare import difference, rows_by
from .pair import CID, Ask, Pair
from .tally import Tally

_PAGE = 1000


class Trail(NamedTuple):
    """One log, and which of its columns are compared."""

    kind: str
    path: str
    columns: Sequence[str]
    sort: Sequence[str]


TRAILS = (
    Trail(
        "history",
        "/logs/audit/",
        ("record_name", "record_id", "action", "actor", "changes", "remote_addr"),
        ("record_name", "record_id", "action"),
    ),
    Trail(
        "log rows", "/logs/requests/", ("method", "endpoint", "response_code", "user", "remote_address"), ("method",)
    ),
)


def compare_trails(pair: Pair, tally: Tally) -> None:
    """Count the requests that left the same rows behind.

    A request is known by its correlation id. The rows of one request are compared by record, not by their place.
    """
    for trail in TRAILS:
        live, fake = (rows_by(rows, "cid") for rows in _rows(pair, trail))
        for cid in sorted(cid for cid in live.keys() | fake.keys() if cid and cid.startswith(CID)):
            there, here = _picked(trail, live.get(cid, [])), _picked(trail, fake.get(cid, []))
            found = difference(there, here)
            tally.count(trail.kind, "all", not found, max(len(there), 1))
            if found:
                tally.differ(Ask(trail.kind, "admin", "GET", trail.path, [("cid", cid)]), found)


def _rows(pair: Pair, trail: Trail) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the whole log of both servers, as far as the traffic wrote it."""
    live: list[dict[str, Any]] = []
    fake: list[dict[str, Any]] = []
    while True:
        query = [("_order", "id"), ("_limit", str(_PAGE)), ("_offset", str(len(live)))]
        pages = [answer.json()["results"] for answer in pair.send(Ask(trail.kind, "admin", "GET", trail.path, query))]
        live += pages[0]
        fake += pages[1]
        if len(pages[0]) < _PAGE and len(pages[1]) < _PAGE:
            return live, fake


def _picked(trail: Trail, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    picked = [{name: row[name] for name in trail.columns} for row in rows]
    return sorted(picked, key=lambda row: tuple(row[name] for name in trail.sort))
