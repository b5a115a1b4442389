"""Converts the values of a body to what is stored: one function per kind of field, with the server's messages.

Source: DRF 3.17's fields as observed on the wire. A function returns the value or raises ``InvalidError``.
"""

import datetime as dt
import decimal
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from keystone_client_core import CHOICES, SURROGATE, Field, is_email

from .._world.models import PERMISSIONS
from .._world.store import Store
from .bodies import Upload
from .uploads import check_upload

_TRUE = frozenset({"t", "y", "yes", "true", "on", "1", 1})
_FALSE = frozenset({"f", "n", "no", "false", "off", "0", 0})
_MAX_NUMBER_TEXT = 1000
_LOOSE_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})$")

NULL = "This field may not be null."
BLANK = "This field may not be blank."
BAD_EMAIL = "Enter a valid email address."


class InvalidError(Exception):
    """A value that the server refuses; carries all of its messages."""

    def __init__(self, *messages: str) -> None:
        """Keep the messages."""
        super().__init__(*messages)
        self.messages = list(messages)


def clean_text(field: Field, value: Any, store: Store) -> str:
    """Accept text and numbers, trimmed."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidError(BAD_EMAIL if field.kind == "email" else "Not a valid string.")
    text = str(value).strip()
    if not text:
        if field.blank:
            return ""
        raise InvalidError(BLANK)
    return text


def text_complaints(field: Field, text: str) -> list[str]:
    """Return what is wrong with a text beside its type; the server reports all of it."""
    complaints = []
    if field.length is not None and len(text) > field.length:
        complaints.append(f"Ensure this field has no more than {field.length} characters.")
    if "\0" in text:
        complaints.append("Null characters are not allowed.")
    if lone := SURROGATE.search(text):
        complaints.append(f"Surrogate characters are not allowed: U+{ord(lone[0]):X}.")
    if field.kind == "email" and not is_email(text):
        complaints.append(BAD_EMAIL)
    return complaints


def clean_bool(field: Field, value: Any, store: Store) -> bool:
    """Accept the usual spellings of yes and no."""
    try:
        key = value.lower() if isinstance(value, str) else value
        if key in _TRUE:
            return True
        if key in _FALSE:
            return False
    except TypeError:
        pass
    raise InvalidError("Must be a valid boolean.")


def clean_int(field: Field, value: Any, store: Store) -> int:
    """Accept whole numbers, also as text and with empty decimals."""
    if isinstance(value, str) and len(value) > _MAX_NUMBER_TEXT:
        raise InvalidError("String value too large.")
    try:
        number = int(re.sub(r"\.0*\s*$", "", str(value)))
    except ValueError:
        raise InvalidError("A valid integer is required.") from None
    if field.maximum is not None and number > field.maximum:
        raise InvalidError(f"Ensure this value is less than or equal to {field.maximum}.")
    if field.minimum is not None and number < field.minimum:
        raise InvalidError(f"Ensure this value is greater than or equal to {field.minimum}.")
    return number


def clean_decimal(field: Field, value: Any, store: Store) -> decimal.Decimal:
    """Accept a number or its text, within the digits of the field."""
    text = str(value).strip()
    if len(text) > _MAX_NUMBER_TEXT:
        raise InvalidError("String value too large.")
    try:
        number = decimal.Decimal(text)
    except decimal.DecimalException:
        raise InvalidError("A valid number is required.") from None
    if not number.is_finite():
        raise InvalidError("A valid number is required.")
    total, places = field.digits or (14, 2)
    _check_digits(number, total, places)
    return number.quantize(decimal.Decimal(1).scaleb(-places), context=decimal.Context(prec=total))


def _check_digits(number: decimal.Decimal, total: int, places: int) -> None:
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # only infinities and NaN have a letter here
    behind = max(-exponent, 0)
    before = max(len(digits) + exponent, 0)
    if max(before + behind, behind) > total:
        raise InvalidError(f"Ensure that there are no more than {total} digits in total.")
    if behind > places:
        raise InvalidError(f"Ensure that there are no more than {places} decimal places.")
    if before > total - places:
        raise InvalidError(f"Ensure that there are no more than {total - places} digits before the decimal point.")


def clean_date(field: Field, value: Any, store: Store) -> dt.date:
    """Accept ISO dates in all spellings, and loose ones like 2024-1-5."""
    try:
        return parse_date(value)
    except (ValueError, TypeError):
        raise InvalidError("Date has wrong format. Use one of these formats instead: YYYY-MM-DD.") from None


def parse_date(text: Any) -> dt.date:
    """Parse a date as Django's ``parse_date`` does."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        match = _LOOSE_DATE.match(text)
        if match is None:
            raise
        return dt.date(*map(int, match.groups()))


def clean_choice(field: Field, value: Any, store: Store) -> str:
    """Accept one of the codes."""
    if str(value) not in CHOICES[field.target]:
        raise InvalidError(f'"{value}" is not a valid choice.')
    return str(value)


def clean_key(field: Field, value: Any, store: Store) -> int:
    """Accept the id of an existing record, also as text or truncated from a float."""
    if value == "":
        raise InvalidError(NULL)
    return _existing(field, value, store)


def _existing(field: Field, value: Any, store: Store) -> int:
    if value is None:
        raise InvalidError('Invalid pk "None" - object does not exist.')
    try:
        if isinstance(value, bool):
            raise TypeError
        pk = int(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidError(f"Incorrect type. Expected pk value, received {_type_name(value)}.") from None
    if not _exists(field, pk, store):
        raise InvalidError(f'Invalid pk "{value}" - object does not exist.')
    return pk


def _type_name(value: Any) -> str:
    return "InMemoryUploadedFile" if isinstance(value, Upload) else type(value).__name__


def _exists(field: Field, pk: int, store: Store) -> bool:
    if field.target:
        return pk in store.tables[field.target]
    return field.name == "user_permissions" and 0 < pk <= PERMISSIONS


def clean_keys(field: Field, value: Any, store: Store) -> list[int]:
    """Accept a list of ids; doubles collapse."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise InvalidError(f'Expected a list of items but got type "{type(value).__name__}".')
    return sorted({_existing(field, item, store) for item in value})


def clean_json(field: Field, value: Any, store: Store) -> Any:
    """Accept any JSON value."""
    return value


def clean_json_text(value: str) -> Any:
    """Parse the text a form carries for a JSON field."""
    try:
        return json.loads(value)
    except ValueError:
        raise InvalidError("Value must be valid JSON.") from None


def clean_file(field: Field, value: Any, store: Store) -> Upload:
    """Accept an uploaded file of an allowed type and size."""
    if not isinstance(value, Upload):
        raise InvalidError("The submitted data was not a file. Check the encoding type on the form.")
    if complaint := check_upload(value):
        raise InvalidError(complaint)
    return value


CLEANERS: Mapping[str, Callable[[Field, Any, Store], Any]] = {
    "text": clean_text,
    "slug": clean_text,
    "email": clean_text,
    "bool": clean_bool,
    "int": clean_int,
    "decimal": clean_decimal,
    "date": clean_date,
    "choice": clean_choice,
    "key": clean_key,
    "keys": clean_keys,
    "json": clean_json,
    "file": clean_file,
}
