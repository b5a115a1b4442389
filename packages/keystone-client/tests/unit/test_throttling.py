"""A 429 delays every call of the same identity; after the wait the calls are spread out."""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trio
from keystone_client import AsyncKeystoneClient, DeadlineExceededError, RetryPolicy, ThrottledError

from .clocks import virtually
from .scripted import URL, Player, Scripted, answer, connect, cookies

TWICE = RetryPolicy(attempts=2, backoff=1)
THROTTLED = answer(429, retry_after="60")
OK = answer(200, {"id": 1})


def throttled(colour: str, *script: Any, **options: Any) -> tuple[Player, Scripted]:
    """Return a client whose last call was throttled for 60 s and not retried."""
    wire = Scripted(THROTTLED, THROTTLED, *script)
    client = connect(colour, wire, **{"retry": TWICE, **options})
    with pytest.raises(ThrottledError):
        client.retrieve_team(1)
    assert client.pauses == [61]
    return client, wire


def ada_was_throttled(colour: str, *script: Any) -> Player:
    """Return a client whose session has ended after a call in it was throttled for 60 s."""
    client = connect(colour, Scripted(cookies("sessionid=a; Path=/"), THROTTLED, THROTTLED, *script), retry=TWICE)
    client.login("ada", "pw")
    with pytest.raises(ThrottledError):
        client.retrieve_team(1)
    client.client._session.forget_session(client.client._session.number)
    return client


def test_a_call_waits_out_what_the_server_asked_another_call_for(colour: str) -> None:
    client, wire = throttled(colour, OK)
    client.create_team(name="t")
    client.create_team(name="t")
    assert client.pauses == [61, 61]
    assert len(wire.requests) == 4


def test_a_login_is_not_held_back_by_what_a_user_did_nor_the_user_by_an_anonymous_caller(colour: str) -> None:
    client = ada_was_throttled(colour, OK)
    client.http_get("version")
    assert client.pauses == [61]


def test_a_token_is_an_identity_too(colour: str) -> None:
    client, _ = throttled(colour, OK, token="0123456789abcdef")
    client.http_get("version")
    assert client.pauses == [61, 61]


def test_another_user_is_not_held_back_by_what_the_one_before_did(colour: str) -> None:
    client = ada_was_throttled(colour, OK, cookies("sessionid=b; Path=/"), OK)
    client.http_get("version")
    client.login("bob", "pw")
    client.retrieve_team(1)
    assert client.pauses == [61]


def test_without_retries_calls_do_not_wait_for_others(colour: str) -> None:
    client = connect(colour, Scripted(THROTTLED, OK), retry=None)
    with pytest.raises(ThrottledError):
        client.retrieve_team(1)
    client.retrieve_team(1)
    assert client.pauses == []


def test_no_call_waits_longer_than_the_cap(colour: str) -> None:
    """Each call is then sent and gets its own 429 from the server."""
    client = connect(colour, Scripted(answer(429, retry_after="3600")))
    for _ in range(2):
        with pytest.raises(ThrottledError):
            client.retrieve_team(1)
    assert client.pauses == []


def test_a_throttle_that_names_no_time_holds_the_others_for_as_long_as_the_call_itself_waits() -> None:
    """The others start 0.02 s after it, while the first waits for 1.07 s, by its draw."""
    arrived = storm(throttle=lambda turn: answer(429) if turn == 0 else OK, tasks=10, policy=RetryPolicy(backoff=8))
    assert arrived[0] == 0
    assert len(arrived) == 11
    assert all(1 < moment <= 16 for moment in arrived[1:])


def test_a_hold_that_outlasts_the_deadline_is_an_error_at_once_and_nothing_was_sent(colour: str) -> None:
    client, wire = throttled(colour, OK)
    client.client = client.client.with_options(retry=RetryPolicy(attempts=2, backoff=1, deadline=60))
    with pytest.raises(DeadlineExceededError, match=r"throttles this client for 61\.00 s") as caught:
        client.create_team(name="t")
    assert caught.value.outcome == "not sent"
    assert client.pauses == [61]
    assert len(wire.requests) == 2


def storm(throttle: Callable[[int], Any], tasks: int, policy: RetryPolicy, answered_after: float = 0.01) -> list[float]:
    """Return the arrival times of the requests: one call starts, the others 0.02 s later."""
    arrived: list[float] = []

    class Server(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            turn = len(arrived)
            arrived.append(trio.current_time())
            await trio.sleep(answered_after)
            reply: httpx.Response = throttle(turn)(request)
            return reply

    async def test() -> None:
        client = AsyncKeystoneClient(URL, transport=Server(), retry=policy)
        client._session.clock = trio.current_time
        client._session.draw = random.Random(
            1
        ).random  # in one run of thirty, all four tries of some call come too early
        async with client, trio.open_nursery() as nursery:
            nursery.start_soon(client.retrieve_team, 1)
            await trio.sleep(0.02)
            for _ in range(tasks - 1):
                nursery.start_soon(client.retrieve_team, 1)

    virtually(test)
    return [moment - arrived[0] for moment in arrived]


def test_a_shorter_hold_does_not_end_a_longer_one() -> None:
    """All three calls are on their way before the first is answered."""
    arrived = storm(
        throttle=lambda turn: answer(429, retry_after="60" if turn == 0 else "1") if turn < 3 else OK,
        tasks=3,
        policy=RetryPolicy(),
        answered_after=0.05,
    )
    assert arrived[:3] == [0, 0.02, 0.02]
    assert all(60 <= moment < 70 for moment in arrived[3:])
    assert len(arrived) == 6


def test_a_hundred_tasks_wait_together_and_come_back_spread_out() -> None:
    arrived = storm(
        throttle=lambda turn: answer(429, retry_after="10") if turn == 0 else OK,
        tasks=100,
        policy=RetryPolicy(backoff=2),
    )
    first, *others = arrived
    assert first == 0
    assert len(others) == 100, "nobody asked in vain"
    assert all(10 <= moment <= 12.1 for moment in others)
    assert len(set(others)) > 90
    busiest = max(sum(moment <= other < moment + 0.1 for other in others) for moment in others)
    assert busiest < 25, "they come in no crowd"


@pytest.mark.parametrize("per_minute", [60, 300])
def test_more_calls_than_the_server_allows_all_succeed_in_the_end_with_few_requests_in_vain(per_minute: int) -> None:
    """The throttle of Django REST Framework: a window that slides; it asks for the time until a place in it is free."""
    served: deque[float] = deque(maxlen=per_minute)

    def throttle(turn: int) -> Any:
        now = trio.current_time()
        if len(served) == per_minute and served[0] > now - 60:
            return answer(429, retry_after=str(served[0] + 60 - now))
        served.append(now)
        return OK

    arrived = storm(throttle, tasks=400, policy=RetryPolicy())
    assert len(arrived) < 2.5 * 400
