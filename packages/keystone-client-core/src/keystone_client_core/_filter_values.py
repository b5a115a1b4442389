"""Encodes one value of a filter: checks it against the kind of the field and returns its text in the query.

Names of filters are in ``_filter_names``; lists and ``None`` are in ``_filters``.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

from ._resources import Field
from ._table import CHOICES
from ._values import LARGEST, SURROGATE, integer, iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

PARTS: Mapping[str, tuple[int, int]] = {
    "year": (1, 9999),
    "month": (1, 12),
    "day": (1, 31),
    "week": (1, 53),
    "week_day": (1, 7),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
}
"""The lookups that compare a part of a date or a time, with the range of each. Week days count from 1, a Sunday."""

ACTIONS = ("create", "update", "delete", "access")
"""The actions of the audit log. Records have their names, but the server filters by their index in this tuple."""

PATTERNS = ("contains", "not_contains", "startswith", "not_startswith", "endswith", "not_endswith")
"""The lookups that compare a part of a text."""

_INTEGER = re.compile("[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_DIGITS = 50


class UnfitValueError(Exception):
    """The field cannot hold the value; the message says what to give instead."""


def value_encoder(field: Field, lookup: str) -> Callable[[object], str]:
    """Return the encoder of values for a field and a lookup.

    The encoder takes a value and returns its text in the query. It raises ``UnfitValueError`` for a value that does not
    fit.
    """
    if lookup in PARTS:
        return partial(_integer, *PARTS[lookup])
    if field.filter_kind == "choice" and lookup not in PATTERNS:
        return partial(_choice, CHOICES[field.target])
    return _ENCODERS[field.filter_kind]


def _integer(low: int, high: int, value: object) -> str:
    if isinstance(value, float):
        raise UnfitValueError("the server would cut off the decimals; give an integer")
    number = (int(value) if _INTEGER.fullmatch(value) else None) if isinstance(value, str) else integer(value)
    if number is None:
        raise UnfitValueError("give an integer")
    if not low <= number <= high:
        raise UnfitValueError(f"give an integer from {low} to {high}")
    return str(number)


def _decimal(value: object) -> str:
    from decimal import Decimal, InvalidOperation  # takes 2.5 ms, and few filters need it

    number = integer(value)
    if isinstance(value, float):
        value = float.__repr__(value)
    elif number is not None:
        value = str(number) if abs(number) < 10**_MOST_DIGITS else "inf"
    if not isinstance(value, Decimal) and not (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise UnfitValueError(f"give a finite number of at most {_MOST_DIGITS} digits, or its text")
    try:
        return _plain_decimal(Decimal(value))
    except InvalidOperation as error:
        raise UnfitValueError("give a number with a smaller exponent") from error


def _plain_decimal(number: "Decimal") -> str:
    if not number.is_finite() or len(number.as_tuple().digits) > _MOST_DIGITS or abs(number.adjusted()) >= _MOST_DIGITS:
        raise UnfitValueError(f"give a finite number of at most {_MOST_DIGITS} digits")
    return format(number, "f")


def _boolean(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower()
    raise UnfitValueError("the server ignores anything but true and false; give True or False")


def _text(value: object) -> str:
    if not isinstance(value, str):
        return _uuid(value)
    if value != value.strip():
        raise UnfitValueError("the server cuts off blanks at the ends and would match more; give text without them")
    if "\0" in value or SURROGATE.search(value):
        raise UnfitValueError("give text without NUL characters and lone surrogates")
    return str.__str__(value)


def _uuid(value: object) -> str:
    from uuid import UUID  # takes 5 ms, and few filters need it

    if isinstance(value, UUID):
        return str(value)
    known = type(value) is int and abs(value) <= LARGEST  # Python does not convert much larger ones to text
    raise UnfitValueError("give text" + (f" such as {str(value)!r}" if known else ""))


def _choice(codes: Mapping[str, str], value: object) -> str:
    if isinstance(value, str) and value in codes:
        return str.__str__(value)
    raise UnfitValueError(f"give one of {', '.join(f'{code} = {label}' for code, label in codes.items())}")


def _code(value: object) -> str:
    if isinstance(value, str) and value in ACTIONS:
        return str(ACTIONS.index(value))
    try:
        return _integer(0, len(ACTIONS) - 1, value)
    except UnfitValueError as error:
        raise UnfitValueError(f"give one of {', '.join(ACTIONS)}, or its number from 0") from error


def _ip(value: object) -> str:
    from ipaddress import IPv4Address, IPv6Address, ip_address  # only one field of one resource needs it

    if not isinstance(value, (str, IPv4Address, IPv6Address)):
        raise UnfitValueError("give an IP address")
    try:
        return str(ip_address(value))
    except ValueError as error:
        raise UnfitValueError("give an IP address") from error


def _date(value: object) -> str:
    if isinstance(value, datetime):
        raise UnfitValueError("a date is wanted; give its .date()")
    if isinstance(value, date):
        return iso(value)
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError as error:
            raise UnfitValueError(f"there is no such day: {error}") from error
    raise UnfitValueError("give a date or text such as '2024-12-31'")


def _datetime(value: object) -> str:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, date):
            return iso(value)
    except (ValueError, OverflowError, TypeError) as error:
        raise UnfitValueError("give a time the calendar has, such as '2024-12-31T23:59:59Z'") from error
    raise UnfitValueError("give a datetime, a date, or text such as '2024-12-31T23:59:59Z'")


_ENCODERS: Mapping[str, Callable[[object], str]] = {
    "int": partial(_integer, -LARGEST - 1, LARGEST),
    "key": partial(_integer, 1, LARGEST),
    "decimal": _decimal,
    "bool": _boolean,
    "text": _text,
    "email": _text,
    "slug": _text,
    "choice": _text,
    "code": _code,
    "ip": _ip,
    "date": _date,
    "datetime": _datetime,
}

INTEGERS = frozenset(("int", "key", "code"))
"""The filter kinds whose values are integers, so that lists of them are sorted as numbers."""
