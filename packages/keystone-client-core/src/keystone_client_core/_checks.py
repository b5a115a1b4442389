"""Check the records of a bulk operation, all of them and completely, before the first is sent.

Each record is encoded once, because a value may be an iterator. All that is wrong is collected; ``encode_fields``, for
one record, raises one error.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ._batch import Action, create_action_of, delete_action, update_action_of
from ._collisions import Collisions
from ._errors import FieldError, ReferenceTokenError
from ._fields import check_name, fit, missing_fields, named_fields
from ._keys import primary_key
from ._messages import brief, close_matches
from ._references import fields_with_tokens
from ._resources import Resource
from ._values import UnfitError, is_iterable


class Fault(NamedTuple):
    """Something in a record that the server would refuse, drop or change."""

    label: Any
    """The caller's label of the record, or its position, counted from 0, if the records have no labels."""
    field: str
    """The name of the field; several, separated by commas, if their values are refused together."""
    value: Any
    """The value as it was given; ``None`` if there is none, or if it is a secret."""
    reason: str
    resource: str = ""
    """The kind of record, in a plan, which has several."""


class CheckedRecords(NamedTuple):
    """The records of a bulk operation."""

    labels: list[Any]
    """Their labels, or their positions."""
    labelled: bool
    """Whether the caller has given labels."""
    given: list[Any]
    actions: list[Action]
    """The action for each record; valid only if there are no faults."""
    faults: list[Fault]
    """What is wrong, in the order of the records."""
    only_references: bool
    """Whether the only faults are texts that the server would read as references of a batch job."""
    matches: tuple[str, ...] = ()
    """Names close to the field of the first fault, if there is no such field."""


def record_name(label: Any, labelled: bool) -> str:
    """Return the words for a record in a message, from its label or its position."""
    return _short_name(label, labelled) + ("" if labelled else ", counted from 0")


def _short_name(label: Any, labelled: bool) -> str:
    return f"record {brief(label) if labelled else label}"


def check_records(resource: Resource, records: Iterable[Any] | Mapping[Any, Any]) -> list[Fault]:
    """Find what is wrong with records that are to be created, without sending anything.

    Args:
        resource: The kind of records.
        records: The fields of each record: a list or another iterable, or a mapping from a label of the caller, such as
            the line of a sheet, to the fields.

    Returns:
        All faults of all records, in their order. An empty list does not mean that the server takes them: it knows
        other records, and the caller's role.

    Raises:
        FieldError: ``records`` is not several records.
    """
    return checked_creates(resource, records).faults


def checked_creates(resource: Resource, records: object) -> CheckedRecords:
    """Check records that are to be created; for the arguments see ``check_records``."""
    pairs, has_labels = labelled(resource, records)
    return _checked(resource, [(label, fields, None) for label, fields in pairs], "create", has_labels)


def labelled(resource: Resource, records: object) -> tuple[list[tuple[Any, Any]], bool]:
    """Return records with their labels, or with their positions, and whether the caller gave labels.

    Raises:
        FieldError: They are not several records.
    """
    if hasattr(records, "columns"):
        raise FieldError(
            f"give several records, not a {type(records).__name__}: its rows, such as .to_dict('records') of pandas or "
            ".to_dicts() of polars"
        )
    if not isinstance(records, Mapping):
        return list(enumerate(_several(records, "records"))), False
    pairs = list(records.items())
    if pairs and not any(isinstance(fields, Mapping) for _, fields in pairs):
        raise FieldError(f"give several records, as a list or as {{label: record}}; this is one {resource.name}")
    return pairs, True


def checked_updates(resource: Resource, changes: Mapping[Any, Any]) -> CheckedRecords:
    """Check changes, given by primary key, which is their label."""
    triples = [(pk, fields, pk) for pk, fields in changes.items()]
    return _checked(resource, triples, "update", True)._replace(given=list(changes.items()))


def checked_deletes(resource: Resource, pks: object) -> CheckedRecords:
    """Check primary keys; their labels are their positions."""
    given = _several(pks, "keys")
    actions, faults = [], []
    for place, pk in enumerate(given):
        try:
            actions.append(delete_action(resource, pk))
        except FieldError as error:
            faults.append(Fault(place, "pk", pk, str(error)))
    return CheckedRecords(list(range(len(given))), False, given, actions, faults, False)


