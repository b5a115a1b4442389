"""The stored records of one kind, found by natural key or by name, as the server tells names apart."""

import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias

from ._messages import close_matches
from ._resources import Field, Resource
from ._table import RESOURCES
from ._text_rules import slugify

Record: TypeAlias = Mapping[str, Any]
NaturalKey: TypeAlias = tuple[Any, ...]

_LONGEST_GUARD = 1_000
_LONGEST_LOOKALIKE = 50
_WIDE = {code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)}
"""Full-width letters, digits and signs by plain ones."""
_TEXT = ("text", "email", "slug")
_SIMPLE = frozenset((str, int, float, bool))


def comparable(field: Field, value: Any) -> Any:
    """Return a form of a value that is equal for values that the server stores alike."""
    if value is None:
        return None
    if field.kind in _TEXT:
        return str(value).strip()
    if field.kind == "decimal":
        from decimal import Decimal  # takes 2.5 ms, and few records need it

        return Decimal(str(value).strip())
    if field.kind == "int":
        return int(str(value).partition(".")[0])
    if field.kind == "json":
        return _json_form(value)
    return frozenset(value) if field.kind == "keys" else value


def _json_form(value: Any) -> Any:
    """Return a form that is equal for equal JSON: ``true`` is not 1, as it is in Python, and numbers have one kind.

    1 and 1.0 are one number to JSON (RFC 8259, section 6), and PostgreSQL gives 1e16 back as an integer.
    """
    if isinstance(value, bool):
        return (value,)  # nothing else in JSON is a tuple
    if isinstance(value, float):
        from decimal import Decimal  # takes 2.5 ms, and few records need it

        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _json_form(item) for name, item in value.items()}
    return [_json_form(item) for item in value] if isinstance(value, list) else value


def differs(field: Field, stored: Any, wanted: Any) -> bool:
    """Return whether writing a value would change what is stored."""
    return bool(comparable(field, stored) != comparable(field, wanted))


