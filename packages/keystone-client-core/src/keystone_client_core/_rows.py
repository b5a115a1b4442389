"""Reads the rows of a source: fields as JSON, and names replaced by the keys of the records they stand for."""

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from ._checks import RecordCheck
from ._comparing import Comparing, Listing
from ._messages import brief
from ._names import resolved
from ._stored import NaturalKey, differs
from ._table import RESOURCES
from ._values import UnfitError
from ._wanted import Wanted, filled_fields


class Row(NamedTuple):
    """A row that was read."""

    label: Any
    given: Mapping[str, Any]
    sent: dict[str, Any]
    """Its fields as JSON. A record that is to be created stands in them as its token."""
    is_good: bool


def read_rows(comparing: Comparing, wanted: Wanted) -> Generator[Listing, list[Any], dict[NaturalKey, Row]]:
    """Return the rows without faults by natural key; rows that say the same of a record are one."""
    stored = yield from comparing.listed(wanted.resource.name)
    rows: dict[NaturalKey, Row] = {}
    repeated: dict[NaturalKey, list[Row]] = {}
    refused = comparing.refused.setdefault(wanted.resource.name, set())
    for label, given in wanted.rows:
        row = yield from _read(comparing, wanted, label, given)
        form = stored.form(row.sent)
        if wanted.key != wanted.resource.natural_key:
            comparing.note_name(wanted, form, row.sent)
        if form is None:
            refused.add(str(given.get(wanted.key[0])).strip() if isinstance(given, Mapping) else "")
        elif rows.setdefault(form, row) is not row:
            repeated.setdefault(form, [rows[form]]).append(row)
    comparing.named_keys[wanted.resource.name] = set(rows)
    wrong = {form for form, same in repeated.items() if not _agree(comparing, wanted, same)}
    return {form: row for form, row in rows.items() if row.is_good and form not in wrong}


def _read(comparing: Comparing, wanted: Wanted, label: Any, given: Any) -> Generator[Listing, list[Any], Row]:
    check = yield from read_fields(comparing, wanted, given)
    wrong = {name for name, _, _ in check.found}
    if "" not in wrong:
        missing = [name for name in wanted.key if name not in check.sent and name not in wrong]
        check.found += [(name, None, "it is missing, and it tells the records apart") for name in missing]
    for found in check.found:
        comparing.fault(wanted, label, *found)
    return Row(label, given, check.sent, not check.found)


def read_fields(comparing: Comparing, wanted: Wanted, given: Any) -> Generator[Listing, list[Any], RecordCheck]:
    """Check and encode fields, with names in place of keys."""
    check = RecordCheck(wanted.resource, "create", comparing.aliases)
    if not isinstance(given, Mapping):
        check.read(given)
        return check
    fields = filled_fields(given)
    for name, value in list(fields.items()):  # a row has few fields, and a resource has many
        field = wanted.resource.fields.get(name)
        if field is not None and field.target in RESOURCES:
            try:
                fields[name] = yield from resolved(comparing, field, value)
            except UnfitError as error:
                check.found.append((name, fields.pop(name), str(error)))
    same = comparing.stored[wanted.resource.name].unchanged(fields)
    if len(same) < len(fields):
        check.read({name: value for name, value in fields.items() if name not in same})
    check.sent = {**same, **check.sent}
    return check


def _agree(comparing: Comparing, wanted: Wanted, same: list[Row]) -> bool:
    """Check that all rows of one record are good and say the same; which of them would be right is not known."""
    first = same[0]
    odd = next((row for row in same if not row.is_good or _contradiction(wanted, row, first)), None)
    if odd is None:
        return True
    for row in same:
        reason = _contradiction(wanted, row, odd) or _contradiction(wanted, row, first)
        if row.is_good and reason is not None:
            name, why = reason
            value = None if wanted.resource.fields[name].write_only else row.sent.get(name)
            comparing.fault(wanted, row.label, name, value, why)
    return False


def _contradiction(wanted: Wanted, row: Row, other: Row) -> tuple[str, str] | None:
    """Return the field in which another row of the same record differs, and the words for that."""
    fields, key = wanted.resource.fields, wanted.key[0]
    for name in {**row.sent, **other.sent}:
        if not differs(fields[name], row.sent.get(name), other.sent.get(name)):
            continue
        if name == key:
            two = brief(other.sent.get(key))
            return name, f"row {brief(other.label)} has {two}, and the server makes the same slug of both"
        return name, f"row {brief(other.label)} says something else of the same {wanted.resource.name}"
    return None if other.is_good else (key, f"row {brief(other.label)}, of the same {wanted.resource.name}, is refused")
