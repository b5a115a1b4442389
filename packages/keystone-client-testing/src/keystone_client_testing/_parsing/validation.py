"""Whole bodies: required fields, defaults, forms against JSON, uniqueness, and the rules across fields.

Single values are cleaned in ``field_values``. What comes out is what the store keeps; nothing is written here.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from keystone_client_core import RESOURCES, Field, Resource

from .._wire import PageError, RefusedError
from .._world.database import Database
from .._world.models import CREATE_CALLER, FORM_DEFAULTS
from .bodies import Form
from .field_values import CLEANERS, NULL, InvalidError, clean_json_text, text_complaints
from .rules import Write, check_rule

REQUIRED = "This field is required."
_EMPTY: Any = object()
_USERNAME = re.compile(r"^[\w.@+-]+\Z")
_BAD_USERNAME = "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."


def validate(write: Write, body: Any) -> dict[str, Any]:
    """Check a body and return the values to store.

    Args:
        write: the kind of record, who writes, and what is there.
        body: the decoded body.

    Returns:
        The cleaned values of the fields that were given or have a default.

    Raises:
        RefusedError: 400 with everything that is wrong.
    """
    data = _with_caller(write, _checked_shape(write, body))
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    creates, staff = write.instance is None, bool(write.caller["is_staff"])
    for field in _writable(write.store.database, write.resource, creates, staff):
        try:
            value = _value(write, field, data)
        except InvalidError as error:
            errors[field.name] = error.messages
        else:
            if value is not _EMPTY:
                values[field.name] = value
    if errors:
        raise RefusedError(400, errors)
    _check_together(write, values)
    check_rule(write, values)
    return values


def _checked_shape(write: Write, body: Any) -> Mapping[str, Any]:
    if isinstance(body, dict):
        return body
    if write.instance is None and _fills_caller(write.resource):
        raise PageError(500)
    text = (
        "No data provided" if body is None else (f"Invalid data. Expected a dictionary, but got {type(body).__name__}.")
    )
    raise RefusedError(400, {"non_field_errors": [text]})


def _fills_caller(resource: str) -> bool:
    return any(name == resource for name, _ in CREATE_CALLER)


def _with_caller(write: Write, data: Mapping[str, Any]) -> Mapping[str, Any]:
    if write.instance is not None:
        return data
    filled = {column: write.caller["id"] for name, column in CREATE_CALLER if name == write.resource}
    if not filled:
        return data
    if isinstance(data, Form):
        return Form({**{column: [value] for column, value in filled.items()}, **data})
    return {**filled, **data}


@lru_cache(None)
def _writable(database: Database, resource: str, creates: bool, staff: bool) -> list[Field]:
    """Return the fields that a body may set."""
    return [
        field
        for field in database.fields(resource).values()
        if field.writable and (creates or not field.create_only) and (staff or not field.staff_only)
    ]


def _value(write: Write, field: Field, data: Mapping[str, Any]) -> Any:
    given = _from_form(write, field, data) if isinstance(data, Form) else data.get(field.name, _EMPTY)
    if given is _EMPTY:
        return _absent(write, field)
    if given is None:
        if field.nullable:
            return None
        raise InvalidError(NULL)
    if field.blank and isinstance(given, str) and not given.strip():
        return ""
    value = CLEANERS[field.kind](field, given, write.store)
    complaints = _complaints(write, field, value)
    if complaints:
        raise InvalidError(*complaints)
    return value


def _from_form(write: Write, field: Field, form: Form) -> Any:
    """Read a field of a form. A form cannot express null, absence or false, so DRF infers them from what is missing."""
    if field.name not in form:
        return _EMPTY if write.partial else _ABSENT_IN_FORM.get(field.kind, lambda _: _EMPTY)(field)
    if field.kind == "keys":
        return form[field.name]
    given = form.last(field.name)
    if field.kind == "json" and isinstance(given, str):
        return clean_json_text(given)
    if given == "":
        return _blank_in_form(field)
    return given


def _blank_in_form(field: Field) -> Any:
    if field.nullable:
        return "" if field.blank else None
    if field.required:
        return ""
    return "" if field.blank else _EMPTY


def _absent_bool(field: Field) -> Any:
    return _EMPTY if field.name == "is_active" and field.default is True and not field.staff_only else False


_ABSENT_IN_FORM: Mapping[str, Any] = {"bool": _absent_bool, "keys": lambda _: []}


def _absent(write: Write, field: Field) -> Any:
    if write.partial:
        return _EMPTY
    if (write.resource, field.name) in FORM_DEFAULTS:
        return True if field.kind == "bool" else write.caller["id"]
    if field.required:
        raise InvalidError("No file was submitted." if field.kind == "file" else REQUIRED)
    return _EMPTY


def _complaints(write: Write, field: Field, value: Any) -> list[str]:
    complaints = username_complaints(write.resource, field, value)
    if field.unique and value is not None and write.store.has(write.resource, field.name, value, write.pk):
        model = RESOURCES[write.resource].model.lower()
        complaints.append(f"{model} with this {field.name} already exists.")
    if isinstance(value, str) and field.kind != "json":
        complaints += text_complaints(field, value)
    return complaints or _CHECKS.get((write.resource, field.name), _no_complaint)(write, value)


def username_complaints(resource: str, field: Field, value: Any) -> list[str]:
    """Return the server's complaint about a login name with other characters than those it takes."""
    is_bad = resource == "user" and field.name == "username" and not _USERNAME.match(value)
    return [_BAD_USERNAME] if is_bad else []


def _no_complaint(write: Write, value: Any) -> list[str]:
    return []


def _check_reviewer(write: Write, value: int) -> list[str]:
    if value == write.caller["id"]:
        return []
    return ["Reviewer cannot be set to a different user than the submitter."]


def _check_preference_user(write: Write, value: int) -> list[str]:
    if write.caller["is_staff"] or value == write.caller["id"]:
        return []
    return ["User field cannot be set to a different user than the request submitter."]


_CHECKS: Mapping[tuple[str, str], Any] = {
    ("review", "reviewer"): _check_reviewer,
    ("preference", "user"): _check_preference_user,
}


def _check_together(write: Write, values: Mapping[str, Any]) -> None:
    resource: Resource = RESOURCES[write.resource]
    names = resource.unique_together
    if not names or not any(name in values for name in names):
        return
    wanted = [values.get(name, write.instance and write.instance[name]) for name in names]
    rows = write.store.linked(write.resource, names[0], wanted[0])
    if any([row[name] for name in names] == wanted and row["id"] != write.pk for row in rows):
        text = f"The fields {', '.join(names)} must make a unique set."
        raise RefusedError(400, {"non_field_errors": [text]})
