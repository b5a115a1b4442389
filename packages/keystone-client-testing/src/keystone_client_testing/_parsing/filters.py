"""Filters of a listing, decoded as the server decodes them: names and lookups, bad values, comparisons.

Unknown names and empty values are ignored, as on the server: that is a trap this fake must reproduce.
Ordering is in ``ordering``, search in ``_server.lists``.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from keystone_client_core import LOOKUPS

from .._wire import PageError, RefusedError
from .._world.database import Database
from .._world.store import Record, Store
from .filter_values import BOOLS, TEXTUAL, BadValueError, NoYearError, Rule, clean_number, clean_text, cleaner_of

Test = Callable[[Any], bool]

_LARGEST = 2**63 - 1
"""Of an integer column without a bound of its own."""
_PARTS: Mapping[str, Callable[[Any], int]] = {
    "year": lambda value: int(value.year),
    "month": lambda value: int(value.month),
    "day": lambda value: int(value.day),
    "week": lambda value: int(value.isocalendar().week),
    "week_day": lambda value: int(value.isoweekday() % 7 + 1),
    "hour": lambda value: int(value.hour),
    "minute": lambda value: int(value.minute),
    "second": lambda value: int(value.second),
}


class Filter(NamedTuple):
    """A query parameter with its value: a condition on a column."""

    column: str
    lookup: str
    value: Any
    test: Test


class BrokenFilterError(PageError):
    """A value on which the server fails with 500 while it reads the filters, before it refuses other values."""


class Filters(NamedTuple):
    """The filters of a query, and the error that the database raises when they run."""

    tests: list[Filter]
    failure: PageError | None = None

    def run(self) -> list[Filter]:
        """Return the filters, at the moment the server asks its database.

        Raises:
            PageError: the database fails on a value.
        """
        if self.failure:
            raise self.failure
        return self.tests


@cache
def rules(resource: str, database: Database) -> Mapping[str, Rule]:
    """Return every filter a listing has, by parameter name."""
    found = {}
    for field in database.fields(resource).values():
        for lookup in ("", *LOOKUPS[field.filter_kind]) if field.filter_kind else ():
            name = f"{field.name}__{lookup}" if lookup else field.name
            plain = "" if lookup == "not_eq" else lookup.removeprefix("not_")
            found[name] = Rule(field, plain, lookup.startswith("not_"))
    return found


def read_filters(resource: str, query: Mapping[str, str], store: Store) -> Filters:
    """Read the filters out of a query.

    Args:
        resource: what is listed.
        query: parameter to last value.
        store: where keys are looked up.

    Returns:
        The filters that apply, and what the database will fail on.

    Raises:
        RefusedError: 400 with every bad value.
        BrokenFilterError: 500 where the server does not get so far.
    """
    known = rules(resource, store.database)
    filters, errors, failure = [], {}, None
    for name, text in query.items():
        rule = known.get(name)
        if rule is None or text == "":
            continue
        try:
            if (found := read_filter(rule, text, store)) is not None:
                filters.append(found)
        except BrokenFilterError:
            raise
        except BadValueError as error:
            errors[name] = [str(error)]
        except PageError as error:
            failure = error
    if errors:
        raise RefusedError(400, errors)
    return Filters(filters, failure)


def apply(filters: Sequence[Filter], records: list[Record]) -> list[Record]:
    """Keep the records that pass all filters."""
    for column, _, _, test in filters:
        records = [record for record in records if test(record[column])]
    return records


def read_filter(rule: Rule, text: str, store: Store) -> Filter | None:
    """Read one filter; ``None`` where the server ignores the value."""
    test, value = _test(rule, text, store)
    if test is None:
        return None
    if rule.field.filter_kind == "ip":
        test = _of_address(test, store.database)
    if rule.negated:
        positive = test
        test = lambda value: not positive(value)  # noqa: E731  # a negation has no better name
    return Filter(rule.field.name, "not" if rule.negated else rule.lookup, value, test)


def _of_address(test: Test, database: Database) -> Test:
    """Convert a stored address to what the database compares before it is tested."""
    return lambda stored: test(None if stored is None else database.read_address(stored))


def _test(rule: Rule, text: str, store: Store) -> tuple[Test | None, Any]:
    """Return the test of the lookup, and the value it compares with; no test when the value is ignored."""
    if rule.lookup == "isnull":
        return _isnull(text)
    if rule.lookup == "in":
        return _in(rule, text, store)
    if rule.lookup in _PARTS:
        return _part(rule, text)
    value = cleaner_of(rule)(rule, text, store)
    if value is None or value == "":
        return None, None
    if isinstance(value, int) and _beyond_column(rule, value):
        return lambda _: True, value
    return _compare(rule.lookup, value, store.database), value


def _beyond_column(rule: Rule, value: int) -> bool:
    """Tell whether all numbers of a column pass a comparison; the server then compares nothing, and keeps null too."""
    largest = rule.field.maximum or _LARGEST
    if rule.lookup in ("lt", "lte"):
        return value > largest
    return rule.lookup in ("gt", "gte") and value < (0 if rule.field.minimum == 0 else -largest - 1)


def _isnull(text: str) -> tuple[Test | None, Any]:
    wanted = BOOLS.get(text.lower())
    return (None, None) if wanted is None else (lambda value: (value is None) is wanted, wanted)


def _in(rule: Rule, text: str, store: Store) -> tuple[Test | None, Any]:
    kind = rule.field.filter_kind
    if kind == "bool":
        return _bool_in(text)
    clean = clean_text if kind == "choice" else cleaner_of(rule)
    wanted = {clean(rule, item, store) for item in text.split(",")}
    if kind not in TEXTUAL:
        wanted.discard(None)
    largest = store.database.largest_in_list
    if largest and any(isinstance(item, int) and not -largest - 1 <= item <= largest for item in wanted):
        raise PageError(500)
    return lambda value: value in wanted, wanted


def _bool_in(text: str) -> tuple[None, None]:
    """Read a filter that is broken on the server: a single valid value is a 500, everything else is ignored."""
    if text.lower() in BOOLS:
        raise BrokenFilterError(500)
    return None, None


def _part(rule: Rule, text: str) -> tuple[Test | None, Any]:
    number = clean_number(text)
    if number is None:
        return None, None
    wanted, part = int(number), _PARTS[rule.lookup]
    if rule.lookup == "year" and not 1 <= wanted <= 9999:
        raise NoYearError(500)
    return lambda value: value is not None and part(value) == wanted, wanted


def _compare(lookup: str, wanted: Any, database: Database) -> Test:
    if isinstance(wanted, str):
        return _TEXT_TESTS[lookup](wanted if lookup == "" else database.fold(wanted), database.fold)
    return _ORDER_TESTS[lookup](wanted)


_ORDER_TESTS: Mapping[str, Callable[[Any], Test]] = {
    "": lambda wanted: lambda value: value == wanted,
    "lt": lambda wanted: lambda value: value is not None and value < wanted,
    "lte": lambda wanted: lambda value: value is not None and value <= wanted,
    "gt": lambda wanted: lambda value: value is not None and value > wanted,
    "gte": lambda wanted: lambda value: value is not None and value >= wanted,
}
_TEXT_TESTS: Mapping[str, Callable[[str, Callable[[str], str]], Test]] = {
    "": lambda wanted, fold: lambda value: value == wanted,
    "contains": lambda wanted, fold: lambda value: value is not None and wanted in fold(value),
    "startswith": lambda wanted, fold: lambda value: value is not None and fold(value).startswith(wanted),
    "endswith": lambda wanted, fold: lambda value: value is not None and fold(value).endswith(wanted),
}
