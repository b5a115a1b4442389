"""Compares what sources want with what is stored.

The idea. Comparing is pure; what is stored must be listed, by a client that may be sync or async. So ``compare`` is a
generator: it yields the listings it needs and is sent their records. It goes from the records that are pointed at to
those that point (users, teams, memberships), so that a name stands for a stored record or for one that is to be
created. A row that is refused becomes a fault, and so do the rows that need its record; all others go on.

What must never be done here: to take out a record whose row was refused; to write a field that its row does not name.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from ._checks import RecordCheck
from ._comparing import Comparing, Listing
from ._comparison import Change, Comparison, items_of
from ._links import refuse_missing_keys
from ._messages import brief
from ._new_names import check_renames, give, name_conflicts, note_renames, rename
from ._owners import refuse_last_owners
from ._removals import removals
from ._rows import Row, read_fields, read_rows
from ._stored import NaturalKey, Record, changed_fields, guard_filters, name_of, signatures
from ._table import RESOURCES
from ._wanted import Wanted, depth, filled_fields


def compare(
    wanted: Sequence[Wanted], caller: int | None = None, held: Mapping[Any, str] | None = None
) -> Generator[Listing, list[Any], Comparison]:
    """Compare what is wanted with what is stored.

    Args:
        wanted: What the sources want, one for each resource.
        caller: The key of the user who asks, who never goes.
        held: Why records are not to be created now, by their ``signatures``.

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
        rename(comparing, each, stored)
        rows = yield from read_rows(comparing, each)
        check_renames(comparing, each, stored, rows)
        for form, row in rows.items():
            yield from _compare_row(comparing, each, form, row)
        note_renames(comparing, each)
    yield from refuse_missing_keys(comparing)
    yield from refuse_last_owners(comparing)
    counted = {name for name, each in comparing.wanted.items() if not each.has_labels}
    if any(fault.resource in counted and fault.label is not None for fault in comparing.faults):
        comparing.notes.append("rows without labels are counted from 0")
    leaving = yield from removals(comparing, caller)
    changes = [*_in_order(comparing.changes), *leaving]
    return Comparison(changes, comparing.faults, comparing.notes, comparing.as_wanted)


def _compare_row(
    comparing: Comparing, wanted: Wanted, form: NaturalKey, row: Row
) -> Generator[Listing, list[Any], None]:
    stored = comparing.stored[wanted.resource.name]
    found = stored.find(form)
    if len(found) > 1:
        keys = " and ".join(str(record["id"]) for record in found)
        why = f"{len(found)} records have this: {keys}"
        comparing.fault(wanted, row.label, ", ".join(wanted.key), ", ".join(map(str, form)), why)
        return
    record = found[0] if found else stored.by_pk.get(stored.target(str(form[0]))) if stored.is_named else None
    if record is None:
        yield from _create(comparing, wanted, form, row)
    elif found and stored.has_slugs and record[wanted.key[0]] != str(row.sent[wanted.key[0]]).strip():
        why = f"it is stored as {brief(record[wanted.key[0]])}, which has the same slug, and a name never changes"
        comparing.fault(wanted, row.label, wanted.key[0], row.sent[wanted.key[0]], why)
    else:
        _update(comparing, wanted, record, row)


def _create(comparing: Comparing, wanted: Wanted, form: NaturalKey, row: Row) -> Generator[Listing, list[Any], None]:
    named = {name: row.given[name] for name in wanted.key}
    words = ", ".join(name_of(wanted.resource, wanted.key, named))
    extra = _extra(wanted, row)
    check = yield from _completed(comparing, wanted, row, extra)
    found = check.found or name_conflicts(comparing, wanted, check.sent) or _held(comparing, wanted, words, check.sent)
    for each in found:
        comparing.fault(wanted, row.label, *each)
    if found:
        return
    comparing.note_links(wanted, named, check.sent)
    change = Change(
        "create",
        wanted.resource.name,
        words,
        key=wanted.key,
        label=row.label,
        new=check.sent,
        needs=_needs(comparing, check.sent),
        words=_names_in(wanted, {**extra, **filled_fields(row.given)}),
        alias=comparing.next_alias(),
    )
    comparing.changes.append(change)
    comparing.created[change.token] = change
    comparing.aliases.add(change.alias)
    comparing.stored[wanted.resource.name].reserve(form, change.token)
    give(comparing, wanted, check.sent, change.token)


