"""Finds the query parameters of a listing that the server ignores, so that a raw request can be warned about.

The methods with types refuse such parameters, in ``_filters`` and ``_listing``; a raw request is sent as it is.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ._conversions import TRUTHS
from ._errors import FilterError
from ._filter_names import find, lookups_of
from ._messages import brief, close_matches
from ._resources import Resource

_OF_EVERY_LISTING = ("_limit", "_offset", "_order", "_search", "format")
_OTHER_NAMES = {"pk": ("id",), "page": ("_offset",), "page_size": ("_limit",), "ordering": ("_order",)}


class IgnoredParameter(NamedTuple):
    """A query parameter that the server ignores."""

    name: str
    why: str
    """The reason, as the end of a sentence: ``which is no parameter of ...``."""
    matches: tuple[str, ...]
    """Names close to an unknown one, the closest first."""


def ignored_parameters(resource: Resource, params: Iterable[tuple[str, str]]) -> list[IgnoredParameter]:
    """Find the query parameters of a listing that the server ignores.

    Args:
        resource: The resource that is listed.
        params: The parameters as they are sent, in their order.

    Returns:
        The ignored ones: those with a name that the server does not know, an empty value, an invalid boolean,
        or an order by names that it does not know, and all but the last of several with one name.
    """
    pairs = list(params)
    names = [name for name, _ in pairs]
    found = []
    for position, (name, value) in enumerate(pairs):
        if name in names[position + 1 :]:
            found.append(IgnoredParameter(name, "is given once more behind it", (f"{name}__in",)))
        else:
            found += _ignored(resource, name, value)
    return found


def _ignored(resource: Resource, name: str, value: str) -> Iterable[IgnoredParameter]:
    if name not in _OF_EVERY_LISTING and not _is_filter(resource, name):
        yield IgnoredParameter(name, f"is no parameter of {resource.path}", _matches(resource, name))
    elif not value.strip():
        yield IgnoredParameter(name, "has an empty value", ())
    elif name == "_order":
        for column in (part.strip().removeprefix("-") for part in value.split(",")):
            if _is_no_order(resource, column):
                matches = close_matches(column, resource.orderable)
                yield IgnoredParameter(name, f"names {brief(column)}, which is no order", matches)
    elif _takes_truth(resource, name) and value.lower() not in TRUTHS:
        yield IgnoredParameter(name, f"is {brief(value)}, neither true nor false", ("true", "false"))


def _is_filter(resource: Resource, name: str) -> bool:
    field = resource.fields.get(name.partition("__")[0])
    if field is not None and field.write_only:
        return True  # the server does filter by it, although the client offers no such filter
    try:
        find(resource, name, None)
    except FilterError:
        return False
    return True


def _takes_truth(resource: Resource, name: str) -> bool:
    head, _, lookup = name.partition("__")
    field = resource.fields.get(head)
    return lookup == "isnull" or (field is not None and field.filter_kind == "bool" and lookup in ("", "not_eq"))


def _is_no_order(resource: Resource, column: str) -> bool:
    """Check whether an order has no effect. An order by several records has one."""
    if column in resource.orderable or f"_{column}" in resource.fields or column.endswith("_set"):
        return False
    field = resource.fields.get(column)
    return field is None or field.kind not in ("keys", "shapes")


def _matches(resource: Resource, name: str) -> tuple[str, ...]:
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    head = name.partition("__")[0]
    own = [f"{head}__{lookup}" for lookup in lookups_of(resource, head)] if "__" in name else []
    return close_matches(name, own) or close_matches(name, [*_OF_EVERY_LISTING, *resource.filterable])
