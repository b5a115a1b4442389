"""Bulk operations: create, update or delete many records of one kind.

All records are checked here, before the first is sent. ``runner`` sends them in chunks, each as one atomic batch job.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from keystone_client_core import (
    RESOURCES,
    Action,
    FieldError,
    ReferenceTokenError,
    Resource,
    create_action,
    delete_action,
    primary_key,
    update_action,
)

from .._flow import Flow
from .._listing.query import BulkOptions
from .._protocol.bodies import json_body
from .._protocol.call import Call
from .report import Item
from .runner import Run


def create(call: Call, name: str, records: Iterable[object], options: BulkOptions) -> Flow[list[Any]]:
    """Create records, in the order given."""
    resource = RESOURCES[name]
    items = _items(_several(records, "records"), lambda fields: create_action(resource, cast("Any", fields)))
    return (yield from Run(call, resource, f"bulk_create_{name}", items, options).flow())


def update(call: Call, name: str, changes: object, options: BulkOptions) -> Flow[list[Any]]:
    """Change records by key, in the order given."""
    resource = RESOURCES[name]
    if not isinstance(changes, Mapping):
        raise FieldError(f"bulk_update_{name} takes a mapping from key to fields, not {type(changes).__name__}")
    pairs = list(changes.items())
    items = _items(pairs, lambda pair: _update_action(resource, *pair))
    _refuse_repeated([primary_key(pk) for pk, _ in pairs])
    return (yield from Run(call, resource, f"bulk_update_{name}", items, options).flow())


def delete(call: Call, name: str, pks: Iterable[object], options: BulkOptions) -> Flow[None]:
    """Delete records by key; a key that is given twice is deleted once."""
    resource = RESOURCES[name]
    items = _items(_several(pks, "keys"), lambda pk: delete_action(resource, pk))
    once = {item.action.path: item for item in reversed(items)}
    kept = [item for item in items if once[item.action.path] is item]
    yield from Run(call, resource, f"bulk_delete_{name}", kept, options).flow()


def _several(given: Iterable[object], what: str) -> list[object]:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise FieldError(f"give several {what}, as a list or any other iterable, not {type(given).__name__}")
    return list(given)


def _items(given: Sequence[object], make: Callable[[Any], Action]) -> list[Item]:
    """Check each record and make its action; an error names the place of its record."""
    items = []
    for place, each in enumerate(given):
        try:
            action = make(each)
            items.append(Item(place, each, action, len(json_body(action.json()))))
        except FieldError as error:
            told = f"record {place}, counted from 0: {error}"
            raise FieldError(told, field=error.field, position=place, matches=error.matches) from None
        except ReferenceTokenError as error:
            misread = ReferenceTokenError(f"record {place}, counted from 0: {error}")
            misread.position = place
            raise misread from None
    return items


def _update_action(resource: Resource, pk: object, data: object) -> Action:
    action = update_action(resource, pk, cast("Any", data))
    files = [name for name in action.payload if resource.fields[name].kind == "file"]
    if files:
        raise FieldError(f"{files[0]} is a file: change it with update_{resource.name} or in a batch", field=files[0])
    return action


def _refuse_repeated(keys: Sequence[int]) -> None:
    seen: set[int] = set()
    for place, key in enumerate(keys):
        if key in seen:
            raise FieldError(
                f"record {place}, counted from 0: the key {key} is there twice", field="pk", position=place
            )
        seen.add(key)
