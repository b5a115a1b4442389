"""Recognises the scalars of data libraries (numpy, pandas, polars, pyarrow) by their methods and attributes.

None of these libraries is imported. What a value means for a field or a filter is decided in ``_conversions``.
"""

from datetime import date, datetime, time
from typing import Any

from ._errors import FieldError
from ._values import UnfitError, integer, plain

_EXACT_FLOAT = 2**53
"""Beyond this a float cannot represent every integer."""

_MOST_DIGITS = 400
_MISSING = frozenset(("NAType", "NaTType", "MaskedConstant"))
"""Types whose only value means "missing": those of pandas and of masked arrays."""


class MissingError(UnfitError):
    """The value is a missing one, such as NaN; the message names it."""


def builtin(value: object) -> Any:
    """Convert a scalar of a data library to the built-in Python type; return anything else unchanged.

    Raises:
        MissingError: The value is missing.
        UnfitError: It is finer than Python can hold.
    """
    value = plain(value)
    if value is None or type(value) in (bool, int, str):
        return value
    if is_missing(value):
        raise MissingError("it is a missing value")
    if isinstance(value, datetime) and getattr(value, "nanosecond", None):
        raise UnfitError("it has nanoseconds, and the server keeps microseconds; round it first")
    as_python = getattr(value, "as_py", None) if type(value).__module__.startswith("pyarrow") else None
    if as_python is not None:
        value = as_python()
        if value is None:
            raise MissingError("it is a missing value")
        return builtin(value)
    return _from_array(value) if _is_array_scalar(value) else value


def python_scalar(value: object) -> Any:
    """Return what a scalar of a data library holds, as a value of Python itself; return anything else unchanged.

    Raises:
        FieldError: The value is missing, or finer than Python can hold.
    """
    try:
        return builtin(value)
    except UnfitError as error:
        raise FieldError(str(error)) from None


def is_missing(value: Any) -> bool:
    """Return whether a value is NaN, NaT, NA or the like. ``None`` is not: it means null."""
    if type(value).__name__ in _MISSING:
        return True
    if isinstance(value, str | int) or not (isinstance(value, float | date) or _is_number(value)):
        return False
    is_nan = getattr(value, "is_nan", None)  # of a decimal, which may refuse to be compared
    try:
        return bool(is_nan() if is_nan is not None else value != value)  # noqa: PLR0124 - NaN differs from itself
    except Exception:  # noqa: BLE001  # whatever cannot be compared with itself is no missing number
        return False


def whole(value: Any) -> int | None:
    """Return an integer, or a float, decimal or fraction with an integer value, as an ``int``.

    ``None`` stands for anything else, booleans included, and for floats that are too large to be exact.
    """
    number = integer(value)
    if number is not None or isinstance(value, bool) or not hasattr(value, "as_integer_ratio"):
        return number
    try:
        if hasattr(value, "adjusted") and abs(value.adjusted()) > _MOST_DIGITS:  # a decimal with a huge exponent
            return None
        numerator, denominator = value.as_integer_ratio()
    except (TypeError, ValueError, OverflowError):
        return None
    if denominator != 1 or (isinstance(value, float) and abs(value) > _EXACT_FLOAT):
        return None
    return int(numerator)


def real(value: object) -> float | None:
    """Return a real number as an ``int`` or a ``float``; ``None`` for anything else, missing values included."""
    try:
        number = builtin(value)
        if isinstance(number, bool | str) or not hasattr(number, "as_integer_ratio"):
            return None
        return int(number) if isinstance(number, int) else float(number)
    except (UnfitError, TypeError, ValueError, OverflowError):
        return None


def _is_number(value: object) -> bool:
    return hasattr(value, "as_integer_ratio") or _is_array_scalar(value)


def _is_array_scalar(value: object) -> bool:
    """Return whether a value is a scalar of numpy, or of a library that follows it: an array without dimensions."""
    try:
        return hasattr(value, "dtype") and getattr(value, "shape", None) == () and hasattr(value, "item")
    except Exception:  # noqa: BLE001  # an object whose every attribute fails is no scalar
        return False


def _from_array(value: Any) -> Any:
    try:
        kind = getattr(value.dtype, "kind", "")
        if kind == "M":  # item() of a time with nanoseconds is a bare number
            return _moment(value)
        # The shortest text of a narrow float is the number meant: 100.1, not 100.0999984741211.
        item = float(str(value)) if kind == "f" else value.item()
    except UnfitError:
        raise
    except Exception:  # noqa: BLE001  # what a library cannot convert is refused further on, by its type
        return value
    return item if kind != "f" or value == value.dtype.type(item) else value


def _moment(value: Any) -> object:
    rounded = value.astype("datetime64[us]")
    if value != rounded:
        raise UnfitError("it has nanoseconds, and the server keeps microseconds; round it first")
    moment = rounded.item()
    return moment.date() if moment.time() == time(0) else moment  # it has no zone, and numpy no type for a date
