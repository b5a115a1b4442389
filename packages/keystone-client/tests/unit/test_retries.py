"""When a call is retried, how long it waits, and how the deadline limits it."""

import contextlib
import io
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import (
    DeadlineExceededError,
    DecodeError,
    NotFoundError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    StatusError,
    ThrottledError,
    TransportError,
)
from keystone_client._protocol.retries import backoff_ceiling, hold_after, retry_after, wait_before
from keystone_client_testing import FakeKeystone

from .clocks import timed
from .scripted import Player, Reply, Scripted, answer, connect, cookies, failure

NEVER_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
PERHAPS_ACTED = [
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.RemoteProtocolError,
]
HOPELESS = [httpx.UnsupportedProtocol, httpx.DecodingError, httpx.TooManyRedirects]
IDEMPOTENT = ["http_get", "http_put", "http_delete"]
ONCE_ONLY = ["http_post", "http_patch"]
OK = answer(200, {"id": 1})
DATE = "Wed, 01 Jul 2026 12:00:00 GMT"
NOON = 1_782_907_200.0
"""``DATE`` in seconds since the epoch."""


def tries(colour: str, method: str, reply: Reply) -> int:
    """Return how often a request is sent if the first reply is this one and the next succeeds."""
    wire = Scripted(reply, OK)
    client = connect(colour, wire)
    try:
        getattr(client, method)("version")
    except (TransportError, DecodeError):
        assert client.pauses == []
    return len(wire.requests)


@pytest.mark.parametrize("kind", NEVER_SENT)
@pytest.mark.parametrize("method", [*IDEMPOTENT, *ONCE_ONLY])
def test_a_request_that_was_never_sent_is_sent_again(colour: str, method: str, kind: type[httpx.RequestError]) -> None:
    assert tries(colour, method, failure(kind)) == 2


@pytest.mark.parametrize("kind", PERHAPS_ACTED)
def test_where_the_server_may_have_acted_only_idempotent_methods_are_repeated(
    colour: str, kind: type[httpx.RequestError]
) -> None:
    assert [tries(colour, method, failure(kind)) for method in IDEMPOTENT] == [2, 2, 2]
    assert [tries(colour, method, failure(kind)) for method in ONCE_ONLY] == [1, 1]


@pytest.mark.parametrize("kind", HOPELESS)
def test_failures_that_retrying_cannot_fix_are_not_retried(colour: str, kind: type[httpx.RequestError]) -> None:
    assert {tries(colour, method, failure(kind)) for method in [*IDEMPOTENT, *ONCE_ONLY]} == {1}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422, 429, 500, 501, 502, 503, 504, 505])
def test_the_statuses_that_are_retried(colour: str, status: int) -> None:
    idempotent = 2 if status in (429, 502, 503, 504) else 1
    assert [tries(colour, method, answer(status)) for method in IDEMPOTENT] == [idempotent] * 3
    once_only = 2 if status == 429 else 1
    assert [tries(colour, method, answer(status)) for method in ONCE_ONLY] == [once_only] * 2


def test_a_create_whose_answer_was_lost_is_not_sent_twice(colour: str) -> None:
    fake = FakeKeystone()
    fake.fail("POST", "/users/teams/", error="reset", when="after")
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    with pytest.raises(TransportError, match="whether the server acted on it is unknown") as caught:
        client.create_team(name="Physics")
    assert caught.value.outcome == "unknown"
    assert caught.value.attempts == 1
    assert client.count_team() == 1


@pytest.mark.parametrize("error", ["reset", "timeout", "cut"])
@pytest.mark.parametrize("raise_not_exists", [False, True])
def test_a_delete_whose_answer_was_lost_and_whose_retry_finds_nothing_has_succeeded(
    colour: str, error: str, raise_not_exists: bool
) -> None:
    fake = FakeKeystone()
    team = fake.add.team(name="Physics")
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    fake.fail("DELETE", error=error, when="after")
    client.delete_team(team["id"], raise_not_exists=raise_not_exists)
    assert client.count_team() == 0
    assert [entry.status for entry in fake.journal.find("DELETE")] == [204, 404]


@pytest.mark.parametrize("first", [failure(httpx.ConnectError), answer(429)], ids=["refused", "throttled"])
def test_a_delete_of_a_missing_record_raises_if_asked_when_no_try_reached_the_server(colour: str, first: Reply) -> None:
    client = connect(colour, Scripted(first, answer(404, {"detail": "No."})))
    with pytest.raises(NotFoundError):
        client.delete_team(1, raise_not_exists=True)


