"""Plan a listing of an endpoint that may be newer than the table of resources.

The idea. A listing of the table is walked as by the methods with types. Of any other, nothing is known but what it
answers, so the walk asks for the record with the highest key first. If keys are numbers, they are walked up to that
one; a server that does not take the bound, or not the order, is noticed, for the keys do not advance then. If they are
not, the pages are fetched by offset, and any sign of a change meanwhile ends the listing with an error.

What must never be done here: to end a listing without an error where a record may be missing.
"""

from typing import Final

from keystone_client_core import (
    RESOURCES,
    FilterError,
    Resource,
    brief,
    check_limit,
    check_page_size,
    encode_order,
    ignored_parameters,
)

from .._flow import Flow
from .._protocol.call import Call
from .._protocol.parameters import Pairs, known_listing, own_parameters
from .by_key import KeyWalk
from .by_offset import OffsetWalk
from .by_order import OrderedWalk
from .feed import feed_walk
from .pages import Chain, Found, Reader, Walk
from .plan import Plan

_OWN: Final = {"_limit": "use limit= or page_size=", "_offset": "the listing fetches every page"}
_BOUNDS: Final = ("id__gt", "id__lt", "id__lte")
"""Parameters that a walk combines with bounds of its own."""


def plan_any(call: Call, path: str, query: Pairs, page_size: int | None, limit: int | None) -> Plan:
    """Check the arguments of a listing of any endpoint and choose its walk; nothing is sent."""
    checked = _checked([*own_parameters(path), *query])
    limit = check_limit(limit)
    size = call.session.page_size if page_size is None else check_page_size(page_size)
    resource = known_listing(path) or _unknown(path.partition("?")[0])
    order = [name for name in checked.pop("_order", "").replace(" ", "").split(",") if name]
    _refuse_repeating(resource, order)
    walk = Chain([]) if limit == 0 else _walk(Reader(call, resource, checked, size, least=2), order)
    return Plan(call, walk, limit, None)


def _unknown(path: str) -> Resource:
    """Return a resource of which only the path is known; it may grow by being read, as logs do."""
    name = path.rstrip("/")
    return Resource(name, name, "", "", frozenset({"list"}), {}, growing=True)


def _checked(pairs: Pairs) -> dict[str, str]:
    """Return the parameters by name.

    Raises:
        FilterError: One is the listing's own, or given twice, or a bound on the key is no number.
    """
    params: dict[str, str] = {}
    for name, value in pairs:
        if name in _OWN:
            raise FilterError(f"parameter {name}: {_OWN[name]}.", field=name, value=value)
        if name in params:
            raise FilterError(
                f"parameter {name!r} is given twice, and the server reads the last one only: for one of several values"
                f" use {name}__in with commas.",
                field=name,
                value=value,
            )
        if name in _BOUNDS and not (value.isascii() and value.isdigit()):
            raise FilterError(f"parameter {name}: give a whole number, not {brief(value)}.", field=name, value=value)
        params[name] = value
    return params


def _refuse_repeating(resource: Resource, order: list[str]) -> None:
    """Refuse an order by several records, in which the server repeats some records and loses others.

    The table knows which these are: orders that the server reads and the methods with types do not offer.
    """
    offered = {*resource.orderable, *(f"-{name}" for name in resource.orderable)}
    read = [name for name in order if not ignored_parameters(resource, [("_order", name)])]
    if resource.fields and not offered.issuperset(read):
        encode_order(resource, [name for name in read if name not in offered])


def _walk(reader: Reader, order: list[str]) -> Walk:
    for place, name in enumerate(order):
        if name in ("id", "-id"):
            order = order[: place + 1]  # nothing behind the key has an effect
    if not order and reader.resource is RESOURCES["feed_entry"]:
        return feed_walk(reader)
    if order in (["id"], ["-id"]) or (not order and reader.resource.fields):
        descending = order == ["-id"]
        return KeyWalk(reader, descending=descending, pinned=reader.resource.growing and not descending)
    if order:
        pin = "timestamp" if reader.resource is RESOURCES["feed_entry"] else "id"
        return _Once(reader, OrderedWalk(reader, [*order, *([] if order[-1] in ("id", "-id") else ["id"])], pin=pin))
    return _FirstLook(reader)


class _Once:
    """A walk that fails if a page has a record twice: in an order by several records the server loses others then."""

    def __init__(self, reader: Reader, walk: Walk) -> None:
        self._reader = reader
        self._walk = walk

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch the next page; see ``Walk``."""
        found = yield from self._walk.step(most)
        if found is not None and len({record["id"] for record in found.records}) < len(found.records):
            raise self._reader.incomplete("a record came twice")
        return found


class _FirstLook:
    """A walk that looks at the key of one record before it decides how to go on."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._walk: Walk | None = None

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch the next page; see ``Walk``."""
        if self._walk is None:
            page = yield from self._reader.exact({"_order": "-id"}, 1)
            numbers = all(type(record["id"]) is int for record in page.records)
            self._walk = KeyWalk(self._reader, pinned=True) if numbers else OffsetWalk(self._reader)
        return (yield from self._walk.step(most))
