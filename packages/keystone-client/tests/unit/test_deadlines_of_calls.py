"""The deadline of a call bounds its tries, its waits, its timeouts and the pages of a listing."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import (
    DeadlineExceededError,
    RetryPolicy,
    TransportError,
)

from .clocks import timed
from .scripted import Reply, Scripted, answer, connect, failure

OK = answer(200, {"id": 1})


def test_a_wait_beyond_the_deadline_is_not_started(colour: str) -> None:
    client, wire, time = timed(colour, deadline=10, backoff=0)
    wire.script = [time.taking(4, answer(503, retry_after="3"))]
    with pytest.raises(DeadlineExceededError, match=r"the deadline of 10 s .* 3\.00 s away") as caught:
        client.retrieve_team(1)
    assert time.pauses == [3]
    assert len(wire.requests) == 2
    assert time.now <= 12
    assert caught.value.cid == client.cid


RETRIED = st.sampled_from(
    [
        *(answer(status, retry_after=asked) for status in (429, 503) for asked in ("", "0", "1.5", "40", "500")),
        answer(502),
        failure(httpx.ConnectError),
        failure(httpx.ReadTimeout),
    ]
)


@pytest.mark.parametrize("colour", ["sync", "async"])
@given(
    st.floats(0.001, 1e4),
    st.integers(1, 10),
    st.floats(0, 100),
    st.lists(st.tuples(st.floats(0, 50), RETRIED), min_size=1, max_size=10),
)
def test_no_try_starts_and_no_wait_ends_after_the_deadline(
    colour: str, deadline: float, attempts: int, backoff: float, replies: list[tuple[float, Reply]]
) -> None:
    client, wire, time = timed(colour, deadline=deadline, attempts=attempts, backoff=backoff)
    begun: list[float] = []

    def noted(reply: Reply) -> Reply:
        def note(request: httpx.Request) -> httpx.Response:
            begun.append(time.now)
            assert 0 < max(request.extensions["timeout"].values()) <= deadline - time.now
            return reply(request)

        return note

    wire.script = [noted(time.taking(seconds, reply)) for seconds, reply in replies]
    with contextlib.suppress(DeadlineExceededError, TransportError):
        client.http_get("version")
    assert 1 <= len(begun) <= attempts
    assert max(begun) < deadline
    assert max(time.woken, default=0) <= deadline


@pytest.mark.parametrize("method", ["http_get", "http_post"])
def test_the_deadline_holds_for_the_http_methods_too(colour: str, method: str) -> None:
    client, wire, time = timed(colour, deadline=10)
    wire.script = [time.taking(1, answer(429, retry_after="20"))]
    with pytest.raises(DeadlineExceededError):
        getattr(client, method)("version")
    assert time.pauses == []


def test_one_deadline_holds_for_all_pages_of_a_listing(colour: str) -> None:
    client, wire, time = timed(colour, deadline=10)

    def endless(request: httpx.Request) -> httpx.Response:
        last = int(request.url.params.get("id__gt", "0"))
        body = {"count": 10_000 - last, "next": "x", "results": [{"id": last + 1}]}
        return httpx.Response(200, json=body, request=request)

    wire.script = [time.taking(3, endless)]
    with pytest.raises(DeadlineExceededError, match=r"leaves no time for another try$"):
        client.retrieve_team()
    assert len(wire.requests) == 4


def test_an_answer_sent_byte_by_byte_is_aborted_at_the_deadline(colour: str) -> None:
    client, wire, time = timed(colour, deadline=10)

    class Dripping(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                time.now += 1
                yield b" "

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for drop in self:
                yield drop

    wire.script = [lambda request: httpx.Response(200, stream=Dripping())]
    with pytest.raises(DeadlineExceededError, match="ReadTimeout"):
        client.http_get("version")
    assert time.now == 10


def test_what_the_caller_does_between_pages_does_not_count_against_the_deadline(colour: str) -> None:
    client, wire, time = timed(colour, deadline=10)

    def two_pages(request: httpx.Request) -> httpx.Response:
        last = int(request.url.params.get("id__gt", "0"))
        body = {"count": 2 - last, "next": None if last else "x", "results": [{"id": last + 1}]}
        return httpx.Response(200, json=body, request=request)

    wire.script = [time.taking(6, two_pages)]
    assert [record["id"] for record in client.iterate_team(prefetch=False)] == [1, 2]


def test_timeouts_shrink_to_the_remaining_time(colour: str) -> None:
    client, wire, time = timed(colour, deadline=10, backoff=0)
    wire.script = [time.taking(4, answer(503, retry_after="1")), OK]
    client.retrieve_team(1)
    limits = [request.extensions["timeout"] for request in wire.requests]
    assert [set(limit.values()) for limit in limits] == [{10}, {5}]


def test_a_call_without_a_timeout_is_still_limited_by_the_deadline(colour: str) -> None:
    wire = Scripted()
    player = connect(colour, wire, timeout=None, retry=RetryPolicy(deadline=7))
    player.client._session.clock = lambda: 0.0
    player.http_get("version")
    assert set(wire.requests[0].extensions["timeout"].values()) == {7}


def test_each_call_has_a_deadline_of_its_own(colour: str) -> None:
    client, wire, time = timed(colour, deadline=10)
    wire.script = [time.taking(9, OK)]
    for _ in range(3):
        client.retrieve_team(1)
    assert len(wire.requests) == 3
