"""Decides which stored records go: those in the scope of a source that none of its rows names.

Sources fail: a file is empty, a query returns half. So records go only where the source says so (``gone``) and for
what it speaks of (``scope``), and never more than a share of them, never the caller, never a team's last owner, and
never what the server refuses to delete.
"""

from collections.abc import Generator
from typing import Any

from ._comparing import Comparing, Listing
from ._comparison import Change
from ._deletes import all_of, deletes, named_in
from ._owners import with_owners_left
from ._resources import Resource
from ._stored import Record, Stored, changed_fields, name_form, name_of
from ._table import RESOURCES
from ._values import integer
from ._wanted import Wanted

_ROUNDING = 1e-9


def removals(comparing: Comparing, caller: int | None) -> Generator[Listing, list[Any], list[Change]]:
    """Return the changes that take records out, in the order in which they are carried out."""
    leaving: list[Change] = []
    for wanted in reversed(comparing.wanted.values()):  # what points at others goes before them
        if wanted.deletes or wanted.gone:
            records = yield from _records_to_remove(comparing, wanted, caller)
            records = yield from with_owners_left(comparing, wanted, records, leaving)
            if wanted.deletes:
                leaving += yield from deletes(comparing, wanted, records)
            else:
                leaving += [_update(wanted, record) for record in records]
    return leaving


def _records_to_remove(
    comparing: Comparing, wanted: Wanted, caller: int | None
) -> Generator[Listing, list[Any], list[Record]]:
    """Return the records that no row names, if that many may go."""
    resource, stored = wanted.resource, comparing.stored[wanted.resource.name]
    named = comparing.named_keys[resource.name]
    renamed = {each["id"] for old in wanted.renamed for each in stored.find(stored.form_of(old))}
    unnamed = [record for form, record in stored.keyed() if form not in named]
    free = [each for each in unnamed if each["id"] not in renamed]
    if free and wanted.scope is None:
        comparing.notes.append(f"{resource.name}: no record goes without scope=; {{}} stands for all")
    if not free or wanted.scope is None:
        return []
    faults, protected = len(comparing.faults), _protected(comparing, wanted)
    if len(comparing.faults) > faults:
        return []
    scope = yield from _in_scope(wanted, stored)
    going = [record for record in free if record["id"] in scope and record["id"] not in protected]
    comparing.needed |= {(resource.name, pk): "it is protected" for pk in protected}
    for record in [each for each in going if resource.name == "user" and each["id"] == caller]:
        comparing.fault(wanted, None, *named_in(wanted, record), "it is the account that this plan runs under")
        going.remove(record)
    reason = _reason_to_keep(comparing, wanted, len(going), len(scope))
    if going and reason:
        comparing.fault(wanted, None, "gone", len(going), f"{reason}; none of them goes")
        return []
    return going


def _protected(comparing: Comparing, wanted: Wanted) -> set[int]:
    """Return the keys of the protected records; what stands for none is a fault, because it may be misspelt."""
    kinds = [RESOURCES.get(wanted.resource.fields[name].target, wanted.resource) for name in wanted.key]
    items = {_protected_form(kinds, item): item for item in wanted.protect}
    kept: set[int] = set()
    found: set[Any] = set()
    for record in comparing.stored[wanted.resource.name].records if items else ():
        words = tuple(map(name_form, kinds, name_of(wanted.resource, wanted.key, record)))
        meant = {record["id"], words, tuple(record[name] for name in wanted.key)} & items.keys()
        kept |= {record["id"]} if meant else set()
        found |= meant
    for form in items.keys() - found:
        comparing.fault(wanted, None, "protect", items[form], "there is no such record; none of the others goes")
    return kept


def _protected_form(kinds: list[Resource], item: Any) -> Any:
    """Return a primary key, or the parts of a natural key: keys of other records, and names as they are told apart."""
    if (pk := integer(item)) is not None:
        return pk
    parts = item if isinstance(item, list | tuple) else str(item).split(", ", len(kinds) - 1)
    return tuple(
        name_form(kind, str(part)) if integer(part) is None else integer(part)
        for kind, part in zip(kinds, parts, strict=False)
    )


def _in_scope(wanted: Wanted, stored: Stored) -> Generator[Listing, list[Any], set[int]]:
    """Return the keys of the records that the source speaks for, without those that are out already."""
    if callable(wanted.scope):
        records = [record for record in stored.records if wanted.scope(record)]
    else:
        records = yield Listing(wanted.resource.name, wanted.scope)
    return {record["id"] for record in records if _has_effect(wanted, record)}


def _has_effect(wanted: Wanted, record: Record) -> bool:
    return wanted.deletes or bool(changed_fields(wanted.resource, record, wanted.gone))


def _reason_to_keep(comparing: Comparing, wanted: Wanted, going: int, scope: int) -> str:
    if not wanted.rows:
        return f"there are no rows, and {going} of {scope} would go"
    if comparing.refused[wanted.resource.name]:
        return f"it is not known whom the refused rows mean, and {going} of {scope} would go"
    if going - wanted.most_gone * scope > _ROUNDING:
        return f"{going} of {scope} would go, more than most_gone={wanted.most_gone:g}"
    return ""


def _update(wanted: Wanted, record: Record) -> Change:
    new = changed_fields(wanted.resource, record, wanted.gone)
    name, pk = named_in(wanted, record)[1], record["id"]
    old, seen = {field: record[field] for field in new}, all_of(wanted, record)
    return Change("update", wanted.resource.name, name, pk=pk, new=new, old=old, seen=seen, leaves=True)
