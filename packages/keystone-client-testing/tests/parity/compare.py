"""Compares two answers: everything must be equal but what differs between any two servers. Sends nothing."""

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import httpx

HEADERS = ("content-type", "allow", "www-authenticate", "location", "x-frame-options", "retry-after", "vary",
           "content-disposition")  # fmt: skip
"""The headers that are compared beside status and body."""

NEAR = 120.0
"""How many seconds the two servers' clocks may differ when both record the same event."""

UNREAD = re.compile(r"/openapi/(json|yaml)/ 200|/openapi/yaml/|/health/\w+/ (200|500)")
"""The paths and statuses that are compared without their body: documents of one server, and health checks."""

UNORDERED = frozenset({"users", "assignees", "access_teams", "publications", "grants", "groups", "user_permissions",
                       "_membership", "_assignees", "_access_teams", "_allocations", "_attachments"})  # fmt: skip
"""The nested lists without a defined order."""

READ_BY = {"_publications": "title", "_grants": "title", "_comments": "created"}
"""Nested lists that a read orders by this value, with ties in any order; after a write they have no order."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")
_SUFFIX = re.compile(r"_[A-Za-z0-9]{7}(?=\.|$)")


class Excuse(NamedTuple):
    """A difference that is expected: its name, the reason, and how to recognise it."""

    name: str
    reason: str
    holds: Callable[[str, Any, Any], bool]


def _same_moment(key: str, live: Any, fake: Any) -> bool:
    return abs((_moment(live) - _moment(fake)).total_seconds()) < NEAR if _are(_MOMENT.fullmatch, live, fake) else False


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.removesuffix("Z").replace(" ", "T"))


def _same_file(key: str, live: Any, fake: Any) -> bool:
    stored = _are(lambda text: text.startswith("allocations/"), live, fake)
    return stored and _SUFFIX.sub("", live) == _SUFFIX.sub("", fake)


def _are(test: Callable[[str], Any], *values: Any) -> bool:
    return all(isinstance(value, str) and test(value) for value in values)


EXCUSES = (
    Excuse("moments", "two servers handle the same request at two moments, seconds apart", _same_moment),
    Excuse("storage suffixes", "a taken file name gets a random suffix on either server", _same_file),
    Excuse(
        "password hashes",
        "the live history shows half of a salted hash; the fake keeps none to show",
        lambda key, live, fake: key == "password" and _are(lambda text: "*" in text, live, fake),
    ),
    Excuse(
        "durations of checks",
        "how long a health check took is measured",
        lambda key, live, fake: key == "time_taken" and isinstance(live, float) and isinstance(fake, float),
    ),
    Excuse(
        "descriptions in OPTIONS",
        "prose about an endpoint, for people; the fake leaves it empty",
        lambda key, live, fake: key == "description-of-endpoint",
    ),
)


def difference(live: Any, fake: Any, key: str = "", at: str = "") -> str:
    """Return where two JSON values first differ, and how; empty if they are equal."""
    if isinstance(live, dict) and isinstance(fake, dict):
        if live.keys() != fake.keys():
            return f"{at or 'body'}: keys {sorted(live.keys() ^ fake.keys())} on one side only"
        return _first(difference(live[name], fake[name], name, f"{at}.{name}") for name in live)
    if isinstance(live, list) and isinstance(fake, list) and len(live) == len(fake):
        return _first(difference(a, b, key, f"{at}[{i}]") for i, (a, b) in enumerate(zip(live, fake, strict=True)))
    if type(live) is type(fake) and live == fake:
        return ""
    if any(excuse.holds(key, live, fake) for excuse in EXCUSES):
        return ""
    return f"{at or 'body'}: live {_short(live)}, fake {_short(fake)}"


def _first(found: Any) -> str:
    return next((text for text in found if text), "")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."


def settled(value: Any, read: bool) -> Any:
    """Return a body with its nested lists sorted where the database guarantees no order.

    Args:
        value: the body, or a part of it.
        read: whether it answers a read.
    """
    if isinstance(value, list):
        return [settled(item, read) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _in_order(name, settled(item, read), read) for name, item in value.items()}


def _in_order(name: str, value: Any, read: bool) -> Any:
    if name not in UNORDERED | READ_BY.keys() or not isinstance(value, list):
        return value
    if not all(isinstance(item, int | dict) for item in value):
        return value  # messages about a field of this name
    if read and (column := READ_BY.get(name)):
        alike = groupby(value, key=lambda row: row[column])
        return [row for _, rows in alike for row in sorted(rows, key=_key)]
    return sorted(value, key=_key)


def _key(item: Any) -> tuple[int, str]:
    """Return the sort key: an id, or the name of an attachment inside a request, which has no id there."""
    if not isinstance(item, dict):
        return int(item), ""
    return item.get("id", 0), _SUFFIX.sub("", f"{item.get('name', '')}:{item.get('file', '')}")


def compare(live: httpx.Response, fake: httpx.Response, ordered: bool = True) -> str:
    """Return the first difference of two answers; empty if they are equal.

    Args:
        live: the live server's.
        fake: the fake's.
        ordered: whether the rows of a page come in a defined order.
    """
    if live.status_code != fake.status_code:
        return f"status: live {live.status_code} {_short(live.text)}, fake {fake.status_code} {_short(fake.text)}"
    for name in HEADERS:
        if live.headers.get(name) != fake.headers.get(name):
            return f"header {name}: live {live.headers.get(name)!r}, fake {fake.headers.get(name)!r}"
    return difference(_body(live, ordered), _body(fake, ordered))


def _body(response: httpx.Response, ordered: bool) -> Any:
    if UNREAD.match(f"{response.request.url.path} {response.status_code}"):
        return None
    if "json" not in response.headers.get("content-type", "") or not response.content:
        return response.text
    data = response.json()
    if not ordered and isinstance(data, dict) and "results" in data:
        data["results"].sort(key=lambda row: json.dumps(row.get("id", "")))
    if response.request.method == "OPTIONS" and "description" in data:
        data["description-of-endpoint"] = data.pop("description")
    return settled(data, response.request.method in ("GET", "HEAD"))


def rows_by(rows: Sequence[dict[str, Any]], name: str) -> dict[Any, list[dict[str, Any]]]:
    """Group rows by a value they have."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return groups
