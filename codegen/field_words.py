"""Says in words what the table of resources says in numbers and flags: the rules for the values of a field."""

import json
from collections.abc import Iterator

from keystone_client_core._resources import CALLER, NO_DEFAULT, Field


def limits(field: Field) -> Iterator[str]:
    """Yield the limits of a value, each as a phrase: ``at most 250 characters``."""
    if length := field.length or field.column_length:
        yield f"at most {length:,} characters"
    if field.minimum is not None and field.maximum is not None:
        yield f"from {field.minimum:,} to {field.maximum:,}"
    if field.digits is not None:
        total, places = field.digits
        yield f"at most {total} digits, {places} of them after the decimal point"
    if field.pattern:
        yield f"matches `{field.pattern}`"
    if field.unique:
        yield "unique"


def access(field: Field) -> Iterator[str]:
    """Yield who may set a field and when, each as a phrase: ``set by staff only``."""
    if field.hidden:
        yield "in filters and orders only"
    elif field.read_only:
        yield "read-only"
    if field.required:
        yield "required"
    if field.write_only:
        yield "never returned"
    if field.create_only:
        yield "set only when created"
    if field.staff_only:
        yield "set by staff only"


def default(field: Field) -> str:
    """Return the default of a field: code as in JSON, or ``the caller``; the empty text if it has none."""
    if field.default is NO_DEFAULT:
        return ""
    return "the caller" if field.default is CALLER else f"`{json.dumps(field.default)}`"
