"""Fit conditions into the length that a URL can have: the room for filters, and an ``id__in`` split over requests."""

from collections.abc import Iterator, Mapping, Sequence

from keystone_client_core import LONGEST_URL, Resource, query_length

from .._protocol.call import Call
from .pages import Parameters

ROOM_FOR_WALKS = 200
"""Characters of a URL for what walks add: page size, offset, and bounds on the key or on the time."""


def room_for_filters(
    call: Call, resource: Resource, search: Mapping[str, str] | None = None, order: Sequence[str] = ()
) -> int:
    """Return the characters of a URL that filters may take, beside the address and all that pages add to it."""
    reversed_order = ",".join(f"-{name}" for name in order)  # a walk may go down the reversed list
    more = query_length({**(search or {}), "_order": reversed_order})
    return LONGEST_URL - len(f"{call.session.base_url}{resource.path}/?") - more - ROOM_FOR_WALKS


def split_keys(keys: Sequence[int] | None, room: int) -> Iterator[Parameters]:
    """Split the keys of an ``id__in`` that is too long for one request; yield the parameters of each listing.

    Without keys there is one listing, which needs no further parameters.

    Args:
        keys: The keys; ``None`` where they are not split.
        room: The characters of a URL that they may take.
    """
    if keys is None:
        yield {}
        return
    some: list[str] = []
    length = most = room - len("&id__in=")
    for key in map(str, keys):
        if some and length < len(key) + 1:
            yield {"id__in": ",".join(some)}
            some, length = [], most
        some.append(key)
        length -= len(key) + 1
    yield {"id__in": ",".join(some)}
