"""Compares what sources want with what is stored.

The idea. Comparing is pure; what is stored must be listed, by a client that may be sync or async. So ``compare`` is a
generator: it yields the listings it needs and is sent their records. It goes from the records that are pointed at to
those that point (users, teams, memberships), so that a name stands for a stored record or for one that is to be
created. A row that is refused becomes a fault, and so do the rows that need its record; all others go on.

What must never be done here: to take out a record whose row was refused; to write a field that its row does not name.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ._checks import RecordCheck
from ._comparison import Change, Comparison
from ._goings import goings
from ._messages import brief, close_matches
from ._rows import Comparing, Listing, Row, read_rows
from ._stored import NaturalKey, Record, Stored, changed_fields, guard_filters, name_of
from ._table import RESOURCES
from ._wanted import Wanted, depth

_MOST_RENAMES = 20
_PROBABLE = 0.8
"""How alike two names are of which one may be the former of the other; at most 1."""


def compare(
    wanted: Sequence[Wanted], caller: int | None = None, held: Mapping[tuple[str, str], str] | None = None
) -> Generator[Listing, list[Any], Comparison]:
    """Compare what is wanted with what is stored.

    Args:
        wanted: What the sources want, one for each resource.
        caller: The key of the user who asks, who never goes.
        held: Why records are not to be created now, by resource and name.

    Yields:
        The listings whose records it must be sent.

    Returns:
        The comparison.

    Raises:
        FieldError: Two of the sources are for the same resource.
    """
    comparing = Comparing(wanted, held or {})
    for each in comparing.wanted.values():
        stored = yield from comparing.listed(each.resource.name)
        _rename(each, stored)
        rows = yield from read_rows(comparing, each)
        for form, row in rows.items():
            _compare_row(comparing, each, form, row)
        _note_renames(comparing, each)
    leaving = yield from goings(comparing, caller)
    changes = [*_in_order(comparing.changes), *leaving]
    return Comparison(changes, comparing.faults, comparing.notes, comparing.as_wanted)


def _rename(wanted: Wanted, stored: Stored) -> None:
    """Let a new name stand for the record that has the old one."""
    for old, new in wanted.renamed.items():
        if stored.target(new) is None and (pk := stored.target(old)) is not None:
            stored.will_be((new,), pk)


def _compare_row(comparing: Comparing, wanted: Wanted, form: NaturalKey, row: Row) -> None:
    stored = comparing.stored[wanted.resource.name]
    found = stored.by_key.get(form, [])
    if len(found) > 1:
        keys = " and ".join(str(record["id"]) for record in found)
        why = f"{len(found)} records have this: {keys}"
        comparing.fault(wanted, row.label, ", ".join(wanted.key), ", ".join(map(str, form)), why)
        return
    record = found[0] if found else stored.by_pk.get(stored.target(str(form[0]))) if stored.is_named else None
    if record is None:
        _create(comparing, wanted, form, row)
    elif found and stored.is_named and record[wanted.key[0]] != str(row.sent[wanted.key[0]]).strip():
        why = f"it is stored as {brief(record[wanted.key[0]])}, which has the same slug, and a name never changes"
        comparing.fault(wanted, row.label, wanted.key[0], row.sent[wanted.key[0]], why)
    else:
        _update(comparing, wanted, record, row)


def _create(comparing: Comparing, wanted: Wanted, form: NaturalKey, row: Row) -> None:
    stored, check = comparing.stored[wanted.resource.name], RecordCheck(wanted.resource, "create")
    words = ", ".join(name_of(wanted.resource, wanted.key, {name: row.given[name] for name in wanted.key}))
    if stored.is_named and (twin := stored.twin(str(form[0]))) is not None:
        check.found.append((wanted.key[0], form[0], f"there is {brief(twin)}, which differs only in looks"))
    elif why := comparing.held.get((wanted.resource.name, words)):
        check.found.append((", ".join(wanted.key), words, why))
    elif wanted.new is not None:
        check.read({name: value for name, value in wanted.new(row.given).items() if name not in row.sent})
    check.sent = {**row.sent, **check.sent}
    if not check.found:
        check.complete()
    for found in check.found:
        comparing.fault(wanted, row.label, *found)
    if not check.found:
        needs, alias = _needs(comparing, check.sent), comparing.next_alias()
        change = Change("create", wanted.resource.name, words, key=wanted.key, label=row.label, alias=alias)
        change = replace(change, new=check.sent, needs=needs, words=_names_in(wanted, row))
        comparing.changes.append(change)
        comparing.created[change.token] = change
        comparing.aliases.add(alias)
        stored.will_be(form, change.token)


def _update(comparing: Comparing, wanted: Wanted, record: Record, row: Row) -> None:
    new = changed_fields(wanted.resource, record, row.sent)
    stays = [name for name in wanted.gone if name not in row.sent and name in record]
    if stays and not changed_fields(wanted.resource, record, wanted.gone):
        name = ", ".join(name_of(wanted.resource, wanted.key, record))
        was = ", ".join(f"{field}={record[field]!r}" for field in stays)
        comparing.notes.append(f"{wanted.resource.name} {brief(name)} is back, and stays {was}: its row does not say")
    if not new:
        comparing.as_wanted += 1
        return
    comparing.changes.append(
        Change(
            "update",
            wanted.resource.name,
            ", ".join(name_of(wanted.resource, wanted.key, record)),
            label=row.label,
            pk=record["id"],
            new=new,
            words=_names_in(wanted, row),
            old={name: record[name] for name in new},
            seen=guard_filters(wanted.resource, record, [*wanted.key, *new]),
            needs=_needs(comparing, new),
        )
    )


def _names_in(wanted: Wanted, row: Row) -> dict[str, Any]:
    """Return what a row has for the fields that point at records, where that is names."""
    fields = wanted.resource.fields
    return {name: row.given[name] for name in row.sent if fields[name].target in RESOURCES and name in row.given}


def _needs(comparing: Comparing, sent: Mapping[str, Any]) -> tuple[Change, ...]:
    values = [item for value in sent.values() for item in (value if isinstance(value, list) else [value])]
    tokens = dict.fromkeys(value for value in values if isinstance(value, str))
    return tuple(comparing.created[token] for token in tokens if token in comparing.created)


def _note_renames(comparing: Comparing, wanted: Wanted) -> None:
    """Note new names that resemble those of records that no row names."""
    stored, named = comparing.stored[wanted.resource.name], comparing.named[wanted.resource.name]
    new = [change for change in comparing.created.values() if change.resource == wanted.resource.name]
    if not stored.is_named or not new:
        return
    free = [str(record[wanted.key[0]]) for record in stored.records if stored.form(record) not in named]
    how = "the server cannot rename it" if wanted.resource.fields[wanted.key[0]].create_only else "say so in renamed="
    for change in new[:_MOST_RENAMES]:
        if near := close_matches(change.name, free, _PROBABLE):
            what = f"{wanted.resource.name} {brief(change.name)} is new, and no row names {brief(near[0])}"
            comparing.notes.append(f"{what}: if that is its former name, {how}")


def _in_order(changes: Iterable[Change]) -> list[Change]:
    """Return the changes in the order in which they are carried out: each new team with its members, owners first."""
    place = {change: number for number, change in enumerate(changes)}
    kinds = list(RESOURCES)

    def rank(change: Change) -> tuple[Any, ...]:
        first = change.team or change
        own = (change is not first, change.new.get("role") != "OW")
        return change.kind == "update", depth(first.resource), kinds.index(first.resource), place[first], *own

    return sorted(place, key=rank)