def changed_fields(resource: Resource, record: Record, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wanted fields that differ from those of a record, of those that it shows and an update changes."""
    fields = resource.fields
    return {
        name: value
        for name, value in wanted.items()
        if name in record and not fields[name].create_only and differs(fields[name], record[name], value)
    }


def guard_filters(resource: Resource, record: Record, names: Iterable[str]) -> dict[str, Any]:
    """Return the stored values that must still be there when a change is carried out, as filters.

    Links to many, JSON, and text that is long or has blanks at its ends cannot be filtered by, and are left out.
    """
    fields = [resource.fields[name] for name in dict.fromkeys(names)]
    return {
        field.name: record[field.name]
        for field in fields
        if field.filter_kind and field.writable and _may_be_asked_for(record[field.name])
    }


def _may_be_asked_for(value: Any) -> bool:
    """Check that a stored value can be filtered by: not long, and without blanks at its ends, which a filter loses."""
    return not isinstance(value, str) or (len(value) <= _LONGEST_GUARD and value == value.strip())


def folded(text: str) -> str:
    """Return a form of a name that is equal for names that people take for the same."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class Stored:
    """The records of one resource, and those that a plan will create, by their names."""

    def __init__(self, resource: Resource, key: tuple[str, ...], records: Iterable[Record]) -> None:
        """Take the records, which ``key`` tells apart."""
        self.resource, self.key = resource, key
        self.records = list(records)
        self.by_pk = {record["id"]: record for record in self.records}
        self._fields = [resource.fields[name] for name in key]
        self.is_named = len(key) == 1 and self._fields[0].kind in _TEXT
        """Whether one text is the name of a record."""
        self.has_slugs = self.is_named and resource.makes_slugs
        """Whether names that have the same slug are the same."""
        self._new: list[str] = []
        self._by_key: dict[NaturalKey, Record] = {}
        self._more: dict[NaturalKey, list[Record]] = {}  # few: a list for each key would be what the time goes into
        for record in self.records:
            if (found := self.form(record)) is not None and self._by_key.setdefault(found, record) is not record:
                self._more.setdefault(found, []).append(record)
        self._targets: dict[NaturalKey, Any] = {key: each["id"] for key, each in self._by_key.items()}

    def find(self, form: NaturalKey | None) -> list[Record]:
        """Return the stored records with a natural key."""
        if form is None or form not in self._by_key:
            return []
        return [self._by_key[form], *self._more.get(form, [])]

    def keyed(self) -> Iterator[tuple[NaturalKey, Record]]:
        """Yield the stored records that have a natural key, with it."""
        yield from self._by_key.items()
        yield from ((form, record) for form, records in self._more.items() for record in records)

    def form(self, values: Record) -> NaturalKey | None:
        """Return the natural key of a record or a row; ``None`` if a part of it is missing."""
        parts = [comparable(field, values.get(field.name)) for field in self._fields]
        return None if None in parts or "" in parts else self._told_apart(parts)

    def form_of(self, name: str) -> NaturalKey | None:
        """Return the natural key of a name, where one text is the name of a record."""
        text = name.strip()
        return self._told_apart([text]) if text else None

    def _told_apart(self, parts: list[Any]) -> NaturalKey:
        return (slugify(parts[0]) or parts[0],) if self.has_slugs else tuple(parts)

    def unchanged(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a row that are just as they are stored, which need no check: most of a sync are."""
        try:
            record = self._by_key.get(self.form(fields) or (), {})
        except (ValueError, ArithmeticError, TypeError):  # a value that cannot be one, which the check reports
            return {}
        return {
            name: value
            for name, value in fields.items()
            if name in record
            and type(value) in _SIMPLE  # arrays cannot simply be compared, and in a list Python takes True for 1
            and type(record[name]) is type(value)
            and record[name] == value
            and self.resource.fields[name].writable
        }

    def names(self) -> Iterator[str]:
        """Yield the names of the stored records."""
        return (str(record[self.key[0]]) for record in self.records if record[self.key[0]])

    def target(self, name: str) -> Any:
        """Return the key of the record of a name, or the token of the change that creates it; ``None`` for neither."""
        return self.stands_for(self.form_of(name))

    def stands_for(self, form: NaturalKey | None) -> Any:
        """Return the key of the record with a natural key, or the token of its create; ``None`` for neither."""
        return None if form is None else self._targets.get(form)

    def like(self, name: str) -> tuple[str, ...]:
        """Return names that resemble one, the closest first."""
        names = {folded(each): each for each in [*self.names(), *self._new]}
        return tuple(names[each] for each in close_matches(folded(name), names))

    def ambiguous(self, name: str) -> str:
        """Return the keys of the records of a name, as text, if there are several."""
        found = self.find(self.form_of(name)) if self._more else []
        return " and ".join(str(record["id"]) for record in found) if len(found) > 1 else ""

    def reserve(self, form: NaturalKey, target: Any) -> None:
        """Let a natural key stand for a record: one that is to be created, or gets this name."""
        self._targets[form] = target
        self._new += [str(form[0])] if self.is_named else []

    @cached_property
    def _spellings(self) -> dict[str, list[str]]:
        """The names by what people take them for. Made at the first new name: most plans have none."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.names():
            found[folded(name)].append(name)
        return found

    def similar_names(self, name: str) -> list[str]:
        """Return the names that people would take for this one, and remember this one; slugs keep names apart."""
        if self.has_slugs:
            return []
        alike = self._spellings[folded(name)]
        others = [each for each in alike if each != name]
        alike.append(name)
        return others


def lookalikes(name: str) -> list[str]:
    """Return a name, and spellings that people take for it although a search for it does not find them.

    These are full-width letters, ß for ss, and accents that are characters of their own. Mixtures of plain and
    full-width letters are left out, because there are too many, and all spellings of a name with a comma, at which a
    filter would part it, or of a long one.
    """
    if "," in name or len(name) > _LONGEST_LOOKALIKE:
        return [name]
    form = folded(name)
    cases = [form, form.upper(), form.capitalize()]
    others = [*(each.translate(_WIDE) for each in cases), *(each.replace("ss", "ß") for each in cases)]
    return list(dict.fromkeys([name, form, *others, unicodedata.normalize("NFD", name)]))


def name_form(resource: Resource, name: str) -> str:
    """Return a form of a name that is equal for names which mean the same record, or are taken for it."""
    return slugify(name) or name if resource.makes_slugs else folded(name)


def signatures(resource: Resource, key: Iterable[str], sent: Mapping[str, Any]) -> set[Any]:
    """Return what makes a new record the same as another: its natural key, and all of its fields."""
    forms = {name: comparable(resource.fields[name], value) for name, value in sent.items()}
    values = {name: form if isinstance(form, Hashable) else str(form) for name, form in forms.items()}
    own = frozenset((name, values.get(name)) for name in key)
    return {(resource.name, own), (resource.name, frozenset(values.items()))}


def name_of(resource: Resource, key: tuple[str, ...], record: Record) -> tuple[str, ...]:
    """Return the natural key of a record or a row in words: the names of the records that it points at."""
    return tuple(_word(resource.fields[name], record, record.get(name)) for name in key)


def _word(field: Field, record: Record, value: Any) -> str:
    nested, target = record.get(f"_{field.name}"), RESOURCES.get(field.target)
    if target and target.natural_key and isinstance(nested, Mapping):
        value = nested.get(target.natural_key[0], value)
    text = str(value).strip()
    return text if text.isprintable() else repr(text)[1:-1]
