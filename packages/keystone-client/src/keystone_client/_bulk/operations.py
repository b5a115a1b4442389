"""Bulk operations: create, update or delete many records of one kind.

All records are checked here, before the first is sent. ``runner`` sends them in chunks, each as one atomic batch job.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from keystone_client_core import (
    RESOURCES,
    CheckedRecords,
    Fault,
    FieldError,
    ReferenceTokenError,
    brief,
    checked_creates,
    checked_deletes,
    checked_updates,
    record_name,
)

from .._flow import Flow
from .._listing.query import BulkOptions
from .._protocol.bodies import json_body
from .._protocol.call import Call
from .report import Item
from .runner import Run

_LISTED = 10
"""How many faults a message shows; ``.faults`` has all."""


def create(call: Call, name: str, records: Iterable[object], options: BulkOptions) -> Flow[list[Any]]:
    """Create records, in the order given."""
    resource, method = RESOURCES[name], f"bulk_create_{name}"
    items = _items(checked_creates(resource, records), method)
    return (yield from Run(call, method, items, options).flow())


def update(call: Call, name: str, changes: object, options: BulkOptions) -> Flow[list[Any]]:
    """Change records by key, in the order given."""
    resource, method = RESOURCES[name], f"bulk_update_{name}"
    if not isinstance(changes, Mapping):
        raise FieldError(f"{method} takes a mapping from key to fields, not {type(changes).__name__}")
    items = _items(checked_updates(resource, changes), method)
    return (yield from Run(call, method, items, options).flow())


def delete(call: Call, name: str, pks: Iterable[object], options: BulkOptions) -> Flow[None]:
    """Delete records by key; a key that is given twice is deleted once."""
    resource, method = RESOURCES[name], f"bulk_delete_{name}"
    items = _items(checked_deletes(resource, pks), method)
    once = {item.action.path: item for item in reversed(items)}
    kept = [item for item in items if once[item.action.path] is item]
    yield from Run(call, method, kept, options).flow()


def _items(checked: CheckedRecords, method: str) -> list[Item]:
    if checked.faults:
        raise _refusal(checked, method)
    labels = checked.labels if checked.labelled else [None] * len(checked.given)
    made = zip(checked.given, checked.actions, labels, strict=True)
    return [
        Item(place, each, action, len(json_body(action.json())), label)
        for place, (each, action, label) in enumerate(made)
    ]


def _refusal(checked: CheckedRecords, method: str) -> FieldError | ReferenceTokenError:
    """Return one error for all faults."""
    first = checked.faults[0]
    error: FieldError | ReferenceTokenError = (
        ReferenceTokenError(_message(checked, method))
        if checked.only_references
        else FieldError(_message(checked, method), field=first.field, matches=checked.matches)
    )
    error.position = checked.labels.index(first.label)
    error.label = first.label if checked.labelled else None
    error.faults = tuple(checked.faults)
    return error


def _message(checked: CheckedRecords, method: str) -> str:
    lines = [_line(fault, checked.labelled) for fault in checked.faults[:_LISTED]]
    number = len(checked.faults)
    if number == 1:
        return lines[0]
    records = len({fault.label for fault in checked.faults})
    more = [f"and {number - _LISTED} more, in .faults"] if number > _LISTED else []
    head = f"{method}: {number} faults in {records} of {len(checked.given)} records, and nothing was sent:"
    return "\n  ".join([head, *lines, *more])


def _line(fault: Fault, labelled: bool) -> str:
    shown = "" if fault.value is None else f"={brief(fault.value)}"
    field = f"{fault.field}{shown}: " if fault.field else ""
    return f"{record_name(fault.label, labelled)}: {field}{fault.reason}"
