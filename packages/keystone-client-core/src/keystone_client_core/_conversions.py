"""Interprets values for fields and filters alike, so that both report a mistake in the same words.

Each function takes a value of Python itself (see ``_scalars``) and raises ``UnfitError`` with what to give instead.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from ._scalars import builtin, whole
from ._table import CHOICES
from ._values import LARGEST, SURROGATE, UnfitError

TRUTHS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
"""The texts that filters accept as true and false, in any case. Fields accept more."""

_MOST_BITS = 10_000  # some 3,000 digits; Python, too, converts no integer of more than 4,300 to text
_PERSONS_NUMBER = re.compile(r"-?[0-9]+\.[0-9]*[1-9]")
_MOST_FLOAT_DIGITS = 15
_LOOSE_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


def text_of(value: Any) -> str:
    """Return text. A number is converted if its text is what a person would write."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(readable(value)))
    if isinstance(value, float):
        return _float_text(value)
    from decimal import Decimal  # takes 7 ms with uuid, and few records need them
    from uuid import UUID

    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and -_MOST_FLOAT_DIGITS <= value.as_tuple().exponent <= 0:  # type: ignore[operator]  # the exponent of a finite number is one
        return format(value, "f")
    raise UnfitError(f"give text, not {type(value).__name__}")


def encodable(text: str) -> str:
    """Return text as a plain ``str``; refuse what the server could not read."""
    if SURROGATE.search(text):
        raise UnfitError("it has lone surrogates, which cannot be sent")
    if "\0" in text:
        raise UnfitError("the server refuses NUL characters")
    return str.__str__(text)


def truth_of(value: Any, spellings: Mapping[str, bool]) -> bool | None:
    """Return a boolean for a boolean, for 1 and 0, and for a known spelling; ``None`` for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return spellings.get(value.lower())
    number = whole(value)
    return bool(number) if number in (0, 1) else None


def choice_of(target: str, value: Any) -> str:
    """Return the code of a choice; an error lists all of them."""
    codes = CHOICES[target]
    if isinstance(value, str) and value in codes:
        return str.__str__(value)
    raise UnfitError(f"give one of {', '.join(f'{code} = {label}' for code, label in codes.items())}")


def integer_of(value: Any) -> int:
    """Return a number as an ``int`` if it is an integer. The caller handles text."""
    number = whole(value)
    if number is not None:
        return number
    if isinstance(value, float) and value.is_integer():
        raise UnfitError("a float of this size has lost its last digits; give an integer")
    is_number = hasattr(value, "as_integer_ratio") and not isinstance(value, bool)
    if is_number and -LARGEST <= value <= LARGEST:  # abs() of a decimal with a huge exponent raises
        raise UnfitError("give an integer; the server would cut off decimals")
    raise UnfitError("give an integer")


def fraction_as_decimal(value: Any) -> Any:
    """Return a fraction as the exactly equal decimal; return anything else unchanged."""
    if not hasattr(value, "numerator") or isinstance(value, int):
        return value
    from decimal import Context, Decimal

    numerator, denominator = int(value.numerator), int(value.denominator)
    if max(numerator.bit_length(), denominator.bit_length()) > _MOST_FLOAT_DIGITS * 10:
        raise UnfitError("give a number of fewer digits")
    number = Context(prec=100).divide(Decimal(numerator), Decimal(denominator))
    if number.as_integer_ratio() != (numerator, denominator):
        raise UnfitError("it has no end as a decimal; round it first")
    return number


def day_of(given: object) -> date | None:
    """Return a date; ``None`` for text and anything else that is not a date.

    A data library has no type for a date, so a time of one is taken if it is midnight.
    """
    value = builtin(given)
    if not isinstance(value, datetime):
        return date(value.year, value.month, value.day) if isinstance(value, date) else None
    if type(given) is not datetime and value.tzinfo is None and value.timetz() == time(0):
        return value.date()
    raise UnfitError("a date is wanted; give its .date()")


def loose_day(text: str) -> date | None:
    """Return the date of a text such as ``2024-1-5``; ``None`` for another form."""
    match = _LOOSE_DATE.fullmatch(text)
    return None if match is None else calendar_day(*map(int, match.groups()))


def american_day(text: str) -> date | None:
    """Return the date of a text as Django's forms read it: ``12/31/2024``, ``Dec 31, 2024``, ``31 December 2024``."""
    for form in ("%m/%d/%Y", "%m/%d/%y", *(f"{d}{comma} %Y" for d in _DAYS for comma in ("", ","))):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


_DAYS = ("%b %d", "%d %b", "%B %d", "%d %B")


def calendar_day(year: int, month: int, day: int) -> date:
    """Return the date, if the calendar has it."""
    try:
        return date(year, month, day)
    except ValueError as error:
        raise UnfitError(f"there is no such day: {error}") from error


def checked_key(number: int) -> int:
    """Return a number that can be a primary key."""
    if not 0 < number <= LARGEST:
        raise UnfitError("give the primary key of a record, a positive integer")
    return number


def readable(number: int) -> int:
    """Return an integer that the server reads: one of more than 4,300 digits is refused there."""
    if number.bit_length() > _MOST_BITS:
        raise UnfitError("it has more digits than the server reads")
    return number


def _float_text(number: float) -> str:
    text = float.__repr__(number)
    if _PERSONS_NUMBER.fullmatch(text) and sum(map(str.isdigit, text)) <= _MOST_FLOAT_DIGITS:
        return text
    exact = whole(number)
    advice = f"give text such as {str(exact)!r}" if exact is not None else "give text"
    raise UnfitError(f"the server would write it {text!r}; {advice}")
