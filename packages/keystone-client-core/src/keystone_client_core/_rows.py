"""Reads the rows of a source: fields as JSON, and names replaced by the keys of the records they stand for."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from os import urandom
from typing import Any, NamedTuple

from ._checks import Fault, RecordCheck
from ._comparison import Change
from ._errors import FieldError
from ._messages import brief, suggestion
from ._references import Reference
from ._resources import Field
from ._stored import NaturalKey, Stored, differs
from ._table import RESOURCES
from ._values import UnfitError
from ._wanted import Wanted, depth, said

_MOST_HINTS = 20
"""How many unknown names get suggestions: each takes as long as there are names."""


class Listing(NamedTuple):
    """Records that ``compare`` asks for."""

    resource: str
    filters: Mapping[str, object] | None = None


class Row(NamedTuple):
    """A row that was read."""

    label: Any
    given: Mapping[str, Any]
    sent: dict[str, Any]
    """Its fields as JSON. A record that is to be created stands in them as its token."""
    is_good: bool


class Comparing:
    """The state of one comparison."""

    def __init__(self, wanted: Sequence[Wanted], held: Mapping[Any, str]) -> None:
        """Take what is wanted, one source for each resource, and why some records are not to be created now."""
        self.wanted = {each.resource.name: each for each in sorted(wanted, key=lambda each: depth(each.resource.name))}
        if len(self.wanted) < len(wanted):
            raise FieldError("give one Wanted for each resource: join the rows of several sources", field="wanted")
        self.held = held
        self.needed: dict[tuple[str, int], str] = {}
        """Why records must stay, by resource and key: they are protected, or rows want records that point at them."""
        self._may_go = min((depth(name) for name, each in self.wanted.items() if each.deletes), default=len(RESOURCES))
        """The depth from which on records may be deleted, or go along."""
        self.deleted: dict[tuple[str, int], Change] = {}
        """The deletes by what they take away, by resource and key."""
        self.stored: dict[str, Stored] = {}
        self._natural: dict[str, Stored] = {}
        self.changes: list[Change] = []
        self.created: dict[str, Change] = {}
        """The creates by their tokens."""
        self.aliases: set[str] = set()
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.as_wanted = 0
        self.named: dict[str, set[NaturalKey]] = {}
        """The natural keys that rows name, by resource, those of refused rows included."""
        self.refused: dict[str, set[str]] = {}
        """The names in rows whose natural key cannot be read, by resource."""
        self.unreadable: Counter[str] = Counter()
        """The number of rows whose natural key cannot be read, by resource."""
        self.meant: dict[tuple[str, str], Any] = {}
        """What names have been resolved to, by resource and name: many rows have the same."""
        self.hints = _MOST_HINTS
        self._nonce = urandom(4).hex()  # so that no text from elsewhere can be a token of this plan

    def next_alias(self) -> str:
        """Return the alias of the next create."""
        return f"c{self._nonce}_{len(self.created) + 1}"

    def fault(self, wanted: Wanted, label: Any, field: str, value: Any, reason: str) -> None:
        """Note what is refused."""
        self.faults.append(Fault(label, field, value, reason, wanted.resource.name))

    def refuse(self, refused: Mapping[Change, Sequence[tuple[str, Any, str]]]) -> None:
        """Take back changes, each with its faults (field, value and reason), and those that need them."""
        for change, faults in refused.items():
            for found in faults:
                self.fault(self.wanted[change.resource], change.label, *found)
        self.changes = [each for each in self.changes if each not in refused]
        needing = {change: [each for each in change.needs if each in refused] for change in self.changes}
        if any(needing.values()):
            self.refuse({change: [_refused_need(change, needs[0])] for change, needs in needing.items() if needs})

    def note_links(self, wanted: Wanted, name: str, sent: Mapping[str, Any]) -> None:
        """Note at which records a wanted record points, as far as those could go."""
        for field, value in sent.items():
            target = wanted.resource.fields[field].target
            if target in RESOURCES and depth(target) >= self._may_go:
                why = f"the {wanted.resource.name} {name}, which rows want, points at it"
                self.needed |= {(target, each): why for each in (value if isinstance(value, list) else [value])}

    def why_kept(self, resource: str, pk: int) -> str:
        """Return why a record may not be deleted; empty if it may."""
        record = self.stored[resource].by_pk.get(pk) if resource in self.named else None
        if record is not None and self.stored[resource].form(record) in self.named[resource]:
            return "rows want it"
        return self.needed.get((resource, pk), "")

    def by_name(self, wanted: Wanted) -> Stored:
        """Return the stored records by their natural key, by whatever key the rows are matched."""
        resource, stored = wanted.resource, self.stored[wanted.resource.name]
        if stored.key == resource.natural_key or not resource.natural_key:
            return stored
        if resource.name not in self._natural:
            self._natural[resource.name] = Stored(resource, resource.natural_key, stored.records)
        return self._natural[resource.name]

    def listed(self, name: str) -> Generator[Listing, list[Any], Stored]:
        """Return the stored records of a resource, which are asked for once."""
        if name not in self.stored:
            key = self.wanted[name].key if name in self.wanted else RESOURCES[name].natural_key
            self.stored[name] = Stored(RESOURCES[name], key, (yield Listing(name)))
        return self.stored[name]


def read_rows(comparing: Comparing, wanted: Wanted) -> Generator[Listing, list[Any], dict[NaturalKey, Row]]:
    """Return the rows without faults by natural key; rows that say the same of a record are one."""
    stored = yield from comparing.listed(wanted.resource.name)
    rows: dict[NaturalKey, Row] = {}
    repeated: dict[NaturalKey, list[Row]] = {}
    refused = comparing.refused.setdefault(wanted.resource.name, set())
    for label, given in wanted.rows:
        row = yield from _read(comparing, wanted, label, given)
        form = stored.form(row.sent)
        if form is None:
            comparing.unreadable[wanted.resource.name] += 1
            refused.add(str(given.get(wanted.key[0])).strip() if isinstance(given, Mapping) else "")
        elif rows.setdefault(form, row) is not row:
            repeated.setdefault(form, [rows[form]]).append(row)
    comparing.named[wanted.resource.name] = set(rows)
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
    fields = said(given)
    for name, field in wanted.resource.fields.items():
        if field.target in RESOURCES and name in fields:
            try:
                fields[name] = yield from _resolved(comparing, field, fields[name])
            except UnfitError as error:
                check.found.append((name, fields.pop(name), str(error)))
    same = comparing.stored[wanted.resource.name].unchanged(fields)
    if len(same) < len(fields):
        check.read({name: value for name, value in fields.items() if name not in same})
    check.sent = {**same, **check.sent}
    return check


def _resolved(comparing: Comparing, field: Field, value: Any) -> Generator[Listing, list[Any], Any]:
    """Replace names by keys, and by references to records that are to be created."""
    if field.kind == "keys" and isinstance(value, list | tuple | set | frozenset):
        items = []
        for item in value:
            items.append((yield from _resolved(comparing, field, item)))
        return items
    target = RESOURCES[field.target]
    if not isinstance(value, str) or not (target.natural_key or target.name in comparing.wanted):
        return value
    if (target.name, value) in comparing.meant:
        return comparing.meant[target.name, value]
    stored = yield from comparing.listed(target.name)
    if not stored.is_named:
        return value
    if keys := stored.ambiguous(value):
        raise UnfitError(f"several {target.name} records have this name: {keys}")
    key = stored.target(value)
    if key is None:
        is_named = stored.form_of(value) in comparing.named.get(target.name, ())
        if is_named or value.strip() in comparing.refused.get(target.name, ()):
            raise UnfitError(f"the row of this {target.name} is refused")
        comparing.hints -= 1
        near = suggestion(stored.like(value)) if comparing.hints >= 0 else ""
        raise UnfitError(f"there is no {target.name} of this name, and none is wanted.{near}")
    change = comparing.created.get(key)
    found = key if change is None else Reference(change.alias, ("id",))
    return comparing.meant.setdefault((target.name, value), found)


def _refused_need(change: Change, need: Change) -> tuple[str, Any, str]:
    field = next(
        name for name, value in change.new.items() if need.token in (value if isinstance(value, list) else [value])
    )
    return field, change.fields()[field], f"the row of this {need.resource} is refused"


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
