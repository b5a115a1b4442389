"""Strategies for the rows of plans: any writable field of any kind of record, with values as sources have them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from keystone_client_core import CHOICES, RESOURCES, Field

USERS = ["ada", "bob", "eve.x", "Zoë@x"]
TEAMS = ["Physics", "Bio Chem", "Été"]
CLUSTERS = ["hpc", "old-hpc"]
DOIS = ["10/x", "10/Y, z"]
NUMBERS = ["G-1", "G 2", "3"]
TITLES = ["Waves", "Wave, particle"]
KEYS: Mapping[str, Mapping[str, list[Any]]] = {
    "user": {"username": USERS},
    "team": {"name": TEAMS},
    "membership": {"team": TEAMS, "user": USERS},
    "cluster": {"name": CLUSTERS},
    "grant": {"grant_number": NUMBERS},
    "publication": {"doi": DOIS},
    "request": {"title": TITLES},
    "comment": {"content": ["fine", "no, thanks"]},
    "preference": {"user": USERS},
}
"""The fields that tell the rows of each kind apart, and the values they may have."""
NAMES = {"user": USERS, "team": TEAMS, "cluster": CLUSTERS, "grant": NUMBERS, "publication": DOIS, "request": TITLES}
LEFT_OUT = {"groups", "user_permissions", "password", "is_superuser"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("aé ", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=4,
)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]) | st.sampled_from("a,; \t\n'\"éß"), max_size=30)


AMOUNTS = st.decimals(0, Decimal(999999), places=2)
PLAIN: Mapping[str, st.SearchStrategy[Any]] = {
    "email": st.sampled_from(["a@x.org", "A.b@Ex.ORG", "ü@x.de", ""]),
    "bool": st.booleans() | st.sampled_from(["yes", "False", 1]),
    "int": st.integers(0, 2**31 - 1) | st.sampled_from(["5", "7.0"]),
    "decimal": AMOUNTS | AMOUNTS.map(str) | st.integers(0, 99) | st.sampled_from(["7.5", " 8.00 ", 9.25]),
    "date": st.dates(date(1990, 1, 1), date(2050, 1, 1)) | st.sampled_from(["2024-1-5", "2031-12-31"]),
    "json": JSON.filter(lambda value: value is not None),
}


def values(field: Field) -> st.SearchStrategy[Any]:
    if field.kind == "text":
        return WORDS.map(lambda text: text[: field.length])
    if field.kind == "choice":
        return st.sampled_from(list(CHOICES[field.target]))
    if field.kind in ("key", "keys"):
        names = st.sampled_from(NAMES[field.target])
        return names if field.kind == "key" else st.lists(names, max_size=3)
    return PLAIN[field.kind]


def row(name: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = {n: f for n, f in RESOURCES[name].fields.items() if f.writable and n not in LEFT_OUT}
    keys = {each: st.sampled_from(known) for each, known in KEYS[name].items()}
    required = {n: values(f) for n, f in fields.items() if f.required and n not in keys}
    optional = {n: values(f) for n, f in fields.items() if not f.required and n not in keys}
    return st.fixed_dictionaries({**keys, **required}, optional=optional)


def rows(name: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(row(name), min_size=1, max_size=3, unique_by=lambda each: tuple(each[key] for key in KEYS[name]))


SOURCES = st.fixed_dictionaries({name: rows(name) for name in KEYS})
"""The rows of every kind. Some are refused: blank titles, names of records that are not wanted."""
