"""Finds the records that names in rows stand for.

A name is the natural key of a record, or the field by which the rows of its kind are matched. Rows that are matched by
another field can change names. So a name stands for the record that is called so in the end; one that could mean two
records is refused, and so is one whose row is refused.
"""

from collections.abc import Collection, Generator, Sequence
from typing import Any

from ._comparing import Comparing, Listing
from ._messages import suggestion
from ._references import Reference
from ._resources import Field, Resource
from ._stored import Stored
from ._table import RESOURCES
from ._values import UnfitError

_MOST_HINTS = 20
"""How many unknown names get suggestions: each takes as long as there are names."""


def resolved(comparing: Comparing, field: Field, value: Any) -> Generator[Listing, list[Any], Any]:
    """Replace names by keys, and by references to records that are to be created.

    Raises:
        UnfitError: A name stands for no record, or for several.
    """
    if field.kind == "keys" and isinstance(value, list | tuple | set | frozenset):
        items = []
        for item in value:
            items.append((yield from resolved(comparing, field, item)))
        return items
    target = RESOURCES[field.target]
    if not isinstance(value, str) or not (target.natural_key or target.name in comparing.wanted):
        return value
    if (target.name, value) in comparing.resolved_names:
        return comparing.resolved_names[target.name, value]
    stored = yield from comparing.listed(target.name)
    tables = [each for each in dict.fromkeys([comparing.by_name(target), stored]) if each.is_named]
    if not tables:
        return value
    key = _found(comparing, target, tables, value)
    change = comparing.created.get(key)
    found = key if change is None else Reference(change.alias, ("id",))
    return comparing.resolved_names.setdefault((target.name, value), found)


def _found(comparing: Comparing, target: Resource, tables: Sequence[Stored], name: str) -> Any:
    """Return the key of the record that a name stands for, or the token of one that is to be created."""
    found: dict[str, Any] = {}
    for each in tables:
        if keys := each.ambiguous(name):
            raise UnfitError(f"several {target.name} records have this name: {keys}")
        if (key := each.target(name)) is not None:
            found[each.key[0]] = key
    if len(found) == 1 and not comparing.claims:
        return next(iter(found.values()))  # the usual case: no row is matched by another key
    if len(set(found.values())) > 1:
        whose = {field: key if isinstance(key, int) else "that is new" for field, key in found.items()}
        what = ", and ".join(f"the {field} of {target.name} {key}" for field, key in whose.items())
        raise UnfitError(f"it is {what}: give the key, or another name")
    if _is_refused(comparing, target, found.values(), name):
        raise UnfitError(f"the row of this {target.name} is refused")
    if not found:
        raise UnfitError(_unknown(comparing, target, tables, name))
    key = next(iter(found.values()))
    if list(found) == [*target.natural_key] and (now := _new_name(comparing, target, key)) not in ("", name.strip()):
        raise UnfitError(f"the {target.name} of this name is called {now!r} in this plan: give that name")
    return key


def _is_refused(comparing: Comparing, target: Resource, found: Collection[Any], name: str) -> bool:
    """Check whether the row that gives a name, or is matched by it, has not led to one of the records found."""
    stored, place = comparing.stored[target.name], (target.name, name.strip())
    if place in comparing.claims:
        return stored.stands_for(comparing.claims[place]) not in found
    named = stored.form_of(name) in comparing.named_keys.get(target.name, ())
    return not found and (named or name.strip() in comparing.refused.get(target.name, ()))


def _new_name(comparing: Comparing, target: Resource, key: Any) -> str:
    """Return the name that a row gives to a stored record; empty if none does."""
    stored = comparing.stored[target.name]
    record = stored.by_pk.get(key)
    form = None if record is None else stored.form(record)
    return "" if form is None else comparing.calls.get((target.name, form), "")


def _unknown(comparing: Comparing, target: Resource, tables: Sequence[Stored], name: str) -> str:
    comparing.hints += 1
    tried = tables if comparing.hints <= _MOST_HINTS else ()
    near = next((near for each in tried if (near := suggestion(each.like(name)))), "")
    return f"there is no {target.name} of this name, and none is wanted.{near}"
