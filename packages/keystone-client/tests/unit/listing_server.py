"""A listing server that behaves as Keystone, with inserts and deletes between requests and between its two queries."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, NamedTuple

import httpx

from .scripted import Reply, Scripted, connect

Record = dict[str, Any]
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda value, bound: value == bound,
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
    "in": lambda value, bounds: f",{value}," in f",{bounds},",
}


class Change(NamedTuple):
    """A change by another user: delete the record at an index, or insert one with a name."""

    delete: int | None = None
    insert: str | None = None


class ListServer:
    """Answers a listing; applies the next change before each request and between the count and the page query."""

    def __init__(
        self, records: Iterable[Record], between: Iterable[list[Change]] = (), within: Iterable[list[Change]] = ()
    ) -> None:
        self.records = list(records)
        self.requests: list[httpx.Request] = []
        self.gone: set[Any] = set()
        self._between = iter(between)
        self._within = iter(within)
        self._last_id = max((record["id"] for record in self.records if isinstance(record["id"], int)), default=0)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        params = dict(request.url.params)
        limit, offset = int(params.pop("_limit", 100)), int(params.pop("_offset", 0))
        order = params.pop("_order", "")
        for change in next(self._between, []):
            self._happen(change)
        count = len(self._matching(params))
        for change in next(self._within, []):
            self._happen(change)
        found = ordered(self._matching(params), order)[offset : offset + limit]
        following = "http://elsewhere.test/?page=2" if offset + limit < count else None
        body = {"count": count, "next": following, "previous": None, "results": found}
        return httpx.Response(200, json=body, request=request)

    def _happen(self, change: Change) -> None:
        if change.delete is not None and self.records:
            self.gone.add(self.records.pop(change.delete % len(self.records))["id"])
        if change.insert is not None:
            self._last_id += 1
            self.records.append({"id": self._last_id, "name": change.insert})

    def _matching(self, params: dict[str, str]) -> list[Record]:
        return [record for record in self.records if all(fits(record, name, text) for name, text in params.items())]


def fits(record: Record, name: str, text: str) -> bool:
    """Return whether a record matches a filter of the query."""
    field, _, lookup = name.partition("__")
    value = record[field]
    return COMPARISONS[lookup](value, int(text) if isinstance(value, int) and lookup != "in" else text)


def ordered(records: Iterable[Record], order: str) -> list[Record]:
    """Return the records sorted by a field; a leading ``-`` means descending."""
    found = list(records)
    for name in reversed(order.split(",") if order else []):
        found.sort(key=itemgetter(name.removeprefix("-")), reverse=name.startswith("-"))
    return found


ORDERS = [None, "id", "-id", "name", "-name", "name,-id", "-name,-id", "enabled,-name", ["-enabled", "name"]]


def clusters(count: int) -> list[Record]:
    """Return records with many equal field values."""
    return [{"id": 3 * n + 1, "name": "abcab"[n % 5], "enabled": n % 3 == 0} for n in range(count)]


def named(names: list[str]) -> list[Record]:
    return [{"id": 2 * n + 1, "name": name} for n, name in enumerate(names)]


def listed(server: Reply, **options: Any) -> list[Record]:
    records: list[Record] = connect("sync", Scripted(server)).retrieve_cluster(**options)
    return records


def with_key(order: str | list[str] | None) -> str:
    text = ",".join([order] if isinstance(order, str) else order or [])
    return text if text.endswith("id") else f"{text},id".lstrip(",")


def sizes(wire: Scripted) -> list[int]:
    return [int(request.url.params["_limit"]) for request in wire.requests]
