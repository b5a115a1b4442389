"""Encodes any value as JSON: of fields that hold JSON, and of those whose kind has no rule of its own."""

import math
from collections.abc import Iterable, Mapping
from datetime import date

from ._conversions import encodable, readable
from ._references import Reference
from ._scalars import builtin
from ._values import UnfitError, integer, iso, plain

_DEEPEST = 100

MOST_DIGITS = 1_000
"""The longest text of a number that the server reads."""


def json_value(value: object, depth: int = 0) -> object:
    """Return a copy of a value that ``json.dumps`` accepts, references apart.

    Raises:
        UnfitError: JSON cannot hold it, or the server would fail on it.
    """
    if depth > _DEEPEST:
        raise UnfitError(f"it is nested more than {_DEEPEST} deep")
    value = builtin(value)
    if value is None or isinstance(value, (bool, Reference)):
        return value
    if isinstance(value, Mapping):
        return {_name(name): json_value(item, depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_value(item, depth + 1) for item in listed(value)]
    return _scalar(value)


def _name(name: object) -> str:
    name = plain(name)
    if not isinstance(name, str):
        raise UnfitError(f"JSON has only text for keys, not {type(name).__name__}")
    return encodable(name)


def listed(value: Iterable[object]) -> list[object]:
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
    return readable(number)


def _number_or_id(value: object) -> str:
    from decimal import Decimal  # takes 7 ms, and few records need it
    from uuid import UUID

    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, Decimal):
        raise UnfitError(f"JSON cannot hold {type(value).__name__}")
    if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS:
        raise UnfitError("give a finite number of a bearable size")
    return format(value, "f")


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise UnfitError("JSON has no such number; give a finite one")
    return float(number)


def _moment(value: date) -> str:
    try:
        return iso(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise UnfitError("give a time the calendar has, in UTC too") from error
