"""What the server refuses in the value of a field: too long, not a date, none of the choices.

A check here must never refuse what some server takes: where servers differ, as in the largest integer of their
databases, the widest rule counts and the server decides. Values that cannot be sent at all are for ``_field_values``.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ._resources import Field
from ._table import CHOICES
from ._values import LARGEST

_LOOSE_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})$")
_LONGEST_NUMBER = 1000
_LONGEST_EMAIL = 320
_EMAIL_USER = re.compile(
    r"^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*\Z"
    r'|^"([\001-\010\013\014\016-\037!#-\[\]-\177]|\\[\001-\011\013\014\016-\177])*"\Z',
    re.IGNORECASE,
)
_EMAIL_HOST = re.compile(
    r"(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+(?:[A-Z0-9-]{2,63}(?<!-))\Z"
    r"|\[[0-9a-f:.]+\]\Z|localhost\Z",
    re.IGNORECASE,
)


def broken_limit(field: Field, value: Any) -> str:
    """Return why the server would refuse a value, or an empty text.

    Args:
        field: The field.
        value: What the encoder of the field returned.
    """
    if value is None:
        return "" if field.nullable else f"it cannot be None; {'give a value' if field.required else 'leave it out'}"
    check = _CHECKS.get(field.kind)
    return check(field, value) if check else ""


def is_email(text: str) -> bool:
    """Check whether the server takes a text for an e-mail address; the rule is Django's."""
    user, at, host = text.rpartition("@")
    if not at or len(text) > _LONGEST_EMAIL or not _EMAIL_USER.match(user):
        return False
    if _EMAIL_HOST.match(host):
        return True
    try:
        return bool(_EMAIL_HOST.match(host.encode("idna").decode("ascii")))
    except UnicodeError:
        return False


def _text(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "give text"
    text = str(value).strip()  # as the server does before it checks
    if not text:
        return "" if field.blank else "it cannot be empty"
    if field.length is not None and len(text) > field.length:
        return f"it has {len(text):,} characters; {field.length:,} are allowed"
    if "\0" in text:
        return "it has a null character"
    if field.pattern and not re.fullmatch(field.pattern, text):
        wrong = dict.fromkeys(ascii(each) for each in text if not re.fullmatch(field.pattern, each))
        return f"{', '.join(wrong) or 'it'} does not match {field.pattern}"
    return ""


def _email(field: Field, value: Any) -> str:
    broken = _text(field, value)
    if broken or not str(value).strip() or is_email(str(value).strip()):
        return broken
    return "give an e-mail address"


def _integer(field: Field, value: Any) -> str:
    text = str(value)
    try:
        number = int(re.sub(r"\.0*\s*$", "", text)) if len(text) <= _LONGEST_NUMBER else None
    except ValueError:
        number = None
    if number is None:
        return "give an integer"
    if field.minimum is not None and number < field.minimum:
        return f"give at least {field.minimum}"
    return f"give at most {LARGEST}" if number > LARGEST else ""  # the server's database may have a lower limit


def _decimal(field: Field, value: Any) -> str:
    from decimal import Decimal, DecimalException  # takes 7 ms

    text = str(value).strip()
    try:
        number = Decimal(text) if len(text) <= _LONGEST_NUMBER else Decimal("NaN")
    except DecimalException:
        number = Decimal("NaN")
    if not number.is_finite():
        return "give a number"
    if field.digits is None:
        return ""
    total, places = field.digits
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # only infinities and NaN have a letter here
    if -exponent > places:
        return f"{places} decimal places are allowed; round it"
    whole = max(len(digits) + exponent, 0)
    return f"{total - places} digits before the decimal point are allowed" if whole > total - places else ""


def _date(field: Field, value: Any) -> str:
    return "" if isinstance(value, str) and _is_date(value) else "give a date as YYYY-MM-DD"


def _is_date(text: str) -> bool:
    loose = _LOOSE_DATE.match(text)
    try:
        date(*map(int, loose.groups())) if loose else date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _choice(field: Field, value: Any) -> str:
    return "" if str(value) in CHOICES[field.target] else f"give one of {', '.join(CHOICES[field.target])}"


_CHECKS: Mapping[str, Callable[[Field, Any], str]] = {
    "text": _text,
    "email": _email,
    "int": _integer,
    "decimal": _decimal,
    "date": _date,
    "choice": _choice,
}
