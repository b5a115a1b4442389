"""Encodes the fields of a record for a create or an update.

Refuses what the server would drop or change without an error: unknown fields, read-only fields, and values that it
would round, cut off or convert; and what it is known to refuse: lengths, choices, nulls, blanks, forms of
dates and numbers. So a mistake is reported before anything is sent, with what to give instead.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from ._errors import FieldError
from ._field_values import encode_value
from ._messages import brief, close_matches, suggestion
from ._references import Reference
from ._resources import Field, Resource
from ._text_rules import slugify
from ._values import UnfitError


def encode_fields(
    resource: Resource,
    data: Mapping[str, object],
    operation: Literal["create", "update"],
    *,
    references: bool = False,
) -> dict[str, object]:
    """Check the fields of a record and convert their values to what JSON can hold.

    Args:
        resource: The kind of record.
        data: Values by field name. Dates, decimals, UUIDs, enum members, tuples and sets are converted; the value of
            a file field is returned as it is.
        operation: ``create`` requires every required field; ``update`` requires none.
        references: Accept references between the actions of a batch job as values, and return them as they are.

    Returns:
        A copy that ``json.dumps`` accepts, apart from files and references.

    Raises:
        FieldError: A field does not exist, cannot be written or is missing, or the server would change its value, or
            JSON cannot hold it. One error names all that is wrong.
    """
    given = named_fields(resource, data)
    problems = list(_wrong_names(resource, given, operation))
    encoded = {}
    for name in filter(resource.fields.__contains__, given):
        try:
            encoded[name] = _encode_field(resource, resource.fields[name], given[name])
        except FieldError as problem:
            problems.append(problem)
    if problems:
        raise _together(problems)
    if not references:
        _refuse_references(resource, encoded)
    return encoded


def _together(problems: list[FieldError]) -> FieldError:
    """Return one error for all that is wrong, so that the caller can fix everything at once."""
    first = problems[0]
    if len(problems) == 1:
        return first
    return FieldError(" ".join(map(str, problems)), field=first.field, matches=first.matches)


def _refuse_references(resource: Resource, encoded: Mapping[str, object]) -> None:
    for name, value in encoded.items():
        if _has_reference(value):
            raise FieldError(
                f"{resource.name} field {name!r}: a reference belongs in a later action of its own job; outside of it, "
                "use the result of the action.",
                field=name,
            )


def _has_reference(value: object) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_has_reference, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Reference)


def ignored_fields(resource: Resource, sent: Mapping[str, object], record: Mapping[str, object]) -> tuple[str, ...]:
    """Find the fields that the server dropped because the caller is not staff.

    The server answers such a request with success, and only the returned record tells the difference.

    Args:
        resource: The kind of record.
        sent: What ``encode_fields`` returned.
        record: The record that the server answered with.

    Returns:
        The names of the staff-only fields whose value in the answer differs from the value sent.
    """
    kept = [name for name, field in resource.fields.items() if field.staff_only and name in sent and name in record]
    return tuple(name for name in kept if sent[name] != record[name])


def named_fields(resource: Resource, data: object) -> dict[str, object]:
    """Return the fields of a record as they were given; the names are not checked yet.

    Raises:
        FieldError: It is no mapping, or has a name that is not text.
    """
    if not isinstance(data, Mapping):
        raise FieldError(f"The fields of a {resource.name} come as a mapping, not as {type(data).__name__}.")
    wrong = [name for name in data if not isinstance(name, str)]
    if wrong:
        raise FieldError(f"The name of a {resource.name} field is text, not {brief(wrong[0])}.")
    return {str.__str__(name): value for name, value in data.items()}


def _wrong_names(resource: Resource, data: Mapping[str, object], operation: str) -> Iterator[FieldError]:
    yield from _refused_names(resource, data, operation)
    missing = missing_fields(resource, data) if operation == "create" else []
    if missing:
        yield FieldError(f"A new {resource.name} also needs {', '.join(missing)}.", field=missing[0])


def _refused_names(resource: Resource, names: Collection[str], operation: str) -> Iterator[FieldError]:
    unknown = [name for name in names if name not in resource.fields]
    if unknown:
        yield _unknown(resource, unknown)
    known = [resource.fields[name] for name in names if name in resource.fields]
    fixed = [field.name for field in known if field.create_only and operation == "update"]
    for refused, when in (
        ([field.name for field in known if not field.writable], "by the client"),
        (fixed, "once the record exists"),
    ):
        if refused:
            yield _unwritable(resource, refused, when)


def check_name(resource: Resource, name: str, operation: str) -> None:
    """Check that a field exists and can be written.

    Raises:
        FieldError: The server would ignore the field.
    """
    for problem in _refused_names(resource, [name], operation):
        raise problem


def missing_fields(resource: Resource, data: Mapping[str, object]) -> list[str]:
    """Return the names of the required fields that a new record does not have."""
    return [name for name, field in resource.fields.items() if field.required and name not in data]


def _unknown(resource: Resource, names: list[str]) -> FieldError:
    writable = [name for name, field in resource.fields.items() if field.writable]
    matches = {name: close_matches(name, writable) for name in names}
    hints = "".join(f" {brief(name)}:{suggestion(near)}" for name, near in matches.items() if near)
    return FieldError(
        f"A {resource.name} has no {', '.join(map(brief, names))}, and the server would ignore it.{hints}"
        f" Its fields are {', '.join(writable)}.",
        field=names[0],
        matches=matches[names[0]],
    )


def _unwritable(resource: Resource, names: list[str], when: str) -> FieldError:
    fields, them = ("fields", "them") if len(names) > 1 else ("field", "it")
    return FieldError(
        f"{resource.name} {fields} {', '.join(map(repr, names))} cannot be set {when}; the server ignores {them}."
        f" Leave {them} out.",
        field=names[0],
    )


def _encode_field(resource: Resource, field: Field, value: object) -> object:
    try:
        return fit(resource, field, value)
    except UnfitError as error:
        text = "the value" if field.write_only else brief(value)  # a message must not contain a password
        raise FieldError(
            f"{resource.name} field {field.name!r}: {text} does not fit: {error}.", field=field.name
        ) from None


def fit(resource: Resource, field: Field, value: object) -> object:
    """Check a value of a field and convert it; files and references are returned as they are.

    Raises:
        UnfitError: The server would refuse or change it, or JSON cannot hold it.
    """
    if field.kind == "file" or isinstance(value, Reference):
        return value
    encoded = encode_value(field, value)
    has_slug = any(other.slug_of == field.name for other in resource.fields.values())
    if has_slug and not slugify(str(encoded)):
        raise UnfitError("give a name with a letter from a to z or a digit: the server can hold one without only once")
    return encoded
