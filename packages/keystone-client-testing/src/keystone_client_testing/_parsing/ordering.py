"""The order of a listing: which names count, where null stands, and what an order by a to-many link does to the rows.

Source: DRF's ordering filter, as seen on the wire. How texts and null compare is in ``_world.database``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from keystone_client_core import RESOURCES

from .._wire import PageError
from .._world.database import Database
from .._world.models import AUDITED, COLUMNS, HISTORY_LINK
from .._world.store import Record, Store

_REVERSE: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "user": {"membership": ("membership", "user", "id")},
    "team": {"membership": ("membership", "team", "id"), "users": ("membership", "team", "user")},
    "request": {"allocation_set": ("allocation", "request", "id")},
}
"""Links that other records make: name to (their resource, the column that points here, the column to order by)."""
Key = Callable[[Any], Any]
_HISTORY = "history"
_CRASHING = frozenset({("request", "attachment_set")})
"""Names that the server accepts and then fails on with 500."""


def read_order(resource: str, text: str) -> list[tuple[str, bool]]:
    """Split an order into names, and whether each is descending; detail URLs read it too.

    Raises:
        PageError: 500 for a name the server trips over.
    """
    names = [(name.strip().removeprefix("-"), name.strip().startswith("-")) for name in text.split(",")]
    if any((resource, name) in _CRASHING for name, _ in names):
        raise PageError(500)
    return names


def order(store: Store, resource: str, text: str, records: list[Record]) -> list[Record]:
    """Sort by the valid names in ``text``, else by the resource's own order.

    A to-many link is joined: a record comes once for each record behind it, so pages repeat some and lose others.

    Args:
        store: where links are followed.
        resource: what is listed.
        text: names, each with or without a minus; unknown ones are ignored.
        records: what to sort.

    Returns:
        The rows in order.
    """
    entry = RESOURCES[resource]
    names = read_order(resource, text)
    joins = [name for name, _ in names if _is_to_many(resource, name)]
    for name in dict.fromkeys(joins):
        records = _joined(store, resource, name, records)
    default = [(name.removeprefix("-"), name.startswith("-")) for name in entry.default_order]
    valid = [(name, down) for name, down in names if name in entry.orderable or name in joins]
    for name, down in reversed(valid or default):
        column = _row_key(name) if name in joins else name
        key = _value_key(store.database, resource, column)
        records = _sorted(records, column, down != (name == _HISTORY), key, store.database.nulls_last)
    return records


def counts(resource: str, name: str) -> bool:
    """Tell whether the server orders by a name, with or without a minus; others it ignores."""
    name = name.strip().removeprefix("-")
    return name in RESOURCES[resource].orderable or _is_to_many(resource, name)


def _is_to_many(resource: str, name: str) -> bool:
    if name == _HISTORY:
        return resource in AUDITED
    columns = COLUMNS[resource]
    return name in _REVERSE.get(resource, ()) or (name in columns and columns[name].kind == "keys")


def _row_key(name: str) -> str:
    """Return the key under which a joined row has the value it is ordered by; no column has this name."""
    return f"*{name}"


def _joined(store: Store, resource: str, name: str, records: list[Record]) -> list[Record]:
    key = _row_key(name)
    return [{**row, key: value} for row in records for value in _values(store, resource, name, row) or [None]]


def _values(store: Store, resource: str, name: str, record: Record) -> list[Any]:
    if name == _HISTORY:  # newest first, by itself
        return [row["timestamp"] for row in store.linked("audit_log", HISTORY_LINK, (resource, record["id"]))]
    if name not in _REVERSE.get(resource, ()):
        return list(record[name])
    source, column, wanted = _REVERSE[resource][name]
    return [row[wanted] for row in store.linked(source, column, record["id"])]


def _sorted(records: list[Record], column: str, descending: bool, value_key: Key, nulls_last: bool) -> list[Record]:
    """Sort by a column; null is the largest value of all, or the smallest."""

    def key(record: Record) -> tuple[bool, Any]:
        value = record[column]
        return ((value is None) is nulls_last, None if value is None else value_key(value))

    return sorted(records, key=key, reverse=descending)


def _value_key(database: Database, resource: str, column: str) -> Key:
    kind = COLUMNS[resource][column].kind if column in COLUMNS[resource] else ""
    keys = {"json": database.json_key, "ip": database.address_key, **dict.fromkeys(_TEXTS, database.text_key)}
    return keys.get(kind, lambda value: value)


_TEXTS = ("text", "slug", "email", "choice", "file")
