"""Filters of a listing: ``None``, lists, and the query that filters become.

The server ignores a parameter it does not know, an empty value and an empty list, and then returns every record. So
whatever it would ignore or misread is refused here, before anything is sent. Names belong to ``_filter_names``, what a
single value may be to ``_filter_values``, search, order and page size to ``_listing``.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from ._errors import FilterError
from ._filter_names import find, lookups_of
from ._filter_values import INTEGERS, UnfitValueError, value_encoder
from ._messages import brief
from ._query import LONGEST_QUERY, query_length
from ._resources import Field, Resource
from ._values import plain

_ROOM_FOR_KEYS = 500
"""Characters that filters beside an ``id__in`` that is split must leave to it."""

_MOST_ITEMS = 1_000_000


class EncodedFilters(NamedTuple):
    """Filters as the server understands them."""

    params: dict[str, str]
    """The query parameters."""
    nothing: bool
    """No record can match, so no request is needed."""
    keys: tuple[int, ...] | None
    """A long ``id__in``, ascending and without duplicates, to be split into several listings; not in ``params``."""


class _Entry(NamedTuple):
    param: str
    text: str = ""
    nothing: bool = False


def encode_filters(
    resource: Resource, filters: Mapping[str, object] | None, *, room: int = LONGEST_QUERY
) -> EncodedFilters:
    """Check filters and encode them. All of them must hold for a record.

    Args:
        resource: What is listed.
        filters: ``{"name": "x", "amount__gte": 5, "id__in": [1, 2], "expire": None}``. ``None`` as a value means that
            the field is null. Dates, decimals, enum members and UUIDs are encoded; times with a zone go out in UTC,
            those without are in the server's own.
        room: The most characters that the filters may take in a URL, as ``encode_query`` encodes them.

    Returns:
        The query parameters, whether no record can match, and the keys of an ``id__in`` too long for one request.

    Raises:
        FilterError: An unknown field or lookup, or a value the server would refuse, misread or ignore.
    """
    if filters is None:
        return EncodedFilters({}, False, None)
    if not isinstance(filters, Mapping):
        raise FilterError(f"filters: give a mapping of names to values, not {type(filters).__name__}.", value=filters)
    params: dict[str, str] = {}
    nothing = False
    for name, value in filters.items():
        entry = _encode(resource, name, value)
        if entry.param in params:
            raise _error(resource, name, value, f"another filter says {entry.param!r} too; the server takes only one")
        params[entry.param] = entry.text
        nothing |= entry.nothing
    if nothing:
        return EncodedFilters({}, True, None)
    keys = _split_off_keys(resource, params, room)
    _check_length(params, room if keys is None else room - _ROOM_FOR_KEYS)
    return EncodedFilters(params, False, keys)


def _encode(resource: Resource, name: object, value: object) -> _Entry:
    field, lookup = find(resource, name, value)
    value = plain(value)
    try:
        if lookup == "isnull":
            return _encode_isnull(field, value)
        if value is None:
            return _encode_none(field, lookup)
        if lookup in ("in", "not_in"):
            return _encode_list(field, lookup, value)
        return _encode_one(field, lookup, value)
    except UnfitValueError as error:
        raise _error(resource, name, value, str(error)) from error


def _encode_isnull(field: Field, value: object) -> _Entry:
    if not isinstance(value, bool):
        raise UnfitValueError("the server ignores anything but true and false; give True or False")
    return _Entry(f"{field.name}__isnull", str(value).lower())


def _encode_none(field: Field, lookup: str) -> _Entry:
    if lookup not in ("", "not_eq"):
        raise UnfitValueError("None can only be compared for equality: leave the lookup out, or use not_eq or isnull")
    return _Entry(f"{field.name}__isnull", "true" if not lookup else "false")


def _encode_one(field: Field, lookup: str, value: object) -> _Entry:
    if isinstance(value, Mapping):
        raise UnfitValueError("give the value itself; of a record, its ['id']")
    if not isinstance(value, (str, bytes)) and isinstance(value, Iterable):
        raise UnfitValueError(f"for one of several values use {field.name}__in")
    text = value_encoder(field, lookup)(value)
    if text:
        return _Entry(_parameter(field, lookup), text)
    if lookup not in ("", "not_eq"):
        raise UnfitValueError("the server ignores an empty text here and returns every record")
    return _Entry(_parameter(field, "not_in" if lookup else "in"), ",")  # the one way to say "empty" to the server


def _encode_list(field: Field, lookup: str, value: object) -> _Entry:
    items = _items(field, lookup, value)
    param = _parameter(field, lookup)
    if not items:
        if lookup == "not_in":
            raise UnfitValueError("the server ignores an empty list and returns every record; leave the filter out")
        return _Entry(param, nothing=True)
    if field.filter_kind == "bool":
        return _encode_booleans(field, lookup, items)
    return _Entry(param, ",".join(items) or ",")


def _encode_booleans(field: Field, lookup: str, items: list[str]) -> _Entry:
    """The server fails on lists of booleans, or ignores them, so what they mean is said in another way."""
    if len(items) == 1:
        return _Entry(_parameter(field, "" if lookup == "in" else "not_eq"), items[0])
    if lookup == "in":
        return _Entry(f"{field.name}__isnull", "false")
    return _Entry(f"{field.name}__not_in", nothing=True)


def _items(field: Field, lookup: str, value: object) -> list[str]:
    if isinstance(value, (str, bytes, bytearray, memoryview, Mapping)) or not isinstance(value, Iterable):
        raise UnfitValueError("give a list, a set or another iterable of values")
    values = list(islice(value, _MOST_ITEMS + 1))
    if len(values) > _MOST_ITEMS:
        raise UnfitValueError(f"give at most {_MOST_ITEMS:,} values")
    encode = value_encoder(field, lookup)
    items = list(dict.fromkeys(_item(encode(_present(item)), item) for item in map(plain, values)))
    if field.filter_kind in INTEGERS:
        items.sort(key=int)
    elif isinstance(value, (set, frozenset)):
        items.sort()
    return items


def _present(item: object) -> object:
    if item is None:
        raise UnfitValueError("a list cannot hold None; ask for nulls with isnull in a listing of their own")
    return item


def _item(text: str, item: object) -> str:
    if "," in text:
        raise UnfitValueError(f"the server parts a list at commas, and {brief(item)} has one; ask for it by itself")
    return text


def _parameter(field: Field, lookup: str) -> str:
    return f"{field.name}__{lookup}" if lookup else field.name


def _split_off_keys(resource: Resource, params: dict[str, str], room: int) -> tuple[int, ...] | None:
    if resource.fields["id"].filter_kind != "int" or "id__in" not in params or query_length(params) <= room:
        return None
    return tuple(map(int, params.pop("id__in").split(",")))


def _check_length(params: dict[str, str], room: int) -> None:
    length = query_length(params)
    if params and length > room:
        name = max(params, key=lambda param: query_length({param: params[param]}))
        raise FilterError(
            f"filter {name}: the filters come to {length:,} characters of URL, and servers refuse long ones."
            f" Only id__in is split by itself: ask in several listings of at most {max(room, 0):,} characters each.",
            field=name,
            value=params[name],
        )


def _error(resource: Resource, name: object, value: object, why: str) -> FilterError:
    text = str(name)
    lookups = lookups_of(resource, text) or lookups_of(resource, text.rpartition("__")[0])
    message = f"filter {text}: {brief(value)} does not fit: {why}; the lookups are {', '.join(lookups)}."
    return FilterError(message, field=text, value=value, lookups=lookups)
