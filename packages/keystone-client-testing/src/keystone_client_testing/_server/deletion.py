"""Deletes records: cascades to children, refuses protected links, clears the links that may be empty."""

from collections.abc import Iterable

from .._wire import PageError
from .._world.history import record_change
from .._world.models import FORGOTTEN, INCOMING, PROTECTED
from .._world.store import Record, Store
from .call import Call

_AUDIT_ORDER = (
    "allocation", "review", "attachment", "comment", "grant", "publication", "membership",
    "preference", "notification", "request", "cluster", "team", "user",
)  # fmt: skip
"""The order in which the server deletes, and writes to the audit log; within a kind the newest comes first.

A kind that is not here comes before all others.
"""
_OF_REQUESTS = frozenset({"allocation", "review", "attachment", "comment"})


def delete_record(call: Call, resource: str, record: Record) -> None:
    """Delete a record with all that depends on it.

    Args:
        call: who deletes.
        resource: the kind of record.
        record: what to delete.

    Raises:
        PageError: 500 where the server crashes: a protected link.
    """
    store = call.world.store
    if resource == "user" and call.signed and record["id"] == call.signed["id"]:
        # The audit log now names a user that is gone: fine in a dry run, and with a token, which it does not name.
        call.broken_links.append("actor")
    doomed: dict[tuple[str, int], Record] = {}
    _collect(store, resource, record, doomed)
    origin = call.origin
    for name, pk in _in_order(doomed):
        record_change(store, name, doomed[name, pk], None, call.world.clock.now(), origin)
    for name, pk in doomed:
        _forget(store, name, pk)
    for name, pk in doomed:
        store.remove(name, pk)


def _in_order(doomed: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Sort as Django does, which repeatedly takes the kinds that no other remaining kind depends on."""
    bare = not any(name in _OF_REQUESTS for name, _ in doomed)
    order = ("request", *_AUDIT_ORDER) if bare else _AUDIT_ORDER
    return sorted(doomed, key=lambda item: (order.index(item[0]) if item[0] in order else -1, -item[1]))


def _collect(store: Store, resource: str, record: Record, doomed: dict[tuple[str, int], Record]) -> None:
    if (resource, record["id"]) in doomed:
        return
    doomed[resource, record["id"]] = record
    for name, column, to_many in INCOMING[resource]:
        if to_many or (name, column) in FORGOTTEN:
            continue
        rows = store.linked(name, column, record["id"])
        if rows and (name, column) in PROTECTED:
            raise PageError(500)
        for row in rows:
            _collect(store, name, row, doomed)


def _forget(store: Store, resource: str, pk: int) -> None:
    for name, column, to_many in INCOMING[resource]:
        if to_many:
            for row in store.linked(name, column, pk):
                store.update(name, row["id"], {column: [key for key in row[column] if key != pk]})
        elif (name, column) in FORGOTTEN:
            for row in store.linked(name, column, pk):
                store.update(name, row["id"], {column: None})
