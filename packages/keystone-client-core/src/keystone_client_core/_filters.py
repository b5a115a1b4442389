"""Filters of a listing: their names, ``None``, lists, and the query they become.

The server ignores a parameter it does not know, an empty value and an empty list, and then returns every record. So
whatever it would ignore or misread is refused here, before anything is sent. What a single value may be belongs to
``_filter_values``; search, order and page size to ``_listing``.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlencode

from ._errors import FilterError
from ._filter_values import INTEGERS, PARTS, PATTERNS, UnfitValueError, unfit, value_encoder
from ._messages import close_matches, shown, suggestion
from ._resources import Field, Resource
from ._values import plain

_EVERY = ("not_eq", "in", "not_in", "isnull")
_COMPARED = ("lt", "lte", "gt", "gte")
_DAY = ("year", "month", "day", "week", "week_day")

LOOKUPS: Mapping[str, tuple[str, ...]] = {
    "int": _EVERY + _COMPARED,
    "decimal": _EVERY + _COMPARED,
    "code": _EVERY + _COMPARED,
    "text": _EVERY + PATTERNS,
    "email": _EVERY + PATTERNS,
    "slug": _EVERY + PATTERNS,
    "choice": _EVERY + PATTERNS,
    "date": _EVERY + _COMPARED + _DAY,
    "datetime": _EVERY + _COMPARED + tuple(PARTS),
    "bool": _EVERY,
    "key": _EVERY,
    "ip": _EVERY,
}
"""The lookups of each filter kind, ``lt`` for ``amount__lt``. A name without a lookup means equality."""

_LONGEST_KEYS = 2_500
_LONGEST_QUERY = 3_500
_MOST_ITEMS = 1_000_000

_OTHER_WAYS = {
    "_limit": "use limit=",
    "limit": "use limit=",
    "_offset": "listings walk by key; use limit=, or after= where you iterate",
    "offset": "listings walk by key; use limit=, or after= where you iterate",
    "page": "listings fetch every page; use limit=, or after= where you iterate",
    "_order": "use order=",
    "order": "use order=",
    "_search": "use search=",
    "search": "use search=",
    "format": "the client reads JSON only",
    "pk": "use id",
}


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


def lookups_of(resource: Resource, field: str) -> tuple[str, ...]:
    """The lookups a filter on this field can have; empty where the server offers no filter on it."""
    found = resource.fields.get(field)
    return LOOKUPS[found.filter_kind] if found is not None and found.filter_kind else ()


def encode_filters(resource: Resource, filters: Mapping[str, object] | None) -> EncodedFilters:
    """Check filters and encode them. All of them must hold for a record.

    Args:
        resource: What is listed.
        filters: ``{"name": "x", "amount__gte": 5, "id__in": [1, 2], "expire": None}``. ``None`` as a value means that
            the field is null. Dates, decimals, enum members and UUIDs are encoded; times with a zone go out in UTC.

    Returns:
        The query parameters, whether no record can match, and the keys of an ``id__in`` too long for one request.

    Raises:
        FilterError: An unknown field or lookup, or a value the server would refuse, misread or ignore.
    """
    if filters is None:
        return EncodedFilters({}, False, None)
    if not isinstance(filters, Mapping):
        raise FilterError(f"filters must be a mapping of names to values, not {type(filters).__name__}.", value=filters)
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
    keys = _split_off_keys(resource, params)
    _check_length(params)
    return EncodedFilters(params, False, keys)


def _encode(resource: Resource, name: object, value: object) -> _Entry:
    field, lookup = _find(resource, name, value)
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


def _find(resource: Resource, name: object, value: object) -> tuple[Field, str]:
    if not isinstance(name, str):
        raise FilterError(
            f"filter {shown(name)}: the name of a filter is text, not {type(name).__name__}.", value=value
        )
    field_name, _, lookup = name.rpartition("__") if "__" in name else (name, "", "")
    field = resource.fields.get(field_name)
    if field is None or not field.filter_kind or ("__" in name and lookup not in LOOKUPS[field.filter_kind]):
        raise _unknown(resource, name, value)
    return field, lookup


def _encode_isnull(field: Field, value: object) -> _Entry:
    if not isinstance(value, bool):
        raise UnfitValueError("the server ignores anything but true and false; give True or False")
    return _Entry(f"{field.name}__isnull", str(value).lower())


def _encode_none(field: Field, lookup: str) -> _Entry:
    if lookup not in ("", "not_eq"):
        raise UnfitValueError("None can only be compared for equality: leave the lookup out, or use not_eq or isnull")
    return _Entry(f"{field.name}__isnull", "true" if not lookup else "false")


def _encode_one(field: Field, lookup: str, value: object) -> _Entry:
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
        raise UnfitValueError(f"the server parts a list at commas, and {shown(item)} has one; ask for it by itself")
    return text


def _parameter(field: Field, lookup: str) -> str:
    return f"{field.name}__{lookup}" if lookup else field.name


def _split_off_keys(resource: Resource, params: dict[str, str]) -> tuple[int, ...] | None:
    if resource.fields["id"].filter_kind != "int" or len(urlencode({"": params.get("id__in", "")})) <= _LONGEST_KEYS:
        return None
    return tuple(map(int, params.pop("id__in").split(",")))


def _check_length(params: dict[str, str]) -> None:
    length = len(urlencode(params))
    if length > _LONGEST_QUERY:
        name = max(params, key=lambda param: len(params[param]))
        raise FilterError(
            f"The filters come to {length:,} characters of URL, {name} being the longest; servers refuse long ones, and"
            f" only a long id__in is split by itself. Ask in several listings of at most {_LONGEST_QUERY:,} each.",
            field=name,
            value=params[name],
        )


def _error(resource: Resource, name: object, value: object, why: str) -> FilterError:
    field = str(name).rpartition("__")[0] or str(name)
    lookups = lookups_of(resource, field) or lookups_of(resource, str(name))
    return FilterError(f"filter {name}: {unfit(value, why)}.", field=str(name), value=value, lookups=lookups)


def _unknown(resource: Resource, name: str, value: object) -> FilterError:
    head = name.partition("__")[0]
    lookups = lookups_of(resource, name) or lookups_of(resource, name.rpartition("__")[0]) or lookups_of(resource, head)
    matches = _matches(resource, name, head)
    message = (
        f"filter {shown(name)}: {_why(resource, name, head)}, and the server would ignore it and return every record."
        f"{suggestion(matches)} {_offer(resource, head, lookups)} For a parameter that is not known here use"
        f" http_get({resource.path + '/'!r}, params=...)."
    )
    return FilterError(message, field=name, value=value, matches=matches, lookups=lookups)


def _matches(resource: Resource, name: str, head: str) -> tuple[str, ...]:
    if name in _OTHER_WAYS:
        return ("id",) if name == "pk" else ()
    own = [f"{head}__{lookup}" for lookup in lookups_of(resource, head)]
    every = [f"{field}__{lookup}" for field in resource.filterable for lookup in lookups_of(resource, field)]
    return close_matches(name, own) or close_matches(name, [*resource.filterable, *every])


def _why(resource: Resource, name: str, head: str) -> str:
    field = resource.fields.get(head)
    if name in _OTHER_WAYS:
        return f"it is no filter ({_OTHER_WAYS[name]})"
    if field is None:
        return f"{resource.name} records have no such field"
    if field.write_only:
        return "a secret is nothing to filter by"
    if field.kind in ("keys", "shapes"):
        return "the server cannot filter by several records at once"
    if not field.filter_kind:
        return f"the server cannot filter by {head}"
    if field.filter_kind == "key" and field.target:
        return f"{head} takes a primary key, and the server does not look into the {field.target}"
    return f"{head} has no such lookup"


def _offer(resource: Resource, head: str, lookups: tuple[str, ...]) -> str:
    if lookups:
        return f"{head} by itself means equality; its lookups are {', '.join(lookups)}."
    return f"Filters are {', '.join(resource.filterable)}."
