"""Decides which stored records go: those in the scope of a source that none of its rows names.

Sources fail: a file is empty, a query returns half. So records go only where the source says so (``gone``) and for
what it speaks of (``scope``), and never more than a share of them, never the caller, never a team's last owner, and
never what the server refuses to delete.
"""

from collections import Counter
from collections.abc import Collection, Generator, Iterable
from typing import Any

from ._comparison import Change
from ._deletes import all_of, deletes, named
from ._rows import Comparing, Listing
from ._stored import Record, Stored, changed_fields, name_of
from ._wanted import Wanted


def goings(comparing: Comparing, caller: int | None) -> Generator[Listing, list[Any], list[Change]]:
    """Return the changes that take records out, in the order in which they are carried out."""
    leaving: list[Change] = []
    for wanted in reversed(comparing.wanted.values()):  # what points at others goes before them
        if wanted.deletes or wanted.gone:
            records = yield from _leavers(comparing, wanted, caller)
            records = yield from _with_owners_left(comparing, wanted, records, leaving)
            if wanted.deletes:
                leaving += yield from deletes(comparing, wanted, records, leaving)
            else:
                leaving += [_update(wanted, record) for record in records]
    return leaving


def _leavers(comparing: Comparing, wanted: Wanted, caller: int | None) -> Generator[Listing, list[Any], list[Record]]:
    """Return the records that no row names, if that many may go."""
    resource, stored = wanted.resource, comparing.stored[wanted.resource.name]
    named = comparing.named[resource.name]
    renamed = {stored.target(old) for old in wanted.renamed}
    unnamed = [record for form, records in stored.by_key.items() if form not in named for record in records]
    free = [each for each in unnamed if each["id"] not in renamed and not _is_protected(wanted, each)]
    if free and wanted.scope is None:
        comparing.notes.append(f"{resource.name}: no record goes without scope=; {{}} stands for all")
    if not free or wanted.scope is None:
        return []
    scope = yield from _in_scope(wanted, stored)
    leavers = [record for record in free if record["id"] in scope]
    for own in [each for each in leavers if resource.name == "user" and each["id"] == caller]:
        comparing.fault(wanted, None, wanted.key[0], own[wanted.key[0]], "it is the account that this plan runs under")
        leavers.remove(own)
    reason = _reason_to_keep(comparing, wanted, len(leavers), len(scope))
    if leavers and reason:
        comparing.fault(wanted, None, "gone", len(leavers), f"{reason}; none of them goes")
        return []
    return leavers


def _in_scope(wanted: Wanted, stored: Stored) -> Generator[Listing, list[Any], set[int]]:
    """Return the keys of the records that the source speaks for, without those that are out already."""
    if callable(wanted.scope):
        records = [record for record in stored.records if wanted.scope(record)]
    else:
        records = yield Listing(wanted.resource.name, wanted.scope)
    return {record["id"] for record in records if _has_effect(wanted, record)}


def _is_protected(wanted: Wanted, record: Record) -> bool:
    name = name_of(wanted.resource, wanted.key, record)
    known = (record["id"], name, list(name), ", ".join(name))
    return any(each in known for each in wanted.protect)


def _has_effect(wanted: Wanted, record: Record) -> bool:
    return wanted.deletes or bool(changed_fields(wanted.resource, record, wanted.gone))


def _reason_to_keep(comparing: Comparing, wanted: Wanted, leavers: int, scope: int) -> str:
    unreadable = comparing.unreadable[wanted.resource.name]
    if not wanted.rows:
        return f"there are no rows, and {leavers} of {scope} would go"
    if unreadable:
        return f"it is not known whom the refused rows mean, and {leavers} of {scope} would go"
    if leavers > wanted.most_gone * scope:
        return f"{leavers} of {scope} would go, more than most_gone={wanted.most_gone:g}"
    return ""


def _with_owners_left(
    comparing: Comparing, wanted: Wanted, records: list[Record], leaving: list[Change]
) -> Generator[Listing, list[Any], list[Record]]:
    """Keep whom a team would be without an owner."""
    if not records or wanted.resource.name not in ("user", "membership"):
        return records
    memberships = (yield from comparing.listed("membership")).records
    owned = _owners(comparing, memberships, {change.pk for change in leaving if change.resource == "membership"})
    added = [each.new for each in comparing.changes if each.kind == "create" and each.resource == "membership"]
    left = Counter(each["team"] for each in [*owned, *(each for each in added if each["role"] == "OW")])
    kept = []
    for record in records:
        own = [each for each in owned if record["id"] == each["user" if wanted.resource.name == "user" else "id"]]
        if last := next((each for each in own if left[each["team"]] == 1), None):
            why = f"it is the last owner of {last['_team']['name']!r}: make another one first"
            comparing.fault(wanted, None, *named(wanted, record), why)
        else:
            left.subtract(each["team"] for each in own)
            kept.append(record)
    return kept


def _owners(comparing: Comparing, memberships: Iterable[Record], out: Collection[int | None]) -> list[Record]:
    """Return the stored memberships that will be those of owners."""
    changed = {each.pk: each.new for each in comparing.changes if each.resource == "membership"}
    roles = {each["id"]: changed.get(each["id"], {}).get("role", each["role"]) for each in memberships}
    return [each for each in memberships if each["id"] not in out and roles[each["id"]] == "OW"]


def _update(wanted: Wanted, record: Record) -> Change:
    new = changed_fields(wanted.resource, record, wanted.gone)
    name, pk = named(wanted, record)[1], record["id"]
    old, seen = {field: record[field] for field in new}, all_of(wanted, record)
    return Change("update", wanted.resource.name, name, pk=pk, new=new, old=old, seen=seen, leaves=True)