def _several(given: object, what: str) -> list[Any]:
    if isinstance(given, str | bytes | Mapping) or not is_iterable(given):
        raise FieldError(f"give several {what}, as a list or any other iterable, not {type(given).__name__}")
    return list(given)


def _checked(
    resource: Resource, triples: list[tuple[Any, Any, Any]], operation: Literal["create", "update"], labelled: bool
) -> CheckedRecords:
    collisions = Collisions(resource, lambda label: _short_name(label, labelled))
    actions: list[Action] = []
    faults: list[Fault] = []
    references, keys = 0, set[int]()
    for label, fields, pk in triples:
        record = RecordCheck(resource, operation)
        record.read(fields)
        if operation == "create":
            record.complete()
        path_key = record.key(pk, keys) if operation == "update" else 0
        found = [*record.found, *collisions.of(label, record.sent, operation)]
        faults += [Fault(label, *each) for each in found]
        references += record.references
        if operation == "create":
            actions.append(create_action_of(resource, record.sent))
        elif path_key:
            actions.append(update_action_of(resource, path_key, record.sent))
    given = [fields for _, fields, _ in triples]
    labels = [label for label, _, _ in triples]
    matches = _matches(resource, faults[0].field) if faults else ()
    return CheckedRecords(labels, labelled, given, actions, faults, references == len(faults), matches)


def _matches(resource: Resource, name: str) -> tuple[str, ...]:
    writable = [field.name for field in resource.fields.values() if field.writable]
    return () if name in resource.fields else close_matches(name, writable)


class RecordCheck:
    """One record: its encoded fields, and what is wrong with it as field, value and reason."""

    def __init__(
        self, resource: Resource, operation: Literal["create", "update"], aliases: Collection[str] = ()
    ) -> None:
        """Start without fields; references to actions with these aliases are allowed."""
        self._resource, self._operation, self._aliases = resource, operation, aliases
        self.sent: dict[str, Any] = {}
        self.found: list[tuple[str, Any, str]] = []
        self.references = 0

    def read(self, fields: object) -> None:
        """Encode each field that can be, and note what is wrong with the others."""
        try:
            given = named_fields(self._resource, fields)
        except FieldError as error:
            self.found.append(("", None, str(error)))
            return
        for name, value in given.items():
            if reason := self._fault(name, value):
                self.sent.pop(name, None)
                self.found.append((name, None if self._is_secret(name) else value, reason))

    def complete(self) -> None:
        """Note the required fields of a new record that are missing; if it is no mapping, that says enough."""
        named = {*self.sent, *(name for name, _, _ in self.found)}
        if "" in named:
            return
        self.found += [(name, None, "it is missing") for name in missing_fields(self._resource, dict.fromkeys(named))]

    def key(self, pk: object, keys: set[int]) -> int:
        """Return the primary key of a change, or 0 and note that it is invalid or given twice."""
        try:
            key = primary_key(pk)
        except FieldError as error:
            self.found.insert(0, ("pk", pk, str(error)))
            return 0
        if key in keys:
            self.found.insert(0, ("pk", pk, f"the key {key} is there twice"))
        keys.add(key)
        return key

    def _is_secret(self, name: str) -> bool:
        """Check whether a value may be a secret; an unknown field may be a misspelt password field."""
        fields = self._resource.fields
        return any(field.write_only for field in ([fields[name]] if name in fields else fields.values()))

    def _fault(self, name: str, value: object) -> str:
        try:
            check_name(self._resource, name, self._operation)
            field = self._resource.fields[name]
            if field.kind == "file":
                return f"a file needs update_{self._resource.name}, or a batch"
            self.sent |= fields_with_tokens(self._resource, {name: fit(self._resource, field, value)}, self._aliases)
        except ReferenceTokenError as error:
            self.references += 1
            return str(error)
        except (FieldError, UnfitError) as error:
            return str(error)
        return ""
