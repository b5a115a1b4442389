"""Values of filters, read as the server's filter forms read them: one function per kind, with its own complaint.

What a filter compares with what is in ``filters``.
"""

import datetime as dt
import decimal
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keystone_client_core import AUDIT_ACTIONS, CHOICES, Field

from .._wire import PageError
from .._world.addresses import shortened
from .._world.models import MODELS
from .._world.store import Store

_DATE_FORMATS = (
    "%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%b %d %Y", "%b %d, %Y", "%d %b %Y",
    "%d %b, %Y", "%B %d %Y", "%B %d, %Y", "%d %B %Y", "%d %B, %Y",
)  # fmt: skip


class Rule(NamedTuple):
    """One query parameter of a listing."""

    field: Field
    lookup: str
    negated: bool


class BadValueError(Exception):
    """A value that the form of a filter refuses."""


class NoYearError(PageError):
    """A year Python has no dates of. A listing fails on it; a detail URL answers 404, as for a key it cannot read."""


Clean = Callable[[Rule, str, Store], Any]
BOOLS = {"true": True, "false": False, "1": True, "0": False}
TEXTUAL = frozenset({"text", "email", "slug", "choice", "ip"})


def clean_text(rule: Rule, text: str, store: Store) -> str:
    """Strip the text."""
    if "\0" in text:
        raise BadValueError("Null characters are not allowed.")
    return text.strip()


def _clean_address(rule: Rule, text: str, store: Store) -> Any:
    """Strip an address. The form takes any text; an address that the database cannot read is a 500."""
    address = shortened(clean_text(rule, text, store))
    try:
        return address and store.database.read_address(address)
    except ValueError:
        raise PageError(500) from None


def _clean_choice(rule: Rule, text: str, store: Store) -> str:
    if text not in CHOICES[rule.field.target]:
        raise BadValueError(f"Select a valid choice. {text} is not one of the available choices.")
    return text


def _clean_code(rule: Rule, text: str, store: Store) -> int:
    if text not in _CODES:
        raise BadValueError(f"Select a valid choice. {text} is not one of the available choices.")
    return int(text)


_CODES = tuple(map(str, range(len(AUDIT_ACTIONS))))
"""What the audit log keeps of an action."""


def _clean_bool(rule: Rule, text: str, store: Store) -> bool | None:
    return BOOLS.get(text.lower())


def clean_number(text: str) -> decimal.Decimal | None:
    """Read a number; ``None`` for nothing, while blanks are no number."""
    if text == "":
        return None
    try:
        number = decimal.Decimal(text.strip())
    except decimal.DecimalException:
        raise BadValueError("Enter a number.") from None
    if not number.is_finite():
        raise BadValueError("Enter a number.")
    if number > _MOST:
        raise BadValueError("Ensure this value is less than or equal to 1e+50.")
    return number


def _clean_decimal(rule: Rule, text: str, store: Store) -> decimal.Decimal | None:
    return clean_number(text)


_MOST = decimal.Decimal(10) ** 50


def _clean_int(rule: Rule, text: str, store: Store) -> int | None:
    number = clean_number(text)
    return None if number is None else int(number)


_MODEL_IDS = range(1, MODELS + 1)


def _clean_key(rule: Rule, text: str, store: Store) -> int | None:
    if text == "":
        return None
    if "\0" in text:
        raise BadValueError("Null characters are not allowed.")
    try:
        pk = int(text)
    except ValueError:
        pk = 0
    known = store.tables[rule.field.target] if rule.field.target else _MODEL_IDS
    if pk not in known:
        raise BadValueError("Select a valid choice. That choice is not one of the available choices.")
    return pk


def _clean_date(rule: Rule, text: str, store: Store) -> dt.date | None:
    if text == "":
        return None
    for form in _DATE_FORMATS:
        try:
            return dt.datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise BadValueError("Enter a valid date.")


_LOOSE_MOMENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,6})\d{0,6})?)?"
    r"\s*(Z|[+-]\d{2}(?::?\d{2})?)?$"
)


def _clean_datetime(rule: Rule, text: str, store: Store) -> dt.datetime | None:
    if text == "":
        return None
    moment = _moment(text.strip())
    try:
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except OverflowError:
        if store.database.moments_overflow:
            raise PageError(500) from None
    return _FIRST if moment.year == 1 else _LAST


_FIRST, _LAST = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)


def _moment(text: str) -> dt.datetime:
    try:
        if "z" in text:
            raise ValueError(text)
        return dt.datetime.fromisoformat(text)
    except ValueError:
        if (match := _LOOSE_MOMENT.match(text)) is None:
            raise BadValueError("Enter a valid date/time.") from None
    try:
        return _loose_moment(*match.groups())
    except ValueError:
        raise BadValueError("Enter a valid date/time.") from None


def _loose_moment(*parts: str | None) -> dt.datetime:
    *numbers, micro, zone = parts
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    offset = dt.UTC if zone == "Z" else zone and dt.datetime.strptime(_padded(zone), "%z").tzinfo
    return dt.datetime(year, month, day, hour, minute, second, int((micro or "0").ljust(6, "0")), offset or None)


def _padded(zone: str) -> str:
    return zone if len(zone) > 3 else zone + "00"


_CLEANERS: Mapping[str, Clean] = {
    "int": _clean_int,
    "code": _clean_int,
    "decimal": _clean_decimal,
    "bool": _clean_bool,
    "text": clean_text,
    "email": clean_text,
    "slug": clean_text,
    "ip": _clean_address,
    "choice": clean_text,
    "key": _clean_key,
    "date": _clean_date,
    "datetime": _clean_datetime,
}


_EXACT: Mapping[str, Clean] = {"choice": _clean_choice, "code": _clean_code}
"""Kinds whose whole values come from a list."""


def cleaner_of(rule: Rule) -> Clean:
    """Return the function that reads a value for a filter."""
    kind = rule.field.filter_kind
    return _EXACT[kind] if rule.lookup == "" and kind in _EXACT else _CLEANERS[kind]
