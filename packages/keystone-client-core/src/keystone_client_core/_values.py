"""Python values on their way to the server: what filters, fields and keys convert alike.

What a particular field takes is decided by the callers.
"""

import operator
import re
from datetime import UTC, date, datetime
from enum import Enum
from typing import SupportsIndex

LARGEST = 2**63 - 1
"""The largest integer, and so the largest key, the server's database can hold."""

SURROGATE = re.compile("[\ud800-\udfff]")
"""Characters that no encoding can carry."""


def plain(value: object) -> object:
    """The value of an enum member, anything else as it is."""
    while isinstance(value, Enum):
        value = value.value
    return value


def integer(value: object) -> int | None:
    """The value as an ``int`` if it is one, numpy's included, and neither a boolean nor text; else ``None``."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError):  # arrays have the method for the case that they hold one number
        return None


def iso(value: date) -> str:
    """A date or a time in ISO 8601; a time with a zone as UTC with ``Z``, since ``+`` in a URL is a blank.

    Raises:
        ValueError, TypeError, OverflowError: The calendar does not have it, in UTC perhaps, or it is "no time" of a
            data library.
    """
    day = date(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return day.isoformat()
    moment = datetime.combine(day, value.timetz(), value.tzinfo)
    if moment.utcoffset() is None:
        return moment.replace(tzinfo=None).isoformat()
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