def test_after_the_last_try_the_call_returns_the_answer_or_raises_the_failure(colour: str) -> None:
    wire = Scripted(answer(503))
    client = connect(colour, wire)
    assert client.http_get("version").status_code == 503
    assert len(wire.requests) == 4
    with pytest.raises(ServerError, match=r"^503 Service Unavailable"):
        client.retrieve_team(1)
    with pytest.raises(ThrottledError):
        connect(colour, Scripted(answer(429))).create_team(name="t")


@pytest.mark.parametrize("kind", [*NEVER_SENT, *PERHAPS_ACTED])
def test_a_transport_error_has_the_outcome_and_the_attempts(colour: str, kind: type[httpx.RequestError]) -> None:
    wire = Scripted(failure(kind, "the reason"))
    client = connect(colour, wire)
    with pytest.raises(TransportError) as caught:
        client.retrieve_team(1)
    error = caught.value
    assert error.outcome == ("not sent" if kind in NEVER_SENT else "unknown")
    assert error.attempts == len(wire.requests) == 4
    assert error.cid == client.cid
    assert isinstance(error, httpx.TransportError)
    assert isinstance(error.__cause__, kind)
    timed_out = issubclass(kind, httpx.TimeoutException)
    assert isinstance(error, RequestTimeoutError) is isinstance(error, httpx.TimeoutException) is timed_out
    message = str(error)
    assert message.startswith("no answer after 4 tries: GET http://keystone.test/users/teams/1/: ")
    assert kind.__name__ in message
    assert "the reason" in message


@pytest.mark.parametrize("lost", [failure(httpx.ReadError), answer(502), answer(503), answer(504)])
def test_where_an_earlier_try_may_have_arrived_the_outcome_is_unknown(colour: str, lost: Reply) -> None:
    client = connect(colour, Scripted(lost, failure(httpx.ConnectError)))
    with pytest.raises(TransportError, match="unknown") as caught:
        client.delete_cluster(1)
    assert caught.value.outcome == "unknown"


def test_without_a_policy_nothing_is_tried_again(colour: str) -> None:
    for reply in (answer(503), answer(429, retry_after="1"), failure(httpx.ConnectError), failure(httpx.ReadTimeout)):
        wire = Scripted(reply)
        client = connect(colour, wire, retry=None)
        with pytest.raises((StatusError, TransportError)):
            client.retrieve_team(1)
        assert len(wire.requests) == 1
        assert client.pauses == []


@pytest.mark.parametrize("attempts", [1, 2, 7])
def test_attempts_counts_all_tries(colour: str, attempts: int) -> None:
    wire = Scripted(answer(503))
    client = connect(colour, wire, retry=RetryPolicy(attempts=attempts))
    client.http_get("version")
    assert len(wire.requests) == attempts
    assert len(client.pauses) == attempts - 1


def test_waits_double_up_to_the_cap(colour: str) -> None:
    client = connect(colour, Scripted(answer(503)), retry=RetryPolicy(attempts=7, backoff=0.5, max_backoff=6))
    client.http_get("version")
    assert client.pauses == [0.5, 1, 2, 4, 6, 6]


def test_each_wait_has_a_new_random_jitter(colour: str) -> None:
    client = connect(colour, Scripted(answer(503)))
    client.client._session.draw = iter([0.0, 0.25, 1.0, 0.5]).__next__
    client.http_get("version")
    assert client.pauses == [0, 0.25, 2]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ({"retry_after": "7"}, [7.5]),
        ({"retry_after": " 7 "}, [7.5]),
        ({"retry_after": "0"}, [0.5]),
        ({"retry_after": "0.25"}, [0.75]),
        ({"retry_after": "-5"}, [0.5]),
        ({"retry_after": "120"}, [120.5]),
        ({"retry_after": "Wed, 01 Jul 2026 12:00:30 GMT", "date": DATE}, [30.5]),
        ({"retry_after": "Wednesday, 01-Jul-26 12:00:30 GMT", "date": DATE}, [30.5]),
        ({"retry_after": "Wed Jul  1 12:00:30 2026", "date": DATE}, [30.5]),
        ({"retry_after": "Tue, 30 Jun 2026 12:00:00 GMT", "date": DATE}, [0.5]),
        ({}, [0.5]),
        ({"retry_after": ""}, [0.5]),
        ({"retry_after": "soon"}, [0.5]),
        ({"retry_after": "nan"}, [0.5]),
        ({"retry_after": "inf"}, [0.5]),
        ({"retry_after": "1e999"}, [0.5]),
        ({"retry_after": "Wed, 99 Jul 2026 12:00:00 GMT"}, [0.5]),
        ({"retry_after": "120.5"}, []),
        ({"retry_after": "86400"}, []),
        ({"retry_after": "Thu, 02 Jul 2026 12:00:00 GMT", "date": DATE}, []),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_in_every_form_up_to_the_cap(
    colour: str, status: int, asked: dict[str, str], waited: list[float]
) -> None:
    """The jitter of the policy is added, here its maximum of 0.5 s.

    If the server asks for more than the cap, the call is not retried; an invalid value is ignored.
    """
    wire = Scripted(answer(status, **asked), OK)
    client = connect(colour, wire)
    client.http_get("version")
    assert client.pauses == waited
    assert len(wire.requests) == 1 + len(waited)


