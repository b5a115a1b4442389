"""Random values: good ones by the kind of a field, odd ones for any field, and values of filters."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from keystone_client_core import CHOICES, Field

WORDS = ("Alpha", "beta", "Ärger", "x_y", "a%b", "50", "gamma ray", "it's", 'q"t', "naïve", "NULL", "zz, top", "Straße",
         "ALPHA", "名前", "tab\tbed", "a@b.co", "10.1/x", "alpha", "ärger", "É", "é", "e", "Zz", "(p)", "#h", "-x",
         "_x", "x-y", "x y", "xy", "ø", "ss", "STRASSE", "a.b", "B", "b", "2", "10")  # fmt: skip
BOUNDS = (32767, 32768, 2**31 - 2, 2**31 - 1, 2**31, 2**63)
"""Numbers around the limits of columns. Between the last two, a number fits on SQLite, but its sum overflows."""
ODD: tuple[Any, ...] = (None, "", " ", True, False, [], {}, "abc", 1.5, -1, 0, "1", " x ", 99_999, "AP", "2024-01-05",
                        {"a": 1}, [1], ["x"], [None], "\0", 10**20, "yes", "5.0", 1e3, "x" * 300, "1_0", "٣",
                        *BOUNDS)  # fmt: skip
FILTER_VALUES = (
    "1", "0", "true", "True", "false", "2", "3", "1.5", "-1", "abc", "", "null", "AP", "PD", "OP", "OW", "NSF", "nsf",
    "2024-01-05", "2024", "01/05/2024", "Jan 1 2020", "2024-01-05T00:00:00Z", "2024-01-05T10:00:00+00:00", "1,2,3",
    "2030-01-01", "2030-01-01T00:00:00Z", ",", "1,,2", "AP,PD", "a,b", "Alpha", "é", "%", "_", "x_y", " 1 ", "1e2",
    "1e60", "10" * 15, "t", "yes", "\0", "admin", "member,owner", "12.5", "12.50", "Infinity", "nan", "2024-1-5",
    "October 25, 2006", "2024-W01-1", "20240105", "2024-01-05 10:00", "10:00", "a%b", "GET", "POST", "200", "127.0.0.1",
    "-0", "+1", "1_0", "٣", "1e-3", "99999999999999999999", "0x1", " ", "Ä", "ä", "ALPHA", "alpha",
    *map(str, BOUNDS), str(2**63 - 1), f"1,{2**31}", "É", "nsF", "ALPHA,alpha",
)  # fmt: skip
SEARCHES = ("a", "Alpha", "team", "nsf", "x_y", "'", '"a b"', "a,b", ",", "Ä", "ä", "1", "member own", "  ", "%", 'q"t',
            "\0", "gamma ray", '"gamma ray"', "b' a", "GET", "users", "\\", '"', "50", "É", "ärger",
            "ÄRGER", "straße", "STRASSE", "naïve", "NAÏVE", "名", "ß", "Ø")  # fmt: skip
LIMITS = ("2", "0", "-1", "1001", "x", "1.5", "3", "", " 2", "1_0")
OFFSETS = ("1", "0", "-1", "100", "x", "2", "")

Make = Callable[[random.Random, Field], Any]


def word(draw: random.Random) -> str:
    """Return one or two words."""
    return draw.choice(WORDS) + draw.choice(["", f" {draw.choice(WORDS)}"])


def _text(draw: random.Random, field: Field) -> str:
    text = f"{word(draw)}{draw.randint(1, 60)}" if field.unique else word(draw)
    return text if draw.random() < 0.97 else "y" * ((field.length or 50) + draw.choice([0, 1]))


def _name(draw: random.Random, field: Field) -> str:
    login = f"{draw.choice(('user', 'user', 'User', 'üser', 'u.ser'))}{draw.randint(1, 60)}"
    return login if field.name == "username" else _text(draw, field)


def date(draw: random.Random, field: Field | None = None) -> str:
    """Return a date within some years."""
    day, month, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(2019, 2027)
    return f"{year}-{month:02}-{day:02}" if draw.random() < 0.95 else f"{year}-{month}-{day}"


GOOD: Mapping[str, Make] = {
    "text": _name,
    "slug": _text,
    "email": lambda draw, field: draw.choice(["a@b.co", "x@example.org", "bad", ""]),
    "bool": lambda draw, field: draw.random() < 0.7,
    "int": lambda draw, field: draw.choice([0, 1, draw.randint(0, 99_999), str(draw.randint(0, 99)), 2**31 - 1]),
    "decimal": lambda draw, field: draw.choice([1, "12.50", -3, "1e3", "0.1", 7.25, draw.randint(0, 10**6)]),
    "date": date,
    "choice": lambda draw, field: draw.choice(list(CHOICES[field.target])),
    "json": lambda draw, field: draw.choice([[30, 14], [], {"a": 1}, "x", 5, [1, [2]]]),
}


def piece(draw: random.Random, value: Any) -> str:
    """Return a filter value that may match a stored value: all of it or a part, in the same case or another."""
    text = str(value)
    start, end = sorted(draw.randint(0, len(text)) for _ in range(2))
    part = draw.choice([text, text[:end], text[start:], text[start:end]])
    return draw.choice([part, part, part.swapcase(), part.upper(), part.lower()])


def form_text(value: Any) -> Any:
    """Return the value as form text; ``None`` if a form cannot carry it."""
    if isinstance(value, list):
        return [str(item) for item in value if item is not None]
    return None if value is None or isinstance(value, dict) else str(value)
