"""Encodes one value of a filter: checks it against the kind of the field and returns its text in the query.

Names of filters are in ``_filter_names``; lists and ``None`` are in ``_filters``.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

from ._conversions import (
    TRUTHS,
    american_day,
    choice_of,
    day_of,
    fraction_as_decimal,
    integer_of,
    loose_day,
    text_of,
    truth_of,
)
from ._messages import brief
from ._resources import Field
from ._table import RESOURCES
from ._values import LARGEST, UnfitError, integer, iso

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

AUDIT_ACTIONS = ("create", "update", "delete", "access")
"""The actions of the audit log. Records have their names, but the server filters by their index in this tuple."""

PATTERNS = ("contains", "not_contains", "startswith", "not_startswith", "endswith", "not_endswith")
"""The lookups that compare a part of a text."""

_INTEGER = re.compile("[+-]?[0-9]{1,19}")
_MOMENT = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2})[T ](\d{1,2}):(\d{1,2})"
    r"(?::(\d{1,2})(?:[.,](\d{1,6})\d{0,6})?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?"
)
_MOST_DIGITS = 50
_LARGEST_NUMBER_TEXT = 1_000


def value_encoder(field: Field, lookup: str) -> Callable[[object], str]:
    """Return the encoder of values for a field and a lookup.

    The encoder takes a value and returns its text in the query, in one spelling where the server accepts several. It
    raises ``UnfitError`` for a value that does not fit.
    """
    if lookup in PARTS:
        return partial(_integer, *PARTS[lookup])
    if field.filter_kind == "choice" and lookup not in PATTERNS:
        return partial(choice_of, field.target)
    if field.filter_kind == "key" and field.target:
        return partial(_key_of, field.target)
    return _ENCODERS[field.filter_kind]


def encode_truth(value: object) -> str:
    """Return the text of a boolean; the server ignores any spelling but these, and then returns every record."""
    truth = truth_of(value, TRUTHS)
    if truth is None:
        raise UnfitError("give True or False, or 'true', 'false', 1 or 0; the server ignores anything else")
    return str(truth).lower()


def _integer(low: int, high: int, value: object) -> str:
    number = int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else integer_of(_number_in(value))
    if not low <= number <= high:
        raise UnfitError(f"give an integer from {low} to {high}")
    return str(number)


def _number_in(value: object) -> object:
    """Return the number that a text stands for, as the server reads it; return anything else unchanged."""
    if not isinstance(value, str):
        return value
    from decimal import Decimal, InvalidOperation  # takes 2.5 ms, and few filters need it

    try:
        return Decimal(value.strip() if len(value) <= _LARGEST_NUMBER_TEXT else "")
    except InvalidOperation:
        return None


def _key(value: object) -> str:
    if isinstance(value, str):  # the server does not accept "1.0" as a key
        try:
            value = int(value[:_LARGEST_NUMBER_TEXT])
        except ValueError:
            value = None
    return _integer(1, LARGEST, value)


def _key_of(target: str, value: object) -> str:
    try:
        return _key(value)
    except UnfitError as error:
        if not isinstance(value, str) or not value.strip():
            raise
        name = RESOURCES[target].natural_key
        condition = f"{name[0]!r}: {brief(value)}" if len(name) == 1 else "..."
        found = f"retrieve_{target}(filters={{{condition}}}) finds it"
        raise UnfitError(f"give the key of the {target}, an integer; {found}") from error


def _decimal(value: object) -> str:
    from decimal import Decimal

    number = _number_in(value)
    if isinstance(number, float):
        number = Decimal(float.__repr__(number))
    elif (exact := integer(number)) is not None:
        number = Decimal(exact if abs(exact) < 10**_MOST_DIGITS else "inf")
    number = fraction_as_decimal(number)
    if not isinstance(number, Decimal):
        raise UnfitError(f"give a finite number of at most {_MOST_DIGITS} digits, or its text")
    return _plain_decimal(number)


def _plain_decimal(number: "Decimal") -> str:
    if not number.is_finite() or len(number.as_tuple().digits) > _MOST_DIGITS or abs(number.adjusted()) >= _MOST_DIGITS:
        raise UnfitError(f"give a finite number of at most {_MOST_DIGITS} digits")
    return format(number, "f")


def _text(value: object) -> str:
    text = text_of(value)
    if text != text.strip():
        raise UnfitError("the server cuts off blanks at the ends and would match more; give text without them")
    return text


def _code(value: object) -> str:
    if isinstance(value, str) and value in AUDIT_ACTIONS:
        return str(AUDIT_ACTIONS.index(value))
    try:
        return _integer(0, len(AUDIT_ACTIONS) - 1, value)
    except UnfitError as error:
        raise UnfitError(f"give one of {', '.join(AUDIT_ACTIONS)}, or its number from 0") from error


def _ip(value: object) -> str:
    from ipaddress import IPv4Address, IPv6Address, ip_address  # only one field of one resource needs it

    if not isinstance(value, (str, IPv4Address, IPv6Address)):
        raise UnfitError("give an IP address")
    try:
        return str(ip_address(value.strip() if isinstance(value, str) else value))
    except ValueError as error:
        raise UnfitError("give an IP address") from error


def _date(value: object) -> str:
    day = day_of(value)
    if day is None and isinstance(value, str):
        text = value.strip()
        day = loose_day(text) or american_day(text)
    if day is None:
        raise UnfitError("give a date or text such as '2024-12-31'")
    return day.isoformat()


def _datetime(value: object) -> str:
    try:
        if isinstance(value, str):
            value = _moment_in(value.strip())
        if isinstance(value, date):
            return iso(value)
    except (ValueError, OverflowError, TypeError) as error:
        raise UnfitError("give a time the calendar has, such as '2024-12-31T23:59:59Z'") from error
    raise UnfitError("give a datetime, a date, or text such as '2024-12-31T23:59:59Z'")


def _moment_in(text: str) -> datetime:
    """Read a time as the server does, which also accepts parts without a leading zero."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return datetime.fromisoformat(text)
    day, hour, minute, second, fraction, zone = match.groups()
    padded = "-".join(f"{int(figures):02}" for figures in day.split("-"))
    clock = ":".join(f"{int(figures or 0):02}" for figures in (hour, minute, second))
    end = {None: "", "Z": "+00:00"}.get(zone, zone)
    return datetime.fromisoformat(f"{padded}T{clock}.{(fraction or '0').ljust(6, '0')}{end}")


_ENCODERS: Mapping[str, Callable[[object], str]] = {
    "int": partial(_integer, -LARGEST - 1, LARGEST),
    "key": _key,
    "decimal": _decimal,
    "bool": encode_truth,
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
