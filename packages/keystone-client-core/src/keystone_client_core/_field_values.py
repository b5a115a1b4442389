"""Encodes single values of fields: refuses what the server would refuse, round, cut off or convert without an error.

Which fields a record has, and which of them may be written, is in ``_fields``; what a value means, for fields and
filters alike, in ``_conversions``. A value that some servers may accept is not refused.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ._conversions import (
    TRUTHS,
    checked_key,
    choice_of,
    day_of,
    fraction_as_decimal,
    integer_of,
    loose_day,
    readable,
    text_of,
    truth_of,
)
from ._json_values import MOST_DIGITS, json_value, listed
from ._references import Reference
from ._resources import Field
from ._scalars import MissingError, builtin
from ._text_rules import is_email
from ._values import LARGEST, UnfitError, is_iterable, plain

_SPELLINGS: Mapping[str, bool] = {
    **TRUTHS,
    **dict.fromkeys(("t", "y", "yes", "on"), True),
    **dict.fromkeys(("f", "n", "no", "off"), False),
}
"""The texts that the server accepts as true and false in a field, in any case."""

_PATTERNS = {r"^[\w.@+-]+$": "give letters, digits and @ . + - _ only"}
"""Descriptions of the patterns of the table, for messages."""

_REFERENCE = "@ref{"
"""The beginning of a reference. The final length of a text with one is not known yet."""


def encode_value(field: Field, value: object) -> object:
    """Check the value of a field and convert it to what JSON can hold.

    Raises:
        UnfitError: The server would refuse or change it, or JSON cannot hold it.
    """
    try:
        found = value if field.kind == "keys" else builtin(value)
    except MissingError as error:
        raise UnfitError(f"{error}; {_instead(field)}") from error
    if found is None:
        if not field.nullable:
            raise UnfitError(f"it cannot be null; {_instead(field)}")
        return None
    if field.kind in ("text", "email", "slug"):
        return _text(field, found)
    if field.kind == "choice":
        return choice_of(field.target, found)
    if field.kind == "decimal":
        return _decimal(field, found)
    if field.kind == "int":
        return _integer(field, found)
    return _ENCODERS.get(field.kind, json_value)(value)


def _instead(field: Field) -> str:
    if field.nullable:
        return "give None for null"
    return "the field needs one" if field.required else "leave the field out"


def _text(field: Field, value: object) -> str:
    if field.write_only and isinstance(value, float):
        raise UnfitError("give text, not a float")  # what ``text_of`` says of a float repeats it
    text = text_of(value)
    if _REFERENCE in text:
        return text
    stored = text.strip()  # the server strips text before it checks and stores it
    if field.trimmed and text != stored:
        raise UnfitError("the server would cut off the blanks at its ends; choose one without")
    if not stored:
        _check_blank(field)
    for length, bound in (
        (field.length, "the server takes at most"),
        (field.column_length, "and the server fails on more than"),
    ):
        if length is not None and len(stored) > length:
            raise UnfitError(f"it has {len(stored):,} characters, {bound} {length:,}")
    if field.pattern and stored and not re.search(field.pattern, stored):
        raise UnfitError(_PATTERNS.get(field.pattern, f"give text that matches {field.pattern}"))
    if field.kind == "email" and stored and not is_email(stored):
        raise UnfitError("give an e-mail address")
    return text


def _check_blank(field: Field) -> None:
    if not field.blank:
        raise UnfitError(f"it cannot be empty; {_instead(field)}")
    if field.unique and field.nullable:  # the server's own check lets a second one through, and its database then fails
        raise UnfitError(f"the server can hold an empty one only once, in one record; {_instead(field)}")


def _integer(field: Field, value: object) -> object:
    number = readable(_number_in(value) if isinstance(value, str) else integer_of(value))
    if field.minimum is not None and number < field.minimum:
        raise UnfitError(f"give an integer from {field.minimum}")
    if field.maximum is not None and number > LARGEST:  # what lies between depends on the server's database
        raise UnfitError(f"give an integer up to {field.maximum}")
    return number if not isinstance(value, str) else str.__str__(value)


def _number_in(text: str) -> int:
    try:
        return int(re.sub(r"\.0*\s*$", "", text))
    except ValueError as error:
        raise UnfitError("give an integer") from error


def _decimal(field: Field, value: object) -> object:
    from decimal import Decimal, InvalidOperation  # takes 2.5 ms, and few records need it

    value = fraction_as_decimal(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise UnfitError("give a number")
    sent = str.__str__(value) if isinstance(value, str) else json_value(value)
    text = float.__repr__(value) if isinstance(value, float) else str(sent).strip()
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise UnfitError("give a number such as '1234.50'") from error
    if not number.is_finite() or len(text) > MOST_DIGITS:
        raise UnfitError("give a finite number of a bearable size")
    if field.digits is not None:
        _check_digits(number, *field.digits)
    return sent


def _check_digits(number: Any, total: int, places: int) -> None:
    """Count digits as the server does: in the number as written, trailing zeros included."""
    _, digits, exponent = number.as_tuple()
    behind = max(-exponent, 0)
    before = max(len(digits) + exponent, 0)
    if behind > places:
        raise UnfitError(f"give a number of at most {places} decimal places; the server does not round")
    if before > total - places:
        raise UnfitError(f"give a number of at most {total - places} digits before the decimal point")


def _boolean(value: object) -> bool:
    truth = truth_of(builtin(value), _SPELLINGS)
    if truth is None:
        raise UnfitError("give True or False")
    return truth


def _key(value: object) -> int:
    value = builtin(value)
    if isinstance(value, str):
        try:
            return checked_key(int(value))
        except ValueError:
            value = None
    try:
        return checked_key(integer_of(value))
    except MissingError:
        raise
    except UnfitError as error:
        raise UnfitError("give the primary key of a record, a positive integer") from error


def _keys(value: object) -> list[object]:
    if isinstance(value, (str, bytes, bytearray, memoryview, Mapping)) or not is_iterable(value):
        raise UnfitError("give a list of primary keys")
    keys = [_item(place, item) for place, item in enumerate(value)]
    return listed(frozenset(keys)) if isinstance(value, (set, frozenset)) else keys


def _item(place: int, item: object) -> object:
    if isinstance(item, Reference):
        return item
    try:
        return _key(item)
    except UnfitError as error:
        raise UnfitError(f"item {place}, counted from 0: {error}") from error


def _date(value: object) -> object:
    day = day_of(value)
    text = plain(value)
    if day is None and isinstance(text, str):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = loose_day(text.removesuffix("\n"))
    if day is None:
        raise UnfitError("give a date or text such as '2024-12-31'")
    return day.isoformat()


_ENCODERS: Mapping[str, Callable[[object], object]] = {
    "bool": _boolean,
    "key": _key,
    "keys": _keys,
    "date": _date,
}
