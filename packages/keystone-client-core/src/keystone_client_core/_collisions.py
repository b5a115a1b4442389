"""Records of one bulk operation that cannot both be stored: values that only one record may have.

Only the records that are given are compared. Conflicts with stored records are left to the server.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ._messages import brief
from ._resources import CALLER, Field, Resource
from ._text_rules import slugify

_TEXT = ("text", "email")


class Collision(NamedTuple):
    """A value that an earlier record has."""

    field: str
    value: Any
    reason: str


class Rule(NamedTuple):
    """Fields whose values no two records may share."""

    fields: tuple[Field, ...]
    slug: bool = False
    """Whether even the slugs of their values must differ."""


class Collisions:
    """The values of the records so far."""

    def __init__(self, resource: Resource, named: Callable[[Any], str]) -> None:
        """Start empty; ``named`` returns the words for a record from its label."""
        self._rules, self._named = list(_rules(resource)), named
        self._first: dict[tuple[int, Any], tuple[int, Any, Any]] = {}
        self._records = 0

    def of(self, label: Any, sent: Mapping[str, Any], operation: str) -> list[Collision]:
        """Return the values that a record shares with earlier ones, and remember its own.

        Args:
            label: The label of the record.
            sent: Its encoded fields, without those that are refused for another reason.
            operation: ``create`` or ``update``; a create fills in defaults.
        """
        self._records += 1  # tells the records apart: two rows of a table may have one label, or NaN for one
        found: dict[str, Collision] = {}
        for number, rule in enumerate(self._rules):
            values = [_value(field, sent, operation) for field in rule.fields]
            if any(value is None for value in values):
                continue
            key = slugify(values[0]) if rule.slug else tuple(values)
            value = values[0] if len(values) == 1 else tuple(values)
            place, first, theirs = self._first.setdefault((number, key), (self._records, label, value))
            if place != self._records:
                name = ", ".join(field.name for field in rule.fields)
                reason = f"{self._named(first)} has {_same(rule, value, theirs, key)}"
                found.setdefault(name, Collision(name, None if value is CALLER else value, reason))
        return list(found.values())


def _rules(resource: Resource) -> Iterator[Rule]:
    fields = resource.fields
    for field in fields.values():
        if field.unique:
            yield Rule((field,))
    for field in fields.values():
        if field.slug_of:
            yield Rule((fields[field.slug_of],), slug=True)
    if resource.unique_together:
        yield Rule(tuple(fields[name] for name in resource.unique_together))


def _value(field: Field, sent: Mapping[str, Any], operation: str) -> Any:
    """Return the value that the server stores, as far as it is known; ``None`` collides with nothing."""
    if field.name not in sent:
        return CALLER if operation == "create" and field.default is CALLER else None
    value = sent[field.name]
    return str(value).strip() if field.kind in _TEXT and value is not None else value


def _same(rule: Rule, value: Any, theirs: Any, key: Any) -> str:
    if rule.slug:
        return f"{brief(theirs)}, and the server makes the slug {brief(key)} of both"
    if value is CALLER:
        return "left it out, too: the server then takes the caller, who can have only one"
    return "the same, and the server holds it only once"
