"""Checks the search, order, limit and page size of a listing, which the server would ignore if they were wrong.

Filters are in ``_filters``.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice

from ._errors import FilterError
from ._messages import brief, close_matches, suggestion
from ._query import query_length
from ._resources import Resource
from ._values import integer, is_iterable, plain

LARGEST_PAGE = 1000
"""The most records the server puts on a page. It answers a request for more with this many and no error."""

_BLANK_SEARCH = re.compile(r"""[\s,"']*""")
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST_TERMS = 100
_LONGEST_SEARCH = 1_000
_MOST_NAMES = 100


def encode_search(resource: Resource, search: str | None) -> dict[str, str]:
    """Encode a search.

    Args:
        resource: The resource that is listed.
        search: Terms separated by spaces or commas, with quotes around a term of several words. A record matches if it
            has all of them.

    Returns:
        The query parameters: ``{"_search": ...}``, or an empty dictionary if ``search`` is ``None``.

    Raises:
        FilterError: The server would ignore the search or fail on it.
    """
    if search is None:
        return {}
    if not isinstance(search, str):
        raise _refused("search", search, f"a search must be text, not {type(search).__name__}")
    if not resource.search:
        raise _refused("search", search, f"the server cannot search {resource.name} records; {_instead(resource)}")
    if _BLANK_SEARCH.fullmatch(search):
        raise _refused("search", search, "the server ignores a search without words; leave it out to list everything")
    if _UNSENDABLE.search(search):
        raise _refused("search", search, "a search cannot hold control characters or lone surrogates")
    if len(re.findall(r"[^\s,]+", search)) > _MOST_TERMS:
        raise _refused("search", search, f"the server fails on long searches; use at most {_MOST_TERMS} words")
    if query_length({"": search}) - 1 > _LONGEST_SEARCH:
        raise _refused(
            "search", search, f"servers refuse long URLs; use at most {_LONGEST_SEARCH:,} encoded characters"
        )
    return {"_search": str.__str__(search)}


def encode_order(resource: Resource, order: str | Iterable[str] | None) -> tuple[str, ...]:
    """Check the field names that a listing is ordered by.

    Args:
        resource: The resource that is listed.
        order: Names separated by commas, or an iterable of names; a minus sign makes one descending: ``"-amount,id"``.

    Returns:
        The names, minus signs included; empty if ``order`` is ``None``.

    Raises:
        FilterError: The server would ignore a name, or ordering by it would repeat some records and skip others.
    """
    if order is None:
        return ()
    names = tuple(_order_name(order, name) for name in _order_names(order))
    if not names:
        raise _refused("order", order, "it names nothing; leave it out for the listing's own order")
    for name in names:
        if name.removeprefix("-") not in resource.orderable:
            raise _unknown_order(resource, name)
    if len({name.removeprefix("-") for name in names}) < len(names):
        raise _refused("order", order, "it names a field twice")
    return names


def check_limit(limit: object) -> int | None:
    """Check the limit of a listing: the most records it returns.

    Args:
        limit: An integer from 0 on, or ``None`` for all records.

    Returns:
        The limit, as an ``int``.

    Raises:
        FilterError: It is anything else.
    """
    number = integer(limit)
    if limit is None or (number is not None and number >= 0):
        return number
    raise _refused("limit", limit, "give an integer from 0 on, or None for all records")


def check_page_size(page_size: object) -> int:
    """Check the page size of a listing: the number of records per request.

    Args:
        page_size: An integer from 1 to 1000, the server's maximum.

    Returns:
        The page size, as an ``int``.

    Raises:
        FilterError: It is anything else.
    """
    number = integer(page_size)
    if number is not None and 0 < number <= LARGEST_PAGE:
        return number
    raise _refused("page_size", page_size, f"give an integer from 1 to {LARGEST_PAGE}")


def _order_names(order: str | Iterable[str]) -> list[object]:
    if isinstance(order, str):
        return list(order.split(",")) if order.strip() else []
    if isinstance(order, (bytes, bytearray, Mapping, set, frozenset)) or not is_iterable(order):
        raise _refused("order", order, "give names parted by commas, or a list of names")
    return list(islice(order, _MOST_NAMES))


def _order_name(order: object, name: object) -> str:
    name = plain(name)
    if not isinstance(name, str):
        raise _refused("order", order, f"{brief(name)} is no name")
    if not name.strip():
        raise _refused("order", order, "one of its names is empty")
    return name.strip()


def _unknown_order(resource: Resource, name: str) -> FilterError:
    hint, matches = _order_hint(resource, name.removeprefix("-"))
    return FilterError(
        f"order {brief(name)}: {resource.name} records cannot be ordered by it, and the server would ignore it.{hint}"
        f"{suggestion(matches)} It may be {', '.join(resource.orderable)}.",
        field="order",
        value=name,
        matches=matches,
    )


def _order_hint(resource: Resource, name: str) -> tuple[str, tuple[str, ...]]:
    field = resource.fields.get(name)
    head, _, tail = name.partition("__")
    if name == "pk":
        return "", ("id",)
    if head and tail:
        return " It does not order by fields of other records.", close_matches(head, resource.orderable)
    if field is not None and field.kind in ("keys", "shapes"):
        return " It stands for several records.", ()
    return "", close_matches(name, resource.orderable)


def _instead(resource: Resource) -> str:
    texts = [name for name, field in resource.fields.items() if field.filter_kind == "text"]
    return f"filter instead, by {texts[0]}__contains for example" if texts else "filter instead"


def _refused(what: str, value: object, why: str) -> FilterError:
    return FilterError(f"{what} {brief(value)}: {why}.", field=what, value=value)
