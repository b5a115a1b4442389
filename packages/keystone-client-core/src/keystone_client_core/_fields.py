"""Encodes the fields of a record for a create or an update.

Refuses what the server would drop or change without an error: unknown fields, read-only fields, and values that it
would round, cut off or convert. Lengths, choices, nulls and blanks are left to the server, since its limits may change
and its answer says which one was broken. The exception is a length that only the database checks: the server then
answers 500 without a reason.
"""

from collections.abc import Mapping
from typing import Literal

from ._errors import FieldError
from ._field_values import ENCODERS, UnfitFieldError, json_value, untrimmed
from ._messages import brief, close_matches, suggestion
from ._references import Reference
from ._resources import Field, Resource


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
            JSON cannot hold it.
    """
    given = named_fields(resource, data)
    _check_names(resource, given, operation)
    encoded = {name: _encode_field(resource, resource.fields[name], value) for name, value in given.items()}
    if not references:
        _refuse_references(resource, encoded)
    return encoded


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


def dropped_fields(resource: Resource, sent: Mapping[str, object], record: Mapping[str, object]) -> tuple[str, ...]:
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


def _check_names(resource: Resource, data: Mapping[str, object], operation: str) -> None:
    unknown = [name for name in data if name not in resource.fields]
    if unknown:
        raise _unknown(resource, unknown)
    for name in data:
        _check_writable(resource, resource.fields[name], operation)
    if operation == "create":
        missing = missing_fields(resource, data)
        if missing:
            raise FieldError(f"A new {resource.name} also needs {', '.join(missing)}.", field=missing[0])


def check_name(resource: Resource, name: str, operation: str) -> None:
    """Check that a field exists and can be written.

    Raises:
        FieldError: The server would ignore the field.
    """
    if name not in resource.fields:
        raise _unknown(resource, [name])
    _check_writable(resource, resource.fields[name], operation)


def missing_fields(resource: Resource, data: Mapping[str, object]) -> list[str]:
    """Return the names of the required fields that a new record does not have."""
    return [name for name, field in resource.fields.items() if field.required and name not in data]


def _unknown(resource: Resource, names: list[str]) -> FieldError:
    writable = [name for name, field in resource.fields.items() if field.writable]
    matches = {name: close_matches(name, writable) for name in names}
    told = "".join(f" {brief(name)}:{suggestion(near)}" for name, near in matches.items() if near)
    return FieldError(
        f"A {resource.name} has no {', '.join(map(brief, names))}, and the server would ignore it.{told}"
        f" Its fields are {', '.join(writable)}.",
        field=names[0],
        matches=matches[names[0]],
    )


def _check_writable(resource: Resource, field: Field, operation: str) -> None:
    if field.writable and not (field.create_only and operation == "update"):
        return
    when = "once the record exists" if field.writable else "by the client"
    raise FieldError(
        f"{resource.name} field {field.name!r} cannot be set {when}; the server ignores it. Leave it out.",
        field=field.name,
    )


def _encode_field(resource: Resource, field: Field, value: object) -> object:
    try:
        return fit(field, value)
    except UnfitFieldError as error:
        told = "the value" if field.write_only else brief(value)  # a message must not contain a password
        raise FieldError(
            f"{resource.name} field {field.name!r}: {told} does not fit: {error}.", field=field.name
        ) from None


def fit(field: Field, value: object) -> object:
    """Encode a value of a field; files, ``None`` and references are returned as they are.

    Raises:
        UnfitFieldError: The field cannot hold it.
    """
    if field.kind == "file" or value is None or isinstance(value, Reference):
        return value
    encoded = ENCODERS.get(field.kind, json_value)(value) if not field.trimmed else untrimmed(value)
    _check_column_length(field, encoded)
    return encoded


def _check_column_length(field: Field, encoded: object) -> None:
    if field.column_length is None or not isinstance(encoded, str):
        return
    length = len(encoded.strip())  # the server strips text before it stores it
    if length > field.column_length:
        raise UnfitFieldError(f"it has {length:,} characters, and the server fails on more than {field.column_length}")
