"""Which calls are tried again after which failures, and what an error says of the tries."""

import io
import json
from collections.abc import Callable

import httpx
import pytest
from keystone_client import (
    DecodeError,
    NotFoundError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    StatusError,
    ThrottledError,
    TransportError,
)
from keystone_client_testing import FakeKeystone

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
