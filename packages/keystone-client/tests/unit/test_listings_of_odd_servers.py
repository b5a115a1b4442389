"""Pages that contradict each other raise: a listing never loops, and never leaves anything out in silence."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from keystone_client import (
    DecodeError,
    PaginationError,
)

from .listing_server import ORDERS, Change, ListServer, Record, clusters, listed, ordered, with_key
from .scripted import Reply, Scripted, connect, page


def always(records: list[Record], count: int = 10) -> Reply:
    return page(*records, count=count, more=True)


def ignoring(*names: str, server: ListServer | None = None) -> Callable[[], Reply]:
    """A server that ignores some parameters."""

    def make() -> Reply:
        table = ListServer(clusters(20)) if server is None else server

        def reply(request: httpx.Request) -> httpx.Response:
            kept = [(name, value) for name, value in request.url.params.multi_items() if name not in names]
            url = request.url.copy_with(params=kept)
            return table(httpx.Request("GET", url))

        return reply

    return make


MISBEHAVING: dict[str, Callable[[], Reply]] = {
    "the same page for ever": lambda: always(clusters(3)),
    "no record and yet more": lambda: always([]),
    "ids that are text": lambda: always([{"id": "1"}, {"id": "2"}]),
    "ids that are truth values": lambda: always([{"id": True}]),
    "ids that are null": lambda: always([{"id": None}]),
    "ids that are fractions": lambda: always([{"id": 1.5}]),
    "a record twice on a page": lambda: always([{"id": 1}, {"id": 1}]),
    "ids that fall": lambda: always([{"id": 2}, {"id": 1}]),
    "key ignored": ignoring("id__gt"),
    "order ignored and key too": ignoring("id__gt", "_order"),
    "a count without records": lambda: page(count=5),
    "more counted than sent, for ever": lambda: page(count=5, more=False),
}


@pytest.mark.parametrize("make", MISBEHAVING.values(), ids=MISBEHAVING)
def test_paging_by_key_raises_on_inconsistent_pages(colour: str, make: Callable[[], Reply]) -> None:
    wire = Scripted(make())
    client = connect(colour, wire, page_size=3)
    with pytest.raises((PaginationError, DecodeError)) as caught:
        client.retrieve_cluster()
    assert caught.value.cid == client.cid
    assert len(wire.requests) <= 6


def test_a_log_that_grows_on_a_server_that_ignores_the_upper_bound_raises(colour: str) -> None:
    """The walk would follow the rows that its own requests add."""
    server = ListServer(clusters(5), between=[[Change(insert="z")]] * 50)
    wire = Scripted(ignoring("id__lte", server=server)())
    with pytest.raises(PaginationError, match="above the bound"):
        connect(colour, wire, page_size=3).retrieve_audit_log()
    assert len(wire.requests) <= 6


def test_a_last_page_may_be_short_again_after_pages_that_were_not(colour: str) -> None:
    """Each delete between the two queries of the server makes a page that ends before its count."""
    short = [page({"id": 2 * number}, count=2) for number in range(1, 6)]
    full = [page({"id": 2 * number + 1}, count=2, more=True) for number in range(1, 6)]
    script = [each for pair in zip(short, full, strict=True) for each in pair]
    client = connect(colour, Scripted(*script, page()), page_size=1)
    assert [record["id"] for record in client.retrieve_cluster()] == [*range(2, 12)]


@pytest.mark.parametrize("make", [ignoring("id__lt"), ignoring("_order"), lambda: always(clusters(3))])
def test_paging_by_descending_key_raises_on_inconsistent_pages(colour: str, make: Callable[[], Reply]) -> None:
    wire = Scripted(make())
    with pytest.raises(PaginationError):
        connect(colour, wire, page_size=3).retrieve_cluster(order="-id")
    assert len(wire.requests) <= 6


ODD: dict[str, Callable[[], Reply]] = {
    "offset ignored": ignoring("_offset"),
    "offset and bound ignored": ignoring("_offset", "id__lte"),
    "the same page for ever": lambda: always(clusters(3)),
    "no record and yet more": lambda: always([]),
    "ids that are text": lambda: always([{"id": "1", "name": "a"}]),
    "a count that is too low": lambda: always(clusters(3), count=1),
    "a count that is too high": lambda: always(clusters(3), count=10**9),
    "a count below nothing": lambda: always(clusters(3), count=-5),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_paging_in_another_order_raises_on_inconsistent_pages(colour: str, make: Callable[[], Reply]) -> None:
    wire = Scripted(make())
    with pytest.raises((PaginationError, DecodeError)):
        connect(colour, wire, page_size=3).retrieve_cluster(order="name")
    assert len(wire.requests) <= 200


@pytest.mark.parametrize("make", [lambda: always([]), lambda: always([{"id": "audit-1"}]), lambda: always(clusters(2))])
def test_the_feed_raises_on_inconsistent_pages(colour: str, make: Callable[[], Reply]) -> None:
    wire = Scripted(make())
    with pytest.raises((PaginationError, DecodeError)):
        connect(colour, wire, page_size=3).retrieve_feed_entry()
    assert len(wire.requests) <= 6


BY_KEY, BY_FIELD = ORDERS[:3], ORDERS[3:]


def cutting(most: int) -> Reply:
    """A server whose pages have at most so many records."""
    server = ListServer(clusters(20))

    def cut(request: httpx.Request) -> httpx.Response:
        limit = min(most, int(request.url.params["_limit"]))
        return server(httpx.Request("GET", request.url.copy_set_param("_limit", limit)))

    return cut


@pytest.mark.parametrize("order", BY_KEY, ids=str)
@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_listing_by_key_is_complete_if_pages_are_smaller_than_requested(order: Any, most: int) -> None:
    assert listed(cutting(most), order=order) == ordered(clusters(20), with_key(order))


@pytest.mark.parametrize("order", BY_FIELD, ids=str)
@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_listing_in_another_order_raises_if_pages_are_smaller_than_requested(order: Any, most: int) -> None:
    with pytest.raises(PaginationError):
        listed(cutting(most), order=order)


def lying(count: int) -> Reply:
    """A server that counts wrongly."""
    server = ListServer(clusters(20))

    def lie(request: httpx.Request) -> httpx.Response:
        body = server(request).json()
        return httpx.Response(200, json={**body, "count": count}, request=request)

    return lie


@pytest.mark.parametrize("count", [0, 1, -3])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_count_that_is_too_low_loses_no_record(order: Any, count: int) -> None:
    assert listed(lying(count), order=order, page_size=3) == ordered(clusters(20), with_key(order))


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_listing_that_ends_before_its_count_raises(order: Any) -> None:
    with pytest.raises(PaginationError):
        listed(lying(10**6), order=order, page_size=3)
