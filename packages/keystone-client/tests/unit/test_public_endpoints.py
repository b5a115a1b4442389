"""Health and version are asked without credentials: with them the server fails exactly when its database is down."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from keystone_client import AuthenticationError, PermissionDeniedError, RetryPolicy, ThrottledError

from .scripted import Player, Reply, Scripted, answer, connect, cookies

CHECKS = {"data": [{"check": "Database", "healthy": False, "error": "down", "time_taken": 0.1}]}
HEALTH = answer(200, CHECKS)
VERSION = answer(200, b"1.2.3")
BROKEN = answer(500, b"<h1>Server Error (500)</h1>", content_type="text/html")
ENDPOINTS: dict[str, Callable[[Any], Any]] = {
    "health": lambda client: client.retrieve_health(),
    "version": lambda client: client.retrieve_version(),
}
ANSWERS = {"health": HEALTH, "version": VERSION}
EXPECTED = {"health": CHECKS["data"], "version": "1.2.3"}


def unless_known(reply: Reply) -> Reply:
    """Return a reply that is a 500 if the request has credentials, as when the database is down."""

    def handle(request: httpx.Request) -> httpx.Response:
        known = "cookie" in request.headers or "authorization" in request.headers
        return (BROKEN if known else reply)(request)

    return handle


def logged_in(colour: str, *script: Reply, **options: Any) -> tuple[Player, Scripted]:
    wire = Scripted(cookies("sessionid=a; Path=/", "csrftoken=b; Path=/"), *script)
    client = connect(colour, wire, **options)
    client.login("ada", "pw")
    return client, wire


@pytest.mark.parametrize("name", ENDPOINTS)
def test_they_answer_while_the_database_is_down(colour: str, name: str) -> None:
    reply = unless_known(ANSWERS[name])
    by_token = connect(colour, Scripted(reply), token="t" * 40)
    by_session, _ = logged_in(colour, reply)

    for client in (by_token, by_session, connect(colour, Scripted(reply))):
        assert ENDPOINTS[name](client) == EXPECTED[name]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_gateway_that_requires_a_token_gets_it(colour: str, name: str, status: int) -> None:
    wire = Scripted(answer(status, {"detail": "Who are you?"}), ANSWERS[name])

    assert ENDPOINTS[name](connect(colour, wire, token="t" * 40)) == EXPECTED[name]

    assert ["authorization" in request.headers for request in wire.requests] == [False, True]


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (403, PermissionDeniedError)])
def test_a_refusal_raises_after_one_try_with_credentials_or_at_once_without(
    colour: str, status: int, error: type[Exception]
) -> None:
    refused = Scripted(answer(status, {"detail": "No."}))
    nobody = Scripted(answer(status, {"detail": "No."}))

    with pytest.raises(error):
        connect(colour, refused, token="t" * 40).retrieve_health()
    with pytest.raises(error):
        connect(colour, nobody).retrieve_health()

    assert (len(refused.requests), len(nobody.requests)) == (2, 1)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_no_login_follows_a_401(colour: str, name: str) -> None:
    wire = Scripted(cookies("sessionid=a; Path=/"), answer(401, {"detail": "No."}))
    client = connect(colour, wire)

    client.login(provider=lambda: ("ada", "pw"))
    with pytest.raises(AuthenticationError):
        ENDPOINTS[name](client)

    assert [request.method for request in wire.requests] == ["POST", "GET", "GET"]


@pytest.mark.parametrize("first", [200, 401])
def test_cookies_of_their_answers_are_dropped(colour: str, first: int) -> None:
    theirs = cookies("sessionid=theirs; Path=/", body=CHECKS)
    script = [theirs] if first == 200 else [cookies("sessionid=gateway; Path=/", status=401), theirs]
    client, wire = logged_in(colour, *script, answer(200, {"id": 1}))

    client.retrieve_health()
    client.retrieve_team(1)

    assert "sessionid=a" in wire.requests[-1].headers["cookie"]


def test_their_throttling_delays_no_other_call(colour: str) -> None:
    throttled = answer(429, retry_after="60")
    wire = Scripted(throttled, throttled, cookies("sessionid=a; Path=/"), answer(200, {"id": 1}))
    client = connect(colour, wire, retry=RetryPolicy(attempts=2, backoff=0))
    with pytest.raises(ThrottledError):
        client.retrieve_version()
    waited = list(client.pauses)

    client.login("ada", "pw")
    client.retrieve_team(1)

    assert client.pauses == waited


def test_a_throttled_health_check_delays_the_next_one(colour: str) -> None:
    throttled = answer(429, retry_after="60")
    client = connect(colour, Scripted(throttled, throttled, HEALTH), retry=RetryPolicy(attempts=2, backoff=0))
    with pytest.raises(ThrottledError):
        client.retrieve_health()

    client.retrieve_health()

    assert client.pauses == [60, 60]
