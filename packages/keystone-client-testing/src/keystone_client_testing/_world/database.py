"""What depends on the database a Keystone server runs on: one table with a row for PostgreSQL and one for SQLite.

Measured on Keystone ``1da5554`` with PostgreSQL 15 in ``en_US.UTF-8`` and with SQLite. The engine asks the row of its
world, so that no other module names a database.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from keystone_client_core import RESOURCES, SURROGATE, Field

from .addresses import as_inet, inet_key
from .collation import collation_key

_LARGEST_32 = 2**31 - 1
_LARGEST_64 = 2**63 - 1
_BOUNDED = (
    ("allocation", "requested"), ("allocation", "awarded"), ("allocation", "final"), ("audit_log", "remote_port"),
    ("request_log", "response_code"),
)  # fmt: skip
"""Columns that hold no negative numbers, and as large ones as the database allows."""


@dataclass(frozen=True, eq=False)
class Database:
    """One kind of database."""

    name: str
    reuses_ids: bool
    """Whether the ids of writes that were undone are handed out again."""
    serial_writes: bool
    """Whether a write waits until every other transaction has ended, so that none can be held open."""
    maxima: Mapping[tuple[str, str], int]
    """Largest values of the columns in ``_BOUNDED``."""
    largest_in_list: int | None
    """Largest number that ``__in`` and ``__not_in`` take; more is a 500."""
    most_terms: int | None
    """Most words of a search; more is a 500."""
    moments_overflow: bool
    """Whether comparing with a moment outside the years 1 to 9999, once it is in UTC, is a 500."""
    column_lengths: bool
    """Whether a text that is longer than its column is refused; where the API does not check, that is a 500."""
    json_nul: bool
    """Whether a JSON column holds text with a NUL, which the API lets pass; otherwise that is a 500."""
    log_lengths: Mapping[str, int]
    """Columns of the request log that leave a request out which does not fit."""
    subtracts_moments: bool
    """Whether a date minus a moment is a duration; otherwise it is the difference of the years, in microseconds."""
    nulls_last: bool
    """Whether null counts as larger than every value in an order."""
    fold: Callable[[str], str]
    """What ``contains``, ``startswith`` and ``endswith`` compare."""
    fold_search: Callable[[str], str]
    """What ``_search`` compares."""
    text_key: Callable[[str], Any]
    """Sort key of a text."""
    read_address: Callable[[str], Any]
    """Read an address of a filter or of a write; raises ValueError where that is a 500."""
    address_key: Callable[[str], Any]
    """Sort key of an address."""
    json_key: Callable[[Any], Any]
    """Sort key of a JSON value."""
    unordered: Callable[[Iterable[int]], list[int]]
    """The order of a nested list for which the server asks no order: takes the ids as an index has them."""
    _fields: dict[str, Mapping[str, Field]] = field(default_factory=dict, repr=False)

    def fields(self, resource: str) -> Mapping[str, Field]:
        """Return the fields of a resource with the bounds of this database."""
        if resource not in self._fields:
            self._fields[resource] = {
                name: self._bounded(resource, entry) for name, entry in RESOURCES[resource].fields.items()
            }
        return self._fields[resource]

    def _bounded(self, resource: str, entry: Field) -> Field:
        maximum = self.maxima.get((resource, entry.name))
        return entry if maximum is None else entry._replace(minimum=0, maximum=maximum)

    def fits(self, entry: Field, value: Any) -> bool:
        """Tell whether the column of a field holds a value; the API has not checked JSON, nor every length."""
        if entry.kind == "json":
            return holds_json(value, nulls=self.json_nul)
        length = entry.column_length
        return not (self.column_lengths and length and isinstance(value, str) and len(value) > length)


def holds_json(value: Any, *, nulls: bool) -> bool:
    """Tell whether a database holds JSON: no text in it may have lone surrogates or, unless ``nulls``, NUL."""
    if isinstance(value, dict):
        return all(holds_json(part, nulls=nulls) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(holds_json(item, nulls=nulls) for item in value)
    return not isinstance(value, str) or not (SURROGATE.search(value) or ("\0" in value and not nulls))


def database_named(name: str) -> Database:
    """Return the kind of database with this name.

    Args:
        name: ``postgresql`` or ``sqlite``.

    Raises:
        ValueError: there is no such kind.
    """
    if name not in DATABASES:
        raise ValueError(f"database={name!r} is unknown: give {' or '.join(map(repr, DATABASES))}")
    return DATABASES[name]


def _as_it_is(text: str) -> str:
    return text


_LOWER_ASCII = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _lower_ascii(text: str) -> str:
    """Lower the ASCII letters only, as SQLite's LIKE compares."""
    return text.lower() if text.isascii() else text.translate(_LOWER_ASCII)


