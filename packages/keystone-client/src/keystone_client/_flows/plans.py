"""Compare what is wanted with what is stored: core compares, and this lists what it asks for."""

from collections.abc import Sequence
from typing import Any, Final

from keystone_client_core import Comparison, FieldError, Wanted, compare

from .._flow import Flow
from .._listing import plan as listing
from .._listing.query import Query
from .._protocol.call import Call
from .auth import whoami

WRITTEN_AFTER: Final = 60.0
"""Seconds after which the server cannot be at work on a job any more: front-end web servers give up by then."""


def plan(call: Call, wanted: Sequence[Wanted]) -> Flow[Comparison]:
    """List what is stored, and compare it with what is wanted; nothing is written."""
    for each in wanted:
        if not isinstance(each, Wanted):
            given = type(each).__name__  # not its value: rows that are given in place of it may hold passwords
            raise FieldError(f"plan takes Wanted(...), not {given}: put the rows into one", field="wanted")
    caller = None
    if any(each.resource.name == "user" and (each.deletes or each.gone) for each in wanted):
        user = yield from whoami(call)
        caller = None if user is None else user["id"]
    comparing = compare(wanted, caller, _held(call))
    try:
        asked = next(comparing)
        while True:
            query = Query(filters=asked.filters)
            asked = comparing.send((yield from listing.collected(listing.plan(call, asked.resource, query))))
    except StopIteration as end:
        found: Comparison = end.value
        return found


def _held(call: Call) -> dict[Any, str]:
    """Return why records are not to be created now: a job that may create them could still be at work."""
    over = WRITTEN_AFTER - call.session.clock()
    return {
        name: f"an earlier apply may still be writing it: plan again in {since + over:.0f} s"
        for name, since in call.session.unsettled(WRITTEN_AFTER).items()
    }
