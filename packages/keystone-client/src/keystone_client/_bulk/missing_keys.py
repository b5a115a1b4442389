"""Find the keys of a chunk of deletes that do not exist any more.

The server stops at the first key that it cannot find. To drop only that one and send the chunk again would take one job
for each missing key, so the others are looked up. A listing of the chunk's keys shows most of what exists. Each key
that it does not show is asked for by itself, and only a 404 to that counts.
"""

from collections.abc import Sequence

from keystone_client_core import LARGEST_PAGE, Resource

from .._flow import Flow
from .._listing.url_room import room_for_filters, split_keys
from .._protocol.call import Call
from .._protocol.requests import Draft
from .._protocol.responses import is_missing, page_of
from .report import Item


def missing(call: Call, first: Item, chunk: Sequence[Item]) -> Flow[set[int]]:
    """Return the places of the records of a chunk that do not exist; ``first`` is known to be one of them."""
    places = {first.place}
    try:
        listed = yield from _listed(call, first.action.resource, chunk)
        for item in chunk:
            if item.pk not in listed and item.place not in places:
                response = yield from call.send(Draft("GET", item.action.path[1:]))
                places |= {item.place} if is_missing(response) else set()
    finally:
        call.lost = False  # at most the answers to these look-ups were lost: the job itself was undone
    return places


def _listed(call: Call, resource: Resource, chunk: Sequence[Item]) -> Flow[set[int]]:
    found: set[int] = set()
    keys = [item.pk for item in chunk]
    for some in split_keys(keys, room_for_filters(call, resource)):
        draft = Draft("GET", f"{resource.path}/", {**some, "_limit": str(LARGEST_PAGE)})
        page = page_of((yield from call.send(draft)), call.cid)
        found |= {record["id"] for record in page.records}
    return found
