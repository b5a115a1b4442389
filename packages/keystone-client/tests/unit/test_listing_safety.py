"""A listing is complete or raises, whatever the server and other users do: it never loops and never omits records."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keystone_client import (
    DecodeError,
    KeystoneError,
    PaginationError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TransportError,
)

from .listing_server import Change, ListServer, Record, ordered
from .scripted import Reply, Scripted, answer, connect, failure, page

ORDERS = [None, "id", "-id", "name", "-name", "name,-id", "-name,-id", "enabled,-name", ["-enabled", "name"]]
CHANGES = st.lists(
    st.builds(Change, delete=st.none() | st.integers(0, 50), insert=st.none() | st.sampled_from("abc")), max_size=3
)


def clusters(count: int) -> list[Record]:
    """Return records with many equal field values."""
    return [{"id": 3 * n + 1, "name": "abcab"[n % 5], "enabled": n % 3 == 0} for n in range(count)]


def named(names: list[str]) -> list[Record]:
    return [{"id": 2 * n + 1, "name": name} for n, name in enumerate(names)]


def listed(server: Reply, **options: Any) -> list[Record]:
    records: list[Record] = connect("sync", Scripted(server)).retrieve_cluster(**options)
    return records


def with_key(order: str | list[str] | None) -> str:
    text = ",".join([order] if isinstance(order, str) else order or [])
    return text if text.endswith("id") else f"{text},id".lstrip(",")


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


def check_kept(server: ListServer, before: list[Record], found: list[Record], order: str, limit: int | None) -> None:
    """Check that unchanged records are listed once and in order; with a limit, that none of them was skipped."""
    ids = [record["id"] for record in found]
    assert len(set(ids)) == len(ids)
    assert found == ordered(found, order)
    kept = [record for record in before if record["id"] not in server.gone]
    if limit is not None and len(found) >= limit:
        assert len(found) == limit
        kept = [record for record in kept if ordered([record, found[-1]], order)[0] is record]
    assert {record["id"] for record in kept} <= set(ids)


@given(
    st.lists(st.sampled_from("abc"), max_size=16),
    st.lists(CHANGES, max_size=25),
    st.sampled_from(["id", "-id", "name,id", "-name,id", "name,-id", "-name,-id"]),
    st.integers(1, 7),
    st.none() | st.integers(1, 12),
)
def test_unchanged_records_are_listed_once_during_inserts_and_deletes(
    names: list[str], changes: list[list[Change]], order: str, size: int, limit: int | None
) -> None:
    server = ListServer(named(names), between=changes)
    found = listed(server, order=order, page_size=size, limit=limit)
    check_kept(server, named(names), found, order, limit)
    assert len(server.requests) <= 150


@given(
    st.lists(st.sampled_from("abc"), max_size=16),
    st.lists(st.just([]) | CHANGES, max_size=10),
    st.sampled_from(["id", "-id", "name,id", "-name,-id"]),
    st.integers(1, 7),
    st.none() | st.integers(1, 12),
)
@example(["a", "b"], [[Change(insert="a")]], "-id", 2, None)
@example(["a", "b"], [[Change(insert="a")]], "name,id", 2, None)
def test_changes_between_the_two_queries_of_a_page_lose_no_record_silently(
    names: list[str], changes: list[list[Change]], order: str, size: int, limit: int | None
) -> None:
    """The server counts first and then fetches: ``count`` and ``next`` may disagree with the records."""
    server = ListServer(named(names), within=changes)
    try:
        found = listed(server, order=order, page_size=size, limit=limit)
    except PaginationError:
        assert server.gone, "only deletes can make a page contradict its count"
        return
    check_kept(server, named(names), found, order, limit)


@given(st.integers(0, 12), st.integers(1, 5), st.sampled_from([None, "id", "-id", "timestamp", "-timestamp"]))
def test_a_log_that_grows_with_every_request_ends_at_its_initial_last_row(
    count: int, size: int, order: str | None
) -> None:
    def line(number: int) -> Record:
        return {"id": number, "timestamp": f"2026-07-01T12:{number // 60:02}:{number % 60:02}Z"}

    server = ListServer(line(number) for number in range(1, count + 1))

    def growing(request: httpx.Request) -> httpx.Response:
        response = server(request)
        server.records.append(line(len(server.records) + 1))
        return response

    found = connect("sync", Scripted(growing), page_size=size).retrieve_audit_log(order=order)
    ids = [record["id"] for record in found]
    assert set(range(1, count + 1)) <= set(ids)
    assert len(ids) == len(set(ids)) <= count + 2
    assert found == ordered(found, with_key(order))


@given(
    st.lists(st.sampled_from(["request", "task", "audit"]), max_size=14),
    st.integers(1, 5),
    st.none() | st.integers(1, 9),
)
def test_the_feed_is_merged_by_time_and_ends_at_its_initial_last_entry(
    kinds: list[str], size: int, limit: int | None
) -> None:
    def entry(number: int, kind: str) -> Record:
        moment = f"2026-07-01T12:00:{number:02}.5Z"
        return {"id": f"{kind}-{number}", "record_type": kind, "record_id": number, "timestamp": moment}

    server = ListServer(entry(number, kind) for number, kind in enumerate(kinds, start=1))
    before = list(server.records)

    def growing(request: httpx.Request) -> httpx.Response:
        response = server(request)
        server.records.append(entry(len(server.records) + 1, "request"))
        return response

    found = connect("sync", Scripted(growing), page_size=size).retrieve_feed_entry(limit=limit)
    assert found == ordered(found, "timestamp")
    assert len({record["id"] for record in found}) == len(found)
    assert found[: len(before)] == before[:limit]
    assert len(found) <= len(before) + 1


@given(
    st.lists(st.tuples(st.sampled_from(["request", "task", "audit"]), st.floats(0, 50)), max_size=40),
    st.integers(1, 5),
    st.none() | st.integers(1, 9),
)
def test_the_feed_is_ordered_by_time_even_if_keys_are_not(
    rows: list[tuple[str, float]], size: int, limit: int | None
) -> None:
    """The server takes the timestamp of a row before its key; concurrent rows may get their keys in between."""
    server = ListServer(
        {
            "id": f"{kind}-{number}",
            "record_type": kind,
            "record_id": number,
            "timestamp": (datetime(2026, 7, 1, tzinfo=UTC) + timedelta(seconds=10 * number - late)).isoformat(),
        }
        for number, (kind, late) in enumerate(rows, start=1)
    )

    found = connect("sync", Scripted(server), page_size=size).retrieve_feed_entry(limit=limit)

    assert [record["timestamp"] for record in found] == sorted(record["timestamp"] for record in server.records)[:limit]
    assert len({record["id"] for record in found}) == len(found)


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


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_the_next_url_of_a_page_is_never_requested(colour: str, order: Any) -> None:
    wire = Scripted(ListServer(clusters(20)))
    connect(colour, wire, page_size=3).retrieve_cluster(order=order)
    assert len(wire.requests) > 5
    assert {request.url.host for request in wire.requests} == {"keystone.test"}


def sizes(wire: Scripted) -> list[int]:
    return [int(request.url.params["_limit"]) for request in wire.requests]


TOO_SLOW = [failure(httpx.ReadTimeout), failure(httpx.WriteTimeout), answer(502), answer(504)]


@pytest.mark.parametrize("slow", TOO_SLOW)
def test_a_page_that_takes_too_long_is_halved_and_grows_again(colour: str, slow: Reply) -> None:
    server = ListServer(clusters(2500))
    wire = Scripted(slow, slow, slow, server)
    client = connect(colour, wire, retry=RetryPolicy())
    assert [record["id"] for record in client.retrieve_cluster()] == [record["id"] for record in clusters(2500)]
    assert sizes(wire) == [1000, 500, 250, 125, 250, 500, 1000, 1000]
    assert client.pauses == [0.5, 1, 2]


def test_a_page_that_is_too_large_for_the_client_does_not_grow_again(colour: str) -> None:
    """The server may be faster next time; the answer would be as large again."""
    wire = Scripted(ListServer(clusters(500)))
    found = connect(colour, wire, max_response_size=10_000).retrieve_cluster()
    assert found == clusters(500)
    assert sizes(wire) == [1000, 500, 250, 250]


LISTINGS: dict[str, Callable[[Any], object]] = {
    "retrieve": lambda client: client.retrieve_cluster(),
    "in another order": lambda client: client.retrieve_cluster(order="name"),
    "iterate": lambda client: client.iterate_cluster(),
    "the feed": lambda client: client.retrieve_feed_entry(),
    "follow": lambda client: client.follow_audit_log(after=1),
    "count": lambda client: client.count_cluster(),
}


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
@pytest.mark.parametrize("retry", [None, RetryPolicy(attempts=1)], ids=["none", "one"])
@pytest.mark.parametrize("slow", TOO_SLOW)
def test_without_retries_a_listing_that_takes_too_long_is_one_request(
    colour: str, slow: Reply, retry: Any, listing: Callable[[Any], object]
) -> None:
    wire = Scripted(slow)
    client = connect(colour, wire, retry=retry)
    with pytest.raises((ServerError, TransportError)) as caught:
        listing(client)
    assert len(wire.requests) == getattr(caught.value, "attempts", 1) == 1
    assert client.pauses == []


def test_without_retries_a_page_that_is_too_large_is_one_request(colour: str) -> None:
    wire = Scripted(ListServer(clusters(100)))
    with pytest.raises(ResponseTooLargeError, match="page_size"):
        connect(colour, wire, retry=None, max_response_size=1000).retrieve_cluster()
    assert len(wire.requests) == 1


@pytest.mark.parametrize("attempts", [2, 4, 9])
@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
@pytest.mark.parametrize("slow", TOO_SLOW)
def test_an_error_of_a_listing_counts_the_requests_sent_as_attempts(
    colour: str, slow: Reply, attempts: int, listing: Callable[[Any], object]
) -> None:
    wire = Scripted(slow)
    with pytest.raises((ServerError, TransportError)) as caught:
        listing(connect(colour, wire, retry=RetryPolicy(attempts=attempts)))
    assert len(wire.requests) == attempts
    if isinstance(caught.value, TransportError):
        assert caught.value.attempts == attempts
        assert f"after {attempts} tries" in str(caught.value)


def test_other_failures_count_towards_the_tries_of_a_halved_page(colour: str) -> None:
    wire = Scripted(answer(503), failure(httpx.ReadTimeout), answer(429), failure(httpx.ReadError))
    with pytest.raises(TransportError, match="after 4 tries") as caught:
        connect(colour, wire).retrieve_cluster()
    assert sizes(wire) == [1000, 1000, 500, 500]
    assert caught.value.attempts == 4


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_listing_is_complete_if_the_server_manages_only_small_pages(order: Any) -> None:
    server = ListServer(clusters(400))

    def weak(request: httpx.Request) -> httpx.Response:
        if int(request.url.params["_limit"]) > 130:
            raise httpx.ReadTimeout("too much", request=request)
        return server(request)

    assert listed(weak, order=order) == ordered(clusters(400), with_key(order))


@pytest.mark.parametrize("order", [None, "name"])
@pytest.mark.parametrize("slow", TOO_SLOW)
def test_halving_ends(colour: str, order: str | None, slow: Reply) -> None:
    wire = Scripted(slow)
    with pytest.raises((ServerError, TransportError)):
        connect(colour, wire, retry=RetryPolicy(attempts=9)).retrieve_cluster(order=order)
    assert sizes(wire) == [1000, 500, 250, 125, 62, 31, 31, 31, 31]


@pytest.mark.parametrize(
    "reply", [answer(503), answer(429), failure(httpx.ConnectTimeout), failure(httpx.ConnectError)]
)
def test_failures_unrelated_to_the_page_size_do_not_change_it(colour: str, reply: Reply) -> None:
    wire = Scripted(reply, reply, ListServer(clusters(3)))
    connect(colour, wire).retrieve_cluster()
    assert set(sizes(wire)) == {1000}


@pytest.mark.parametrize("broken", [failure(httpx.ReadError), answer(503), answer(429), failure(httpx.ConnectError)])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_failures_between_pages_lose_no_record(order: Any, broken: Reply) -> None:
    server = ListServer(clusters(20))
    turns = iter(range(1000))

    def flaky(request: httpx.Request) -> httpx.Response:
        return broken(request) if next(turns) % 3 else server(request)

    assert listed(flaky, order=order, page_size=4) == ordered(clusters(20), with_key(order))


@pytest.mark.parametrize("broken", [answer(500), answer(403), answer(200, b"<html>")])
def test_a_page_that_keeps_failing_raises_instead_of_shortening_the_list(colour: str, broken: Reply) -> None:
    wire = Scripted(ListServer(clusters(20)), broken)
    with pytest.raises(KeystoneError):
        connect(colour, wire, page_size=5).retrieve_cluster()
    wire = Scripted(ListServer(clusters(20)), ListServer(clusters(20)), broken)
    with pytest.raises(KeystoneError):
        connect(colour, wire, page_size=5).retrieve_cluster(order="name")


def test_an_abandoned_iteration_sends_no_more_requests() -> None:
    wire = Scripted(ListServer(clusters(20)))
    client = connect("sync", wire, page_size=3).client
    records = client.iterate_cluster(prefetch=False)
    assert next(records)["id"] == 1
    records.close()
    assert len(wire.requests) == 1
