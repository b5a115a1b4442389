"""Bulk operations adapt their chunk size to the time that jobs take, so that no job exceeds the read timeout."""

import json
from typing import Any

import httpx
import keystone_client._transport.exchange
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import FieldError
from keystone_client._bulk.chunk_size import checked_chunk_size, next_chunk, next_chunk_size
from keystone_client._bulk.report import Item
from keystone_client_core import RESOURCES, delete_action

from .scripted import Scripted, answer, connect


class Slow(Scripted):
    """A server that takes a fixed time per record, on a simulated clock."""

    def __init__(self, seconds: float) -> None:
        super().__init__(self.done)
        self.seconds = seconds
        self.now = 0.0
        self.sizes: list[int] = []

    def done(self, request: httpx.Request) -> httpx.Response:
        actions = json.loads(request.content)["job"]["actions"]
        self.sizes.append(len(actions))
        self.now += len(actions) * self.seconds
        return answer(200, {"results": [{"body": {"id": 1}} for _ in actions]})(request)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Slow:
    server = Slow(request.param)
    monkeypatch.setattr(keystone_client._transport.exchange, "perf_counter", server.clock)
    return server


def users(number: int) -> list[dict[str, Any]]:
    return [{"username": f"u{place}", "password": "radium and polonium"} for place in range(number)]


@pytest.mark.parametrize("slow", [0.9], indirect=True)
def test_two_hundred_users_are_created_although_each_takes_a_second(colour: str, slow: Slow) -> None:
    made = connect(colour, slow).bulk_create_user(users(200))

    assert len(made) == 200
    assert max(slow.sizes) * slow.seconds < 15 / 2  # of the timeout
    assert slow.sizes[:2] == [5, 5]


@pytest.mark.parametrize("slow", [0.005], indirect=True)
def test_on_a_fast_server_the_chunks_of_users_grow(colour: str, slow: Slow) -> None:
    connect(colour, slow).bulk_create_user(users(300))

    assert slow.sizes == [5, 20, 80, 100, 95]


@pytest.mark.parametrize("slow", [0.02], indirect=True)
def test_other_records_are_sent_in_full_chunks_from_the_start(colour: str, slow: Slow) -> None:
    connect(colour, slow).bulk_create_cluster({"name": f"C{place}"} for place in range(250))

    assert slow.sizes == [100, 100, 50]


@pytest.mark.parametrize("slow", [0.2], indirect=True)
def test_chunks_shrink_when_the_server_is_slow(colour: str, slow: Slow) -> None:
    connect(colour, slow, timeout=30).bulk_create_cluster({"name": f"C{place}"} for place in range(160))

    assert slow.sizes == [100, 50, 10]


@given(st.integers(1, 100), st.integers(1, 100), st.floats(0, 1e6), st.none() | st.floats(0.1, 1e6))
def test_a_job_is_never_empty_and_fits_the_time_limit(
    pace: int, number: int, seconds: float, time_limit: float | None
) -> None:
    following = next_chunk_size(pace, number, seconds, time_limit)

    assert 1 <= following <= max(pace, 4 * number)
    if following > 1 and time_limit is not None:
        assert following * seconds / number <= time_limit / 2


@given(st.lists(st.integers(1, 50)), st.integers(1, 10), st.integers(1, 100))
def test_chunks_keep_the_order_all_records_and_both_limits(sizes: list[int], most: int, limit: int) -> None:
    action = delete_action(RESOURCES["team"], 1)
    waiting = [Item(place, None, action, size) for place, size in enumerate(sizes)]
    chunks = []
    while waiting:
        chunks.append(next_chunk(waiting, most, limit))
        waiting = waiting[len(chunks[-1]) :]

    assert [item.place for chunk in chunks for item in chunk] == list(range(len(sizes)))
    assert all(len(chunk) <= most for chunk in chunks)
    assert all(len(chunk) == 1 or sum(item.size for item in chunk) <= limit for chunk in chunks)


@pytest.mark.parametrize("size", [0, -1, 1.5, "10", None, True])
def test_an_invalid_chunk_size_is_refused(size: Any) -> None:
    with pytest.raises(FieldError, match="chunk_size"):
        checked_chunk_size(size)
