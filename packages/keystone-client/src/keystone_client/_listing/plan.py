"""Plan a listing: check its arguments, choose the walk that keeps it complete, and hand out its records in batches.

The idea. A listing must hold every matching record once while others insert and delete. Which walk can promise that
depends on the order, so the choice is made here, in one place:

- the order of the key (``id``, ``-id`` or none): ``by_key``; only in this order can a long ``id__in`` be split into
  several listings whose records follow each other;
- any other order, with the key added as its last field so that ties have an order: ``by_order``;
- the feed in its natural order: ``feed``, because its keys are text;
- nothing can match, or ``limit=0``: an empty chain of walks, which sends nothing.

A walk fetches pages and knows nothing of the caller. ``next_batch`` puts the limit and the progress function around it
and returns records *together with the flow that fetches the next ones*. So it is the driver that decides whether to
start that flow while the caller works on the records, which needs a thread or a task.

Rejected:

- One walk for every order: ``by_order`` needs more requests than there are pages, and remembers all keys it has seen.
- To start the next page in here: a flow has neither threads nor tasks; see ``_flow``.
- To leave bad arguments to the server: it ignores parameters it does not know, empty values and empty ``__in`` lists,
  and returns every record. A script that deletes what it lists would empty the database.

What must never be done here: to send anything before all arguments are checked; to drop a condition that cannot be
sent, or send a weaker one in its place.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keystone_client_core import (
    RESOURCES,
    EncodedFilters,
    FieldError,
    FilterError,
    Resource,
    check_limit,
    check_page_size,
    encode_filters,
    encode_order,
    encode_search,
    primary_key,
    query_length,
)

from .._config.arguments import checked_flag
from .._flow import Flow
from .._progress import check_progress
from .._protocol.call import Call
from .by_key import KeyWalk
from .by_order import OrderedWalk
from .feed import feed_walk
from .pages import Chain, Found, Parameters, Reader, Record, Walk
from .query import NO_QUERY, UNSET, Progress, Query
from .url_room import room_for_filters, split_keys


class Batch(NamedTuple):
    """Records to hand out, and the flow that fetches more, which is run while the caller works on them, or after."""

    records: list[Record]
    following: Flow["Batch | None"]


class Plan(NamedTuple):
    """A listing whose arguments were checked."""

    call: Call
    walk: Walk
    limit: int | None
    on_progress: Progress | None


def wants_one(pk: object, raise_not_exists: bool, query: Query) -> bool:
    """Check whether ``retrieve_x`` was asked for one record and not for a list.

    Raises:
        FieldError: The arguments ask for both.
    """
    if pk is UNSET:
        if raise_not_exists is not False:
            raise FieldError("raise_not_exists goes with pk; a list without matches is []", field="raise_not_exists")
        return False
    given = [name for name, value, default in zip(Query._fields, query, NO_QUERY, strict=True) if value is not default]
    if given:
        raise FieldError(
            f"pk asks for one record and {', '.join(given)} for a list: give one of them; for a list leave out pk, even"
            " pk=None",
            field="pk",
        )
    return True


def plan(call: Call, name: str, query: Query) -> Plan:
    """Check the arguments of a listing and choose its walk; nothing is sent."""
    resource = RESOURCES[name]
    check_progress(query.on_progress)
    checked_flag("prefetch", query.prefetch)
    limit = check_limit(query.limit)
    size = call.session.page_size if query.page_size is None else check_page_size(query.page_size)
    order = _with_key(resource, encode_order(resource, query.order))
    search = encode_search(resource, query.search)
    room = room_for_filters(call, resource, search, order) if query.filters else 0
    encoded = encode_filters(resource, query.filters, room=room)
    params = {**encoded.params, **search}
    after = None if query.after is None else primary_key(query.after)
    _check_combination(resource, order, after, encoded)
    nothing = encoded.nothing or limit == 0
    reader = Reader(call, resource, params, size, least=1 if _by_number(resource, order) else 2)
    parts = split_keys(encoded.keys, room - query_length(encoded.params))
    walk = Chain([]) if nothing else _walk(reader, order, after, parts)
    return Plan(call, walk, limit, query.on_progress)


def collected(plan: Plan) -> Flow[list[Record]]:
    """Walk a listing to its end and return its records. The deadline of the retry policy holds for all of it."""
    records: list[Record] = []
    while plan.limit is None or len(records) < plan.limit:
        found = yield from plan.walk.step(_left(plan, len(records)))
        if found is None:
            break
        records += _taken(plan, found, len(records))
    return records


def next_batch(plan: Plan, done: int = 0) -> Flow[Batch | None]:
    """Fetch the next records of a listing. The deadline of the retry policy holds for each batch anew.

    Args:
        plan: The listing.
        done: The number of records before.

    Returns:
        The records, with the flow that fetches more; ``None`` at the end of the listing.
    """
    left = _left(plan, done)
    if left == 0:
        return None
    plan.call.deadline.restart()
    found = yield from plan.walk.step(left)
    if found is None:
        return None
    records = _taken(plan, found, done)
    return Batch(records, next_batch(plan, done + len(records)))


def _left(plan: Plan, done: int) -> int | None:
    return None if plan.limit is None else plan.limit - done


def _taken(plan: Plan, found: Found, done: int) -> list[Record]:
    """Return the records of a step that are within the limit, and report the progress."""
    records = found.records[: _left(plan, done)]
    if plan.on_progress is not None:
        total = found.total if plan.limit is None else min(found.total, plan.limit)
        plan.on_progress(done + len(records), total)
    return records


def count(call: Call, name: str, query: Query) -> Flow[int]:
    """Count the records that match."""
    resource = RESOURCES[name]
    search = encode_search(resource, query.search)
    room = room_for_filters(call, resource, search)
    encoded = encode_filters(resource, query.filters, room=room)
    params = {**encoded.params, **search}
    if encoded.nothing:
        return 0
    total = 0
    for some in split_keys(encoded.keys, room - query_length(encoded.params)):
        page = yield from Reader(call, resource, params, 1).exact(some, 1)
        total += page.total
    return total


def _with_key(resource: Resource, order: Sequence[str]) -> list[str]:
    """Return an order that ends in the key: without the key ties have no order, and nothing behind it has an effect."""
    if not order and resource.name == "feed_entry":
        return []  # its keys are text, and its natural order is time
    for index, name in enumerate(order):
        if name in ("id", "-id"):
            return list(order[: index + 1])
    return [*order, "id"]


def _by_number(resource: Resource, order: list[str]) -> bool:
    """Check whether the listing is walked by numeric keys: those of the records, or of each kind of feed entry."""
    return not order if resource.name == "feed_entry" else len(order) == 1


def _check_combination(resource: Resource, order: list[str], after: int | None, encoded: EncodedFilters) -> None:
    by_key = bool(order) and _by_number(resource, order)
    if after is not None and not by_key:
        raise FilterError(
            f"after={after} resumes behind a key and needs an order by key: leave out order, or give id or -id",
            field="after",
            value=after,
        )
    if encoded.keys is not None and not by_key:
        raise FilterError(
            f"id__in with {len(encoded.keys)} keys does not fit in one request, and several cannot be joined in the "
            f"order {','.join(order)}: leave out order and sort the records, or ask for fewer keys",
            field="id__in",
        )


def _walk(reader: Reader, order: list[str], after: int | None, parts: Iterable[Parameters]) -> Walk:
    if not _by_number(reader.resource, order):
        return OrderedWalk(reader, order, pin="timestamp" if reader.resource.name == "feed_entry" else "id")
    if not order:
        return feed_walk(reader)
    descending = order == ["-id"]
    readers = [reader.narrowed(some) for some in parts]
    pinned = reader.resource.growing and not descending
    walks = [KeyWalk(each, descending=descending, after=after, pinned=pinned) for each in readers]
    if len(walks) == 1:
        return walks[0]
    return Chain(walks[::-1] if descending else walks)
