"""A listing is the whole list, in its order, within the bounds that the caller gives."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import pytest
from keystone_client import (
    KeystoneError,
)

from .listing_server import ORDERS, ListServer, Record, clusters, ordered, with_key
from .scripted import Scripted, connect, page


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 21, 1000])
def test_a_listing_is_the_whole_list_in_its_order(colour: str, order: Any, size: int) -> None:
    for count in (0, 1, 2, 20):
        server = ListServer(clusters(count))
        client = connect(colour, Scripted(server))
        assert client.retrieve_cluster(order=order, page_size=size) == ordered(clusters(count), with_key(order))


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_limit_returns_the_first_records_and_requests_no_more(colour: str, order: Any) -> None:
    for limit in (1, 2, 3, 6, 19, 20, 21, 500):
        server = ListServer(clusters(20))
        client = connect(colour, Scripted(server))
        found = client.retrieve_cluster(order=order, limit=limit, page_size=3)
        assert found == ordered(clusters(20), with_key(order))[:limit]
        assert client.iterate_cluster(order=order, limit=limit, page_size=3) == found


BOUNDS: list[tuple[dict[str, Any], Callable[[Record], bool]]] = [
    ({"id__gt": 10}, lambda record: record["id"] > 10),
    ({"id__gte": 10}, lambda record: record["id"] >= 10),
    ({"id__lt": 40}, lambda record: record["id"] < 40),
    ({"id__lte": 40}, lambda record: record["id"] <= 40),
    ({"id__gt": 10, "id__lt": 40}, lambda record: 10 < record["id"] < 40),
    ({"id__gt": 10, "id__lte": 40}, lambda record: 10 < record["id"] <= 40),
    ({"id__gte": 10, "id__lte": 40}, lambda record: 10 <= record["id"] <= 40),
    ({"id__in": [1, 4, 7, 8, 58]}, lambda record: record["id"] in {1, 4, 7, 58}),
    ({"id": 7}, lambda record: record["id"] == 7),
    ({"name": "b"}, lambda record: record["name"] == "b"),
    ({"name": "b", "id__gt": 4, "id__lte": 49}, lambda record: record["name"] == "b" and 4 < record["id"] <= 49),
    ({"name__in": ["b", "c"], "id__gte": 10}, lambda record: record["name"] in {"b", "c"} and record["id"] >= 10),
    ({"id__gt": 1000}, lambda record: False),
]


@pytest.mark.parametrize(("filters", "matches"), BOUNDS, ids=[str(filters) for filters, _ in BOUNDS])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_key_bounds_of_the_caller_hold_on_every_page(
    filters: dict[str, Any], matches: Callable[[Record], bool], order: Any
) -> None:
    """The expected records are computed from the test's own data, not from another listing."""
    expected = ordered([record for record in clusters(20) if matches(record)], with_key(order))
    for size in (2, 1000):
        server = ListServer(clusters(20))
        client = connect("sync", Scripted(server), page_size=size)
        assert client.retrieve_cluster(filters=filters, order=order) == expected
        assert client.iterate_cluster(filters=filters, order=order) == expected
        assert client.count_cluster(filters=filters) == len(expected)


@pytest.mark.parametrize("after", [1, "10", 30, 1000])
def test_after_resumes_after_a_key(colour: str, after: Any) -> None:
    client = connect(colour, Scripted(ListServer(clusters(20))), page_size=3)
    assert [record["id"] for record in client.iterate_cluster(after=after)] == [
        record["id"] for record in clusters(20) if record["id"] > int(after)
    ]
    assert [record["id"] for record in client.iterate_cluster(after=after, order="-id")] == [
        record["id"] for record in reversed(clusters(20)) if record["id"] < int(after)
    ]


