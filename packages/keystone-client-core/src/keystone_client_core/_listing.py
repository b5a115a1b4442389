"""Search, order and size of a listing, checked before the server can ignore them.

Filters have their own module.
"""

import re
from collections.abc import Iterable, Mapping

from ._errors import FilterError
from ._messages import close_matches, shown, suggestion
from ._resources import Resource
from ._values import plain

LARGEST_PAGE = 1000
"""The most records the server puts on a page; it cuts larger wishes in silence."""

_BLANK_SEARCH = re.compile(r"""[\s,"']*""")
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST_TERMS = 100


def encode_search(resource: Resource, search: str | None) -> dict[str, str]:
    """Encode a search.

    Args:
        resource: What is listed.
        search: Terms parted by spaces or commas, quotes around those that hold together; all must be found.

    Returns:
        The query parameters: ``{"_search": ...}``, or none without a search.

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
    return {"_search": str.__str__(search)}


def encode_order(resource: Resource, order: str | Iterable[str] | None) -> tuple[str, ...]:
    """Check the names a listing is ordered by.

    Args:
        resource: What is listed.
        order: Names parted by commas, or an iterable of names; a minus in front reverses one: ``"-amount,id"``.

    Returns:
        The names, minus signs included; empty without an order.

    Raises:
        FilterError: A name the server would ignore, or one that would make it repeat and lose records.
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
    """Check the most records a listing may have.

    Args:
        limit: An integer from 0 on, or ``None`` for all records.

    Returns:
        The limit.

    Raises:
        FilterError: It is anything else.
    """
    if limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0):
        return limit
    raise _refused("limit", limit, "give an integer from 0 on, or None for all records")


def check_page_size(page_size: object) -> int:
    """Check the number of records asked for at a time.

    Args:
        page_size: An integer from 1 to 1000, the server's maximum.

    Returns:
        The page size.

    Raises:
        FilterError: It is anything else.
    """
    if isinstance(page_size, int) and not isinstance(page_size, bool) and 0 < page_size <= LARGEST_PAGE:
        return page_size
    raise _refused("page_size", page_size, f"give an integer from 1 to {LARGEST_PAGE}")


def _order_names(order: str | Iterable[str]) -> list[object]:
    if isinstance(order, str):
        return list(order.split(",")) if order.strip() else []
    if isinstance(order, (bytes, bytearray, Mapping, set, frozenset)) or not isinstance(order, Iterable):
        raise _refused("order", order, "give names parted by commas, or a list of names")
    return list(order)


def _order_name(order: object, name: object) -> str:
    name = plain(name)
    if not isinstance(name, str):
        raise _refused("order", order, f"{shown(name)} is no name")
    if not name.strip():
        raise _refused("order", order, "one of its names is empty")
    return name.strip()


def _unknown_order(resource: Resource, name: str) -> FilterError:
    plain = name.removeprefix("-")
    field = resource.fields.get(plain)
    matches = close_matches(plain, resource.orderable)
    if plain == "pk":
        matches = ("id",)
    elif "__" in plain:
        hint = " The server does not order by fields of other records."
        matches = tuple(n for n in (plain.split("__")[0],) if n in resource.orderable)
        return _order_error(resource, name, matches, hint)
    if field is not None and field.kind == "keys":
        return _order_error(resource, name, matches, " Ordering by several records at once repeats and loses rows.")
    return _order_error(resource, name, matches, "")


def _order_error(resource: Resource, name: str, matches: tuple[str, ...], hint: str) -> FilterError:
    return FilterError(
        f"order {shown(name)}: {resource.name} records cannot be ordered by it, and the server would ignore it.{hint}"
        f"{suggestion(matches)} It may be: {', '.join(resource.orderable)}.",
        field="order",
        value=name,
        matches=matches,
    )


def _instead(resource: Resource) -> str:
    texts = [name for name, field in resource.fields.items() if field.filter_kind == "text"]
    name = texts[0] if texts else "id"
    return f"filter instead, by {name}__contains for example" if texts else f"filter instead, by {name} for example"


def _refused(what: str, value: object, why: str) -> FilterError:
    return FilterError(f"{what} {shown(value)}: {why}.", field=what, value=value)
