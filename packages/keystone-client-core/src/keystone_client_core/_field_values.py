"""Encodes single values of fields: refuses what the server would round, cut off or convert without an error.

Which fields a record has, and which of them may be written, is in ``_fields``.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from ._errors import FieldError
from ._references import Reference
from ._url import primary_key
from ._values import SURROGATE, integer, iso, plain

_DEEPEST = 100

_MOST_DIGITS = 1_000

_MOST_BITS = 10_000  # the server refuses integers of more than 4,300 digits, and Python does not convert them to text


class UnfitFieldError(Exception):
    """The field cannot hold the value; the message says why and what to give instead."""


def untrimmed(value: object) -> object:
    """Refuse text with outer blanks, which the server cuts off."""
    text = json_value(value)
    if isinstance(text, str) and text != text.strip():
        raise UnfitFieldError("the server would cut off the blanks at its ends; choose one without")
    return text


def _integer(value: object) -> object:
    value = plain(value)
    if isinstance(value, (bool, float)):
        raise UnfitFieldError("give an integer; the server would cut off decimals")
    return json_value(value)


def _decimal(value: object) -> object:
    value = plain(value)
    if isinstance(value, bool):
        raise UnfitFieldError("give a number")
    return json_value(value)


def _boolean(value: object) -> bool:
    value = plain(value)
    if not isinstance(value, bool):
        raise UnfitFieldError("give True or False")
    return value


def _key(value: object) -> int:
    try:
        return primary_key(plain(value))
    except FieldError as error:
        raise UnfitFieldError("give the primary key of a record, a positive integer") from error


def _keys(value: object) -> list[object]:
    if isinstance(value, (str, bytes, bytearray, memoryview, Mapping)) or not isinstance(value, Iterable):
        raise UnfitFieldError("give a list of primary keys")
    keys: list[object] = [item if isinstance(item, Reference) else _key(item) for item in value]
    return _listed(frozenset(keys)) if isinstance(value, (set, frozenset)) else keys


def _date(value: object) -> object:
    value = plain(value)
    if isinstance(value, datetime):
        raise UnfitFieldError("a date is wanted; give its .date()")
    return json_value(value)


ENCODERS: Mapping[str, Callable[[object], object]] = {
    "int": _integer,
    "decimal": _decimal,
    "bool": _boolean,
    "key": _key,
    "keys": _keys,
    "date": _date,
}


def json_value(value: object, depth: int = 0) -> object:
    if depth > _DEEPEST:
        raise UnfitFieldError(f"it is nested more than {_DEEPEST} deep")
    value = plain(value)
    if value is None or isinstance(value, (bool, Reference)):
        return value
    if isinstance(value, Mapping):
        return {_name(name): json_value(item, depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_value(item, depth + 1) for item in _listed(value)]
    return _scalar(value)


def _name(name: object) -> str:
    name = plain(name)
    if not isinstance(name, str):
        raise UnfitFieldError(f"JSON has only text for keys, not {type(name).__name__}")
    return encodable(name)


def _listed(value: Iterable[object]) -> list[object]:
    """Return the items as a list. A set is sorted if possible, so that equal sets make equal requests."""
    items = list(value)
    if not isinstance(value, (set, frozenset)):
        return items
    try:
        return sorted(items)  # type: ignore[type-var]  # items that cannot be sorted raise the TypeError caught below
    except TypeError:
        return items


def _scalar(value: object) -> object:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, date):
        return _moment(value)
    number = integer(value)
    if number is None:
        return _number_or_id(value)
    if number.bit_length() > _MOST_BITS:
        raise UnfitFieldError("it has more digits than the server reads")
    return number


def _number_or_id(value: object) -> str:
    from decimal import Decimal  # takes 7 ms, and few records need it
    from uuid import UUID

    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, Decimal):
        raise UnfitFieldError(f"JSON cannot hold {type(value).__name__}")
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        raise UnfitFieldError("give a finite number of a bearable size")
    return format(value, "f")


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise UnfitFieldError("JSON has no such number; give a finite one")
    return float(number)


def _moment(value: date) -> str:
    try:
        return iso(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise UnfitFieldError("give a time the calendar has, in UTC too") from error


def encodable(text: str) -> str:
    if SURROGATE.search(text):
        raise UnfitFieldError("it has lone surrogates, which cannot be sent")
    return str.__str__(text)