@pytest.mark.parametrize(
    ("dates", "waited"),
    [
        ({}, 30.5),
        ({"date": "yesterday"}, 30.5),
        ({"date": formatdate(NOON - 3600, usegmt=True)}, 3630.5),
        ({"date": formatdate(NOON + 3600, usegmt=True)}, 0.5),
    ],
    ids=["none", "junk", "slow server", "fast server"],
)
def test_a_retry_after_date_is_relative_to_the_date_header_or_else_to_the_local_clock(
    colour: str, dates: dict[str, str], waited: float
) -> None:
    asked = answer(503, retry_after=formatdate(NOON + 30, usegmt=True), **dates)
    client = connect(colour, Scripted(asked, OK), retry=RetryPolicy(max_retry_after=4000))
    client.client._session.now = lambda: NOON
    client.http_get("version")
    assert client.pauses == [waited]


def test_the_wait_in_an_error_counts_from_the_arrival_of_the_answer(colour: str) -> None:
    client = connect(colour, Scripted(answer(429, retry_after=formatdate(NOON + 90, usegmt=True))), retry=None)
    client.client._session.now = iter([NOON]).__next__
    with pytest.raises(ThrottledError, match="asks to wait 90 s; max_retry_after of RetryPolicy") as caught:
        client.retrieve_team(1)
    assert caught.value.retry_after == 90


@pytest.mark.parametrize("status", [429, 503])
def test_a_requested_wait_beyond_the_cap_names_the_option_that_allows_it(colour: str, status: int) -> None:
    asked = answer(status, retry_after="Wed, 01 Jul 2026 13:00:00 GMT", date=DATE)
    with pytest.raises(StatusError, match="asks to wait 3600 s; max_retry_after of RetryPolicy"):
        connect(colour, Scripted(asked)).retrieve_team(1)


@pytest.mark.parametrize("form", ["Wed Jul  1 12:00:30 2026", "Wed, 01 Jul 2026 12:00:30 -0000"])
def test_a_date_without_a_zone_is_greenwich_time_wherever_the_client_runs(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setenv("TZ", "America/New_York")
        time.tzset()
        asked = retry_after(httpx.Response(503, headers={"Retry-After": form, "Date": DATE}))
    time.tzset()
    assert asked == 30


def test_of_several_retry_after_headers_the_longest_counts(colour: str) -> None:
    def twice(request: httpx.Request) -> httpx.Response:
        headers = [("retry-after", "5"), ("retry-after", "60"), ("retry-after", "soon")]
        return httpx.Response(429, headers=headers, request=request)

    client = connect(colour, Scripted(twice, OK))
    client.http_post("x")
    assert client.pauses == [60.5]


def test_a_jump_of_the_wall_clock_does_not_move_the_deadline(colour: str) -> None:
    client, wire, time = timed(colour, deadline=10, backoff=0)
    client.client._session.now = iter([NOON, NOON + 1e6, NOON - 1e6, NOON]).__next__
    wire.script = [time.taking(2, answer(503, retry_after="1"))] * 3 + [OK]
    client.retrieve_team(1)
    assert time.pauses == [1, 1, 1]


METHODS = st.sampled_from(["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"])
FAILURES = st.sampled_from([kind("x") for kind in [*NEVER_SENT, *PERHAPS_ACTED]]) | st.builds(
    httpx.Response,
    st.integers(400, 599),
    headers=st.dictionaries(
        st.just("retry-after"),
        st.floats(-1e9, 1e9).map(str) | st.text("0123456789.,:-+eE GMTJul", max_size=30) | st.dates().map(str),
    ),
)
POLICIES = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 10),
    backoff=st.floats(0, 1e6),
    max_backoff=st.floats(0, 1e6),
    max_retry_after=st.floats(0, 1e6),
    deadline=st.none() | st.floats(0.001, 1e6),
)


