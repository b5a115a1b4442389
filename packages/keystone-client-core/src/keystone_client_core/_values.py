"""Conversions of Python values that filters, fields and primary keys have in common.

The callers decide which values a particular field accepts.
"""

import operator
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, TypeGuard

LARGEST = 2**63 - 1
"""The largest integer that the server's database can hold, and so the largest primary key."""

SURROGATE = re.compile("[\ud800-\udfff]")
"""Matches a lone surrogate, which UTF-8 cannot encode."""


class UnfitError(Exception):
    """A field or a filter cannot hold the value; the message says why and what to give instead."""


def plain(value: object) -> object:
    """Return the value of an enum member; return anything else unchanged."""
    while isinstance(value, Enum):
        value = value.value
    return value


def integer(value: object) -> int | None:
    """Return a value as an ``int`` if it is an integer, also of numpy; ``None`` for booleans and all else."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return None
    try:  # to ask for typing.SupportsIndex first would take 20 us
        return operator.index(value)  # type: ignore[arg-type]  # that is the question
    except (TypeError, ValueError):  # a numpy array has __index__ too, but it works for an array of one integer only
        return None


def iso(value: date) -> str:
    """Return a date or a time in ISO 8601.

    A time with a zone is converted to UTC and ends in ``Z``: an offset such as ``+02:00`` has a ``+``, which a query
    string reads as a blank.

    Raises:
        ValueError, TypeError, OverflowError: The time is out of range once it is converted to UTC, or it is the
            missing value of a data library, such as pandas' ``NaT``.
    """
    day = date(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return day.isoformat()
    moment = datetime.combine(day, value.timetz(), value.tzinfo)
    if moment.utcoffset() is None:
        return moment.isoformat()
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Return whether a value can be iterated over; an array of numpy without dimensions only looks as if it could."""
    try:
        iter(value)  # type: ignore[call-overload]  # that is the question
    except TypeError:
        return False
    return True
