"""Encodes the filters of a listing as query parameters.

The server ignores an unknown parameter, an empty value and an empty list, and then returns every record. So this module
refuses whatever the server would ignore or misread, before anything is sent. It handles ``None``, lists and the length
of the query. Names of filters are in ``_filter_names``, single values in ``_filter_values``, and search, order and page
size in ``_listing``.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from ._errors import FilterError
from ._filter_names import find, lookups_of
from ._filter_values import INTEGERS, encode_truth, value_encoder
from ._messages import brief
from ._query import LONGEST_QUERY, query_length
from ._resources import Field, Resource
from ._scalars import MissingError, builtin
from ._values import UnfitError, is_iterable

_ROOM_FOR_KEYS = 500
"""Characters that filters beside an ``id__in`` that is split must leave to it."""

_MOST_ITEMS = 1_000_000


class EncodedFilters(NamedTuple):
    """Filters in the form the server understands."""

    params: dict[str, str]
    """The query parameters."""
    nothing: bool
    """Whether no record can match, so that no request is needed; true for an empty ``id__in``."""
    keys: tuple[int, ...] | None
    """The keys of an ``id__in`` that is too long for one URL, ascending and without duplicates; else ``None``.

    They are not in ``params``: the caller splits them into several listings.
    """


class _Entry(NamedTuple):
    param: str
    text: str = ""
    nothing: bool = False


def encode_filters(
    resource: Resource, filters: Mapping[str, object] | None, *, room: int = LONGEST_QUERY
) -> EncodedFilters:
    """Check filters and encode them. A record matches if it meets all of them.

    Args:
        resource: The resource that is listed.
        filters: Values by field and lookup: ``{"name": "x", "amount__gte": 5, "id__in": [1, 2], "expire": None}``.
            ``None`` as a value means that the field is null. Dates, decimals, enum members and UUIDs are encoded. A
            time with a zone is sent in UTC; the server reads one without a zone in its own zone.
        room: The most characters that the filters may take in a URL, as ``encode_query`` encodes them.

    Returns:
        The query parameters, whether no record can match, and the keys of an ``id__in`` too long for one request.

    Raises:
        FilterError: A field or a lookup is unknown, or the server would refuse, misread or ignore a value. One error
            names all that is wrong.
    """
    if filters is None:
        return EncodedFilters({}, False, None)
    if not isinstance(filters, Mapping):
        raise FilterError(f"filters: give a mapping of names to values, not {type(filters).__name__}.", value=filters)
    params: dict[str, str] = {}
    nothing = False
    problems = []
    for name, value in filters.items():
        try:
            entry = _encode(resource, name, value)
        except FilterError as problem:
            problems.append(problem)
            continue
        if entry.param in params:
            why = f"another filter says {entry.param!r} too; the server takes only one"
            problems.append(_error(resource, name, value, why))
        params[entry.param] = entry.text
        nothing |= entry.nothing
    if problems:
        raise _together(problems)
    if nothing:
        return EncodedFilters({}, True, None)
    keys = _split_off_keys(resource, params, room)
    _check_length(params, room if keys is None else room - _ROOM_FOR_KEYS)
    return EncodedFilters(params, False, keys)


def _together(problems: list[FilterError]) -> FilterError:
    """Return one error for all that is wrong, with the attributes of the first; raised from what raised that one."""
    first = problems[0]
    if len(problems) > 1:
        first.args = (" ".join(map(str, problems)),)
    return first


def _encode(resource: Resource, name: object, value: object) -> _Entry:
    field, lookup = find(resource, name, value)
    try:
        value = _present(value)
        if lookup == "isnull":
            return _encode_isnull(field, value)
        if value is None:
            return _encode_none(field, lookup)
        if lookup in ("in", "not_in"):
            return _encode_list(field, lookup, value)
        return _encode_one(field, lookup, value)
    except UnfitError as error:
        raise _error(resource, name, value, str(error)) from error


def _encode_isnull(field: Field, value: object) -> _Entry:
    return _Entry(f"{field.name}__isnull", encode_truth(value))


def _encode_none(field: Field, lookup: str) -> _Entry:
    if lookup not in ("", "not_eq"):
        raise UnfitError("None can only be compared for equality: leave the lookup out, or use not_eq or isnull")
    return _Entry(f"{field.name}__isnull", "true" if not lookup else "false")


def _encode_one(field: Field, lookup: str, value: object) -> _Entry:
    if isinstance(value, Mapping):
        raise UnfitError("give the value itself; of a record, its ['id']")
    if not isinstance(value, (str, bytes)) and is_iterable(value):
        raise UnfitError(f"for one of several values use {field.name}__in")
    text = value_encoder(field, lookup)(value)
    if text:
        return _Entry(_parameter(field, lookup), text)
    if lookup not in ("", "not_eq"):
        raise UnfitError("the server ignores an empty text here and returns every record")
    # The server ignores an empty value, but reads a comma as a list of empty texts.
    return _Entry(_parameter(field, "not_in" if lookup else "in"), ",")


def _encode_list(field: Field, lookup: str, value: object) -> _Entry:
    items = _items(field, lookup, value)
    param = _parameter(field, lookup)
    if not items:
        if lookup == "not_in":
            raise UnfitError("the server ignores an empty list and returns every record; leave the filter out")
        return _Entry(param, nothing=True)
    if field.filter_kind == "bool":
        return _encode_booleans(field, lookup, items)
    return _Entry(param, ",".join(items) or ",")


def _encode_booleans(field: Field, lookup: str, items: list[str]) -> _Entry:
    """Encode a list of booleans as an equivalent filter, since the server fails on such lists or ignores them."""
    if len(items) == 1:
        return _Entry(_parameter(field, "" if lookup == "in" else "not_eq"), items[0])
    if lookup == "in":
        return _Entry(f"{field.name}__isnull", "false")
    return _Entry(f"{field.name}__not_in", nothing=True)


def _items(field: Field, lookup: str, value: object) -> list[str]:
    """Return the texts of the values without duplicates, in an order that is the same for equal sets."""
    if isinstance(value, (str, bytes, bytearray, memoryview, Mapping)) or not is_iterable(value):
        raise UnfitError("give a list, a set or another iterable of values")
    values = list(islice(value, _MOST_ITEMS + 1))
    if len(values) > _MOST_ITEMS:
        raise UnfitError(f"give at most {_MOST_ITEMS:,} values")
    encode = value_encoder(field, lookup)
    items = list(dict.fromkeys(_item(place, item, encode) for place, item in enumerate(values)))
    if field.filter_kind in INTEGERS:
        items.sort(key=int)
    elif isinstance(value, (set, frozenset)):
        items.sort()
    return items


def _item(place: int, item: object, encode: Callable[[object], str]) -> str:
    try:
        present = _present(item)
        if present is None:
            raise UnfitError("a list cannot hold None; ask for nulls with isnull in a listing of their own")
        text = encode(present)
    except UnfitError as error:
        raise UnfitError(f"item {place}, counted from 0: {error}") from error
    if "," in text:
        raise UnfitError(f"the server parts a list at commas, and {brief(item)} has one; ask for it by itself")
    return text


def _present(value: object) -> Any:
    try:
        return builtin(value)
    except MissingError as error:
        raise UnfitError(f"{error}; for nulls ask with None or isnull") from error


def _parameter(field: Field, lookup: str) -> str:
    return f"{field.name}__{lookup}" if lookup else field.name


def _split_off_keys(resource: Resource, params: dict[str, str], room: int) -> tuple[int, ...] | None:
    """Remove an ``id__in`` that does not fit from the parameters and return its keys; ``None`` if all fits."""
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