@given(POLICIES, METHODS, st.integers(1, 2000), FAILURES, st.floats(0, 1))
def test_every_wait_lies_within_its_bounds(
    policy: RetryPolicy, method: str, attempt: int, failed: Any, draw: float
) -> None:
    wait = wait_before(policy, method, attempt, failed, draw=draw)
    assert attempt < policy.attempts or wait is None
    assert wait is None or 0 <= wait <= policy.max_backoff + policy.max_retry_after
    hold = hold_after(policy, failed, wait)
    throttled = isinstance(failed, httpx.Response) and failed.status_code == 429
    assert hold is None or (throttled and policy.attempts > 1 and 0 <= hold <= max(wait or 0, policy.max_retry_after))
    assert wait is None or not throttled or hold is not None


@given(POLICIES, st.integers(1, 2000), st.floats(0, 1), st.floats(0, 1))
def test_jitter_is_full_from_nothing_to_the_ceiling(policy: RetryPolicy, attempt: int, low: float, high: float) -> None:
    low, high = sorted([low, high])
    generous = RetryPolicy(attempts=5000, backoff=policy.backoff, max_backoff=policy.max_backoff)
    draws = [0.0, low, high, 1.0]
    waits = [wait_before(generous, "GET", attempt, httpx.ReadError("x"), draw=draw) or 0.0 for draw in draws]
    assert waits == sorted(waits)
    assert waits[0] == 0
    assert waits[-1] == backoff_ceiling(generous, attempt) <= generous.max_backoff


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


def test_each_try_sends_the_current_cookies(colour: str) -> None:
    wire = Scripted(cookies("csrftoken=a; Path=/"), cookies("csrftoken=b; Path=/", status=429), OK)
    client = connect(colour, wire)
    client.http_get("version")
    client.create_team(name="t")
    assert [request.headers.get("x-csrftoken") for request in wire.requests] == [None, "a", "b"]


BODIES: dict[str, Callable[[Player], object]] = {
    "json": lambda client: client.http_post("x", json={"a": 1}),
    "form": lambda client: client.http_put("x", data={"a": "b"}),
    "files": lambda client: client.http_post("x", files={"file": ("a.txt", io.BytesIO(b"content"))}),
    "spooled": lambda client: client.http_post("x", files={"file": ("a.txt", Once(b"content"))}),
    "attachment": lambda client: client.create_attachment(request=1, file=Once(b"content"), filename="a.txt"),
    "record": lambda client: client.create_team(name="t"),
}


class Once:
    """A file that can be read only once."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        content, self._content = self._content, b""
        return content


@pytest.mark.parametrize("send", BODIES.values(), ids=BODIES)
def test_every_try_sends_the_complete_body(colour: str, send: Callable[[Player], object]) -> None:
    wire = Scripted(answer(429), answer(429), answer(201, {"id": 1}))
    send(connect(colour, wire))
    first, *others = (
        request.content.replace(request.headers["content-type"].partition("boundary=")[2].encode() or b"\0", b"")
        for request in wire.requests
    )
    assert first
    assert others == [first, first]


def test_a_login_that_was_throttled_is_tried_again_and_one_whose_answer_was_lost_is_not(colour: str) -> None:
    wire = Scripted(answer(429), cookies("sessionid=a; Path=/"))
    connect(colour, wire).login("ada", "pw")
    assert [json.loads(request.content)["username"] for request in wire.requests] == ["ada", "ada"]
    wire = Scripted(failure(httpx.ReadError))
    with pytest.raises(TransportError):
        connect(colour, wire).login("ada", "pw")
    assert len(wire.requests) == 1


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("x"), OSError("x"), httpx.InvalidURL("x")])
def test_an_exception_that_is_not_a_transport_error_is_propagated_unchanged(colour: str, error: Exception) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise error

    wire = Scripted(broken)
    with pytest.raises(type(error)) as caught:
        connect(colour, wire).http_get("version")
    assert caught.value is error
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("attempts", "message"), [(1, "no answer: GET"), (2, "no answer after 2 tries: GET")])
def test_an_error_without_an_answer_says_how_often_it_was_tried(colour: str, attempts: int, message: str) -> None:
    client = connect(colour, Scripted(failure(httpx.ReadError)), retry=RetryPolicy(attempts=attempts))
    with pytest.raises(TransportError, match=message) as caught:
        client.http_get("version")
    assert caught.value.attempts == attempts