def _held(comparing: Comparing, wanted: Wanted, words: str, sent: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    """Return the fault of a record that must not be created now; empty if it may be."""
    made = signatures(wanted.resource, wanted.key, sent) if comparing.held_back else set()
    why = [comparing.held_back[each] for each in made if each in comparing.held_back]
    return [(", ".join(wanted.key), words, each) for each in why[:1]]


def _extra(wanted: Wanted, row: Row) -> Any:
    """Return the fields that the function of the caller adds to those of a row."""
    if wanted.new is None:
        return {}
    try:
        extra = wanted.new(row.given)
    except Exception as error:
        error.add_note(f"raised by new= for row {brief(row.label)} of {wanted.resource.name}")
        raise
    if not isinstance(extra, Mapping):
        return extra
    return {name: value for name, value in extra.items() if name not in row.sent}


def _completed(
    comparing: Comparing, wanted: Wanted, row: Row, extra: Any
) -> Generator[Listing, list[Any], RecordCheck]:
    """Return all fields of a new record: those of its row, and further ones."""
    check = yield from read_fields(comparing, wanted, extra)
    check.sent = {**row.sent, **check.sent}
    if not check.found:
        check.complete()
    return check


def _update(comparing: Comparing, wanted: Wanted, record: Record, row: Row) -> None:
    comparing.note_links(wanted, record, row.sent)
    new = changed_fields(wanted.resource, record, row.sent)
    stays = [name for name in wanted.gone if name not in row.sent and name in record]
    if stays and not changed_fields(wanted.resource, record, wanted.gone):
        was = ", ".join(f"{field}={record[field]!r}" for field in stays)
        name = ", ".join(name_of(wanted.resource, wanted.key, record))
        comparing.notes.append(f"{wanted.resource.name} {brief(name)} is back, and stays {was}: its row does not say")
    if not new:
        comparing.as_wanted += 1
        return
    if faults := name_conflicts(comparing, wanted, new, record):
        comparing.fault(wanted, row.label, *faults[0])
        return
    give(comparing, wanted, new, record["id"])
    comparing.changes.append(
        Change(
            "update",
            wanted.resource.name,
            ", ".join(name_of(wanted.resource, wanted.key, record)),
            label=row.label,
            pk=record["id"],
            new=new,
            words=_names_in(wanted, filled_fields(row.given)),
            old={name: record[name] for name in new},
            seen=guard_filters(wanted.resource, record, [*wanted.key, *new]),
            needs=_needs(comparing, new),
        )
    )


def _names_in(wanted: Wanted, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that point at records, where they have names."""
    links = {name: value for name, value in fields.items() if wanted.resource.fields[name].target in RESOURCES}
    lists = {name: list(value) for name, value in links.items() if isinstance(value, list | tuple | set | frozenset)}
    names = {name: value for name, value in links.items() if isinstance(value, str)}
    return names | {name: items for name, items in lists.items() if all(isinstance(each, str | int) for each in items)}


def _needs(comparing: Comparing, sent: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the creates whose tokens stand in fields."""
    tokens = dict.fromkeys(each for value in sent.values() for each in items_of(value) if isinstance(each, str))
    return tuple(comparing.created[token] for token in tokens if token in comparing.created)


def _in_order(changes: Iterable[Change]) -> list[Change]:
    """Return the changes in the order in which they are carried out: each new team with its members.

    New owners come before other members, so that no team is without an owner if a later job fails.
    """
    place = {change: number for number, change in enumerate(changes)}
    kinds = list(RESOURCES)

    def rank(change: Change) -> tuple[Any, ...]:
        first = change.team or change
        is_part = first is not change
        other = change.resource != "membership" or change.new.get("role") != "OW"
        kind = change.kind == "update", depth(first.resource), kinds.index(first.resource)
        return *kind, other or is_part, place[first], is_part, other

    return sorted(place, key=rank)
