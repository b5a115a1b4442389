"""One value of a filter: what a field's kind can hold, and its text in a query as the server reads it.

Names of filters, lists and what to do with ``None`` belong to ``_filters``.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

from ._messages import shown
from ._resources import Field
from ._table import CHOICES
from ._values import LARGEST, SURROGATE, integer, iso

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
"""The lookups that compare a part of a date or a time, and what they can be; week days count from Sunday."""

ACTIONS = ("create", "update", "delete", "access")
"""What the audit log calls its actions; the server filters by their places."""

PATTERNS = ("contains", "not_contains", "startswith", "not_startswith", "endswith", "not_endswith")
"""The lookups for a piece of a text."""

_INTEGER = re.compile("[+-]?[0-9]{1,19}")
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_DIGITS = 50


class UnfitValueError(Exception):
    """The value is not one the field can hold; the text says what is wanted."""


def value_encoder(field: Field, lookup: str) -> Callable[[object], str]:
    """The function that turns a value for this field and lookup into its text, or raises ``UnfitValueError``."""
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
    from decimal import Decimal, InvalidOperation

    if isinstance(value, float):
        value = float.__repr__(value)
    elif isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise UnfitValueError("give a number or its text")
    elif isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS:
        raise UnfitValueError(f"give a number of at most {_MOST_DIGITS} digits")
    elif isinstance(value, str) and not (value.isascii() and value == value.strip() and "_" not in value):
        raise UnfitValueError("give a number or its text")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise UnfitValueError("give a number or its text") from error
    if not number.is_finite():
        raise UnfitValueError("give a finite number")
    if abs(number.adjusted()) >= _MOST_DIGITS or len(number.as_tuple().digits) > _MOST_DIGITS:
        raise UnfitValueError(f"give a number of at most {_MOST_DIGITS} digits")
    return format(number, "f")


def _boolean(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower()
    raise UnfitValueError("the server ignores anything but true and false; give True or False")


def _text(value: object) -> str:
    from uuid import UUID

    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise UnfitValueError("give text" + (f": {str(value)!r}" if type(value) is int else ""))
    if value != value.strip():
        raise UnfitValueError("the server cuts off blanks at the ends and would match more; give text without them")
    if "\0" in value or SURROGATE.search(value):
        raise UnfitValueError("give text without NUL characters and lone surrogates")
    return str.__str__(value)


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
    from ipaddress import IPv4Address, IPv6Address, ip_address

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
        return value.isoformat()
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
"""The filter kinds whose lists are sorted by number."""


def unfit(value: object, why: object) -> str:
    """The part of a message that names a value and what is wrong with it."""
    return f"{shown(value)} does not fit: {why}"