def _upper(text: str) -> str:
    """Raise each letter that has one capital, as PostgreSQL's upper() does: ß has none."""
    return text.upper() if text.isascii() else "".join(map(_capital, text))


@cache
def _capital(letter: str) -> str:
    upper = letter.upper()
    return upper if len(upper) == 1 else letter


def _jsonb_key(value: Any) -> Any:
    """Order JSON as PostgreSQL's type ``jsonb`` does; an empty list comes before everything else."""
    return (-1,) if value == [] else _json_part(value)


def _json_part(value: Any) -> Any:
    """Order by type: null, text, number, boolean, list, object; long lists and objects come after short ones."""
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: (len(pair[0].encode()), pair[0]))
        return (5, len(pairs), [(_json_part(name), _json_part(item)) for name, item in pairs])
    if isinstance(value, list):
        return (4, len(value), [_json_part(item) for item in value])
    if isinstance(value, str):
        return (1, collation_key(value))
    return (0,) if value is None else (3 if isinstance(value, bool) else 2, value)


_FACTOR = 2_654_435_761
"""Knuth's multiplicative hash: far from every order one could rely on, and the same in every run."""


def _scattered(ids: Iterable[int]) -> list[int]:
    """Put ids in an order that is never the ascending one, and the same in every run."""
    ascending = sorted(ids)
    if len(ascending) < 2:
        return ascending
    scattered = sorted(ascending, key=lambda pk: pk * _FACTOR % 2**32)
    return scattered if scattered != ascending else ascending[::-1]


POSTGRESQL = Database(
    name="postgresql",
    reuses_ids=False,
    serial_writes=False,
    maxima={**dict.fromkeys(_BOUNDED, _LARGEST_32), ("request_log", "response_code"): 2**15 - 1},
    largest_in_list=None,
    most_terms=None,
    moments_overflow=False,
    column_lengths=True,
    json_nul=False,
    log_lengths={"method": 10, "endpoint": 2048, "remote_address": 40, "cid": 36},
    subtracts_moments=True,
    nulls_last=True,
    fold=_as_it_is,
    fold_search=_upper,
    text_key=collation_key,
    read_address=as_inet,
    address_key=inet_key,
    json_key=_jsonb_key,
    unordered=_scattered,
)
SQLITE = Database(
    name="sqlite",
    reuses_ids=True,
    serial_writes=True,
    maxima=dict.fromkeys(_BOUNDED, _LARGEST_64),
    largest_in_list=_LARGEST_64,
    most_terms=990,
    moments_overflow=True,
    column_lengths=False,
    json_nul=True,
    log_lengths={},
    subtracts_moments=False,
    nulls_last=False,
    fold=_lower_ascii,
    fold_search=_lower_ascii,
    text_key=_as_it_is,
    read_address=_as_it_is,
    address_key=_as_it_is,
    json_key=json.dumps,
    unordered=list,
)
DATABASES: Mapping[str, Database] = {database.name: database for database in (POSTGRESQL, SQLITE)}