@pytest.mark.parametrize(("filters", "matches"), BOUNDS, ids=[str(filters) for filters, _ in BOUNDS])
@pytest.mark.parametrize("after", [4, 13, 40])
@pytest.mark.parametrize("order", ["id", "-id"])
def test_after_and_key_bounds_of_the_caller_hold_together(
    filters: dict[str, Any], matches: Callable[[Record], bool], after: int, order: str
) -> None:
    def lies_behind(key: int) -> bool:
        return key < after if order == "-id" else key > after

    client = connect("sync", Scripted(ListServer(clusters(20))), page_size=3)
    expected = [record for record in clusters(20) if matches(record) and lies_behind(record["id"])]
    assert client.iterate_cluster(after=after, filters=filters, order=order) == ordered(expected, order)


def test_a_small_limit_on_a_long_feed_takes_few_requests(colour: str) -> None:
    begin = datetime(2026, 7, 1, tzinfo=UTC)
    server = ListServer(
        {"id": f"r{n}", "record_type": "request", "record_id": n, "timestamp": (begin + timedelta(n)).isoformat()}
        for n in range(1, 3000)
    )

    found = connect(colour, Scripted(server)).retrieve_feed_entry(limit=5)

    assert [record["record_id"] for record in found] == [1, 2, 3, 4, 5]
    assert len(server.requests) <= 6


@pytest.mark.parametrize("order", [None, "-id"])
def test_a_long_list_of_keys_is_split_into_requests_with_short_urls(colour: str, order: str | None) -> None:
    keys = [record["id"] for record in clusters(3000)]
    server = ListServer(clusters(3000))
    client = connect(colour, Scripted(server))
    found = client.retrieve_cluster(filters={"id__in": keys[::-1]}, order=order)
    assert [record["id"] for record in found] == (keys if order is None else keys[::-1])
    assert len(server.requests) > 1
    assert max(len(str(request.url)) for request in server.requests) < 4000
    assert client.count_cluster(filters={"id__in": keys}) == 3000
    assert len(client.retrieve_cluster(filters={"id__in": keys}, order=order, limit=700)) == 700


@pytest.mark.parametrize("order", [None, "-id"])
@pytest.mark.parametrize("limit", [None, 2300])
def test_progress_over_a_split_list_of_keys_counts_the_records_of_the_earlier_listings(
    colour: str, order: str | None, limit: int | None
) -> None:
    """Each part counts only its own records; the caller gets the total so far."""
    keys = [record["id"] for record in clusters(3000)]
    server = ListServer(clusters(3000))
    seen: list[tuple[int, int]] = []

    connect(colour, Scripted(server), page_size=200).retrieve_cluster(
        filters={"id__in": keys}, order=order, limit=limit, on_progress=lambda done, total: seen.append((done, total))
    )

    lists = [list(group) for _, group in groupby(server.requests, lambda request: request.url.params["id__in"])]
    assert len(lists) > 2
    expected = []
    done = before = 0
    for requests in lists:
        size = len(requests[0].url.params["id__in"].split(","))
        for _ in requests:
            done = min(done + 200, before + size, limit or 3000)
            expected.append((done, min(before + size, limit or 3000)))
        before += size
    assert seen == expected
    assert seen[-1] == (limit or 3000, limit or 3000)


def test_a_long_list_of_keys_in_another_order_is_refused_because_it_cannot_be_split(colour: str) -> None:
    wire = Scripted(page())
    with pytest.raises(KeystoneError, match="sort the records"):
        connect(colour, wire).retrieve_cluster(filters={"id__in": range(1, 3000)}, order="name")
    assert wire.requests == []


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_the_next_url_of_a_page_is_never_requested(colour: str, order: Any) -> None:
    wire = Scripted(ListServer(clusters(20)))
    connect(colour, wire, page_size=3).retrieve_cluster(order=order)
    assert len(wire.requests) > 5
    assert {request.url.host for request in wire.requests} == {"keystone.test"}


def test_an_abandoned_iteration_sends_no_more_requests() -> None:
    wire = Scripted(ListServer(clusters(20)))
    client = connect("sync", wire, page_size=3).client
    records = client.iterate_cluster(prefetch=False)
    assert next(records)["id"] == 1
    records.close()
    assert len(wire.requests) == 1
