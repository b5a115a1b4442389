"""Listings: search, and pages with their links.

Filters are in ``filters``, order in ``ordering``; who sees what is in ``permissions``.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

from keystone_client_core import LARGEST_PAGE, RESOURCES

from .._parsing.filters import Filter, apply
from .._wire import PageError, RefusedError
from .._world.models import COLUMNS, INDEXED
from .._world.store import Record, Store

DEFAULT_LIMIT = 100
_TERMS = re.compile(r"""((?:[^\s'"]*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')[^\s'"]*)+|\S+)""")


def select(store: Store, resource: str, filters: Sequence[Filter]) -> list[Record]:
    """Return the records that pass the filters, by id; a link or key among the filters spares the full walk."""
    return apply(filters, _candidates(store, resource, filters))


def _candidates(store: Store, resource: str, filters: Sequence[Filter]) -> list[Record]:
    table = store.tables[resource]
    for column, lookup, value, _ in filters:
        if column == "id" and lookup == "":
            return [table[value]] if value in table else []
        if column == "id" and lookup == "in":
            return [table[pk] for pk in sorted(value & table.keys())]
        if column in INDEXED[resource] and lookup == "":
            return store.linked(resource, column, value)
    return list(table.values())


def read_search(store: Store, resource: str, text: str) -> list[str]:
    """Return the terms of a search; detail URLs read it too, before they look at the key.

    Raises:
        RefusedError: 400 for what no search may hold.
        PageError: 500 where the server cannot search, or not for so many terms.
    """
    terms, most = split_terms(text), store.database.most_terms
    if terms and (not RESOURCES[resource].search or (most and len(terms) > most)):
        raise PageError(500)
    return terms


def search(store: Store, resource: str, terms: Sequence[str], records: list[Record]) -> list[Record]:
    """Keep the records that have every term in one of the searched columns."""
    if not terms:
        return records
    folded = [store.database.fold_search(term) for term in terms]
    paths = [column.split(".") for column in RESOURCES[resource].search]
    return [record for record in records if _matches(store, resource, record, paths, folded)]


def split_terms(text: str) -> list[str]:
    """Split on blanks and commas; quotes keep a phrase together.

    Raises:
        RefusedError: 400 for what no search may hold.
    """
    if "\0" in text:
        raise RefusedError(400, ["Null characters are not allowed."])
    terms: list[str] = []
    for match in _TERMS.finditer(text):
        term = match[0].strip(",")
        if term[:1] in ("'", '"') and term[0] == term[-1]:
            terms.append(term[1:-1].replace("\\" + term[0], term[0]).replace("\\\\", "\\"))
        else:
            terms += [part.strip() for part in term.split(",") if part]
    return terms


def _matches(store: Store, resource: str, record: Record, paths: list[list[str]], terms: list[str]) -> bool:
    fold = store.database.fold_search
    texts = [fold(str(value)) for path in paths if (value := _follow(store, resource, record, path)) is not None]
    return all(any(term in text for text in texts) for term in terms)


def _follow(store: Store, resource: str, record: Record | None, path: list[str]) -> Any:
    for name in path[:-1]:
        target = COLUMNS[resource][name].target
        record = record and store.get(target, record[name])
        resource = target
    return record and record[path[-1]]


def window(query: Mapping[str, str]) -> tuple[int, int]:
    """Return limit and offset of a page; the server silently repairs what makes no sense."""
    limit = _number(query.get("_limit", ""), 1) or DEFAULT_LIMIT
    return min(limit, LARGEST_PAGE), _number(query.get("_offset", ""), 0) or 0


def _number(text: str, least: int) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if number >= least else None


def envelope(url: str, query: str, count: int, limit: int, offset: int) -> dict[str, Any]:
    """Return a page's head: count and links, with sorted query keys."""
    following = {"_limit": limit, "_offset": offset + limit}
    before = {"_limit": limit, "_offset": offset - limit if offset > limit else None}
    return {
        "count": count,
        "next": _link(url, query, following) if offset + limit < count else None,
        "previous": _link(url, query, before) if offset > 0 else None,
    }


def _link(url: str, query: str, changes: Mapping[str, int | None]) -> str:
    values: dict[str, list[Any]] = {**parse_qs(query, keep_blank_values=True)}
    for name, value in changes.items():
        values.pop(name, None)
        if value is not None:
            values[name] = [value]
    return f"{url}?{urlencode(sorted(values.items()), doseq=True)}"
