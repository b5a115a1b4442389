"""A listing never omits or repeats a record that stays, whatever other users insert and delete meanwhile."""

from datetime import UTC, datetime, timedelta

import httpx
from hypothesis import example, given
from hypothesis import strategies as st
from keystone_client import (
    PaginationError,
)

from .listing_server import Change, ListServer, Record, listed, named, ordered, with_key
from .scripted import Scripted, connect

CHANGES = st.lists(
    st.builds(Change, delete=st.none() | st.integers(0, 50), insert=st.none() | st.sampled_from("abc")), max_size=3
)


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
