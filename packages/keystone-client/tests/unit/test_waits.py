"""How long a call waits before it is tried again: backoff, jitter and what the server asks for."""

import time
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import (
    RetryPolicy,
    StatusError,
    ThrottledError,
)
from keystone_client._protocol.retries import backoff_ceiling, hold_after, retry_after, wait_before

from .clocks import timed
from .scripted import Scripted, answer, connect
from .test_retries import NEVER_SENT, OK, PERHAPS_ACTED

DATE = "Wed, 01 Jul 2026 12:00:00 GMT"


NOON = 1_782_907_200.0
"""``DATE`` in seconds since the epoch."""


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
