"""Checks the names that records are to get: renames, and names that others have, or that people would confuse."""

from collections.abc import Mapping
from typing import Any

from ._comparing import Comparing
from ._messages import brief, close_matches
from ._rows import Row
from ._stored import NaturalKey, Record, Stored
from ._wanted import Wanted

_MOST_RENAMES = 20
_PROBABLE = 0.8
"""How alike two names are of which one may be the former of the other; at most 1."""


def rename(comparing: Comparing, wanted: Wanted, stored: Stored) -> None:
    """Let a new name stand for the record that has the old one."""
    for old, new in wanted.renamed.items():
        pk, other = stored.target(old), stored.target(new)
        if pk is not None and other is not None:
            comparing.fault(
                wanted, None, "renamed", new, f"there is a record of this name, and one of {brief(old)} too"
            )
        elif pk is None and other is None:
            comparing.fault(wanted, None, "renamed", old, "there is no record of this name")
        elif pk is not None and not stored.ambiguous(old):
            stored.reserve((new,), pk)


def check_renames(comparing: Comparing, wanted: Wanted, stored: Stored, rows: dict[NaturalKey, Row]) -> None:
    """Refuse rows of former names, and renames that no row has."""
    for old, new in wanted.renamed.items():
        if row := rows.pop((old,), None):
            comparing.fault(wanted, row.label, wanted.key[0], old, f"it is renamed to {brief(new)}")
        if keys := stored.ambiguous(old):
            rows.pop((new,), None)
            comparing.fault(wanted, None, "renamed", old, f"several {wanted.resource.name} records have this: {keys}")
        elif (new,) not in rows and stored.target(old) is not None:
            comparing.fault(wanted, None, "renamed", new, "no row has this name")


def name_conflicts(
    comparing: Comparing, wanted: Wanted, sent: Mapping[str, Any], own: Record | None = None
) -> list[tuple[str, Any, str]]:
    """Return the fault of a new name that another record has or gets, or that people would take for its name.

    Args:
        comparing: The state of the comparison.
        wanted: The source.
        sent: The fields to write.
        own: The record that is to get them, if it is stored.
    """
    stored, by_key = comparing.by_name(wanted.resource), comparing.stored[wanted.resource.name]
    form = stored.form(sent) if stored.is_named else None
    if form is None:
        return []
    field = stored.key[0]
    name, pk = str(sent[field]).strip(), own and own["id"]
    is_taken = stored.target(name) not in (None, pk)
    twins = [each for each in stored.similar_names(name) if own is None or each != own[field]]
    for each in [name, *twins]:
        for record in stored.find(stored.form_of(each)):  # the row may mean it: it stays
            comparing.named_keys[wanted.resource.name].add(by_key.form(record) or ())
    if is_taken:
        return [(field, name, "there is a record of this name, or a row wants one")]
    return [(field, name, f"there is {brief(each)}, which differs only in looks") for each in twins[:1]]


def give(comparing: Comparing, wanted: Wanted, sent: Mapping[str, Any], target: Any) -> None:
    """Let the name in fields to be written stand for their record, by its key or its token."""
    stored = comparing.by_name(wanted.resource)
    if stored is not comparing.stored[wanted.resource.name] and (form := stored.form(sent)) is not None:
        stored.reserve(form, target)


def note_renames(comparing: Comparing, wanted: Wanted) -> None:
    """Note new names that resemble those of records that no row names."""
    stored, named = comparing.stored[wanted.resource.name], comparing.named_keys[wanted.resource.name]
    new = [change for change in comparing.created.values() if change.resource == wanted.resource.name]
    if not stored.is_named or not new:
        return
    free = [str(record[wanted.key[0]]) for record in stored.records if stored.form(record) not in named]
    how = "the server cannot rename it" if wanted.resource.fields[wanted.key[0]].create_only else "say so in renamed="
    for change in new[:_MOST_RENAMES]:
        if near := close_matches(change.name, free, _PROBABLE):
            what = f"{wanted.resource.name} {brief(change.name)} is new, and no row names {brief(near[0])}"
            comparing.notes.append(f"{what}: if that is its former name, {how}")
