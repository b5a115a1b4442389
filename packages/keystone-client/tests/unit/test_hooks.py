"""Event hooks: functions of the user that are called with each request and each response."""

from typing import Any

import httpx
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    BulkError,
    FieldError,
    InvalidURLError,
    KeystoneClient,
    RetryPolicy,
)
from keystone_client_testing import FakeKeystone

from .scripted import URL, Player, Scripted, answer, connect, failure


class BrokenHookError(httpx.ConnectError):
    """Raised by a hook; derived from an error that would be retried if the network had raised it."""


def hook(colour: str, act: Any) -> Any:
    """Return a sync or async hook that calls a function."""
    if colour == "sync":
        return act

    async def hooked(subject: Any) -> None:
        act(subject)

    return hooked


def hooked(colour: str, wire: Any, url: Any = URL, **hooks: Any) -> Player:
    """Return a client with a hook for ``request``, ``response`` or both."""
    given = {name: [hook(colour, act)] for name, act in hooks.items()}
    return connect(colour, wire, url, event_hooks=given, retry=RetryPolicy(attempts=3))


def test_hooks_are_called_once_per_try_with_the_real_request_and_a_response_that_has_been_read(colour: str) -> None:
    seen: list[tuple[str, Any]] = []
    wire = Scripted(answer(503, {"detail": "busy"}), failure(httpx.ConnectError), answer(200, {"id": 1}))
    client = hooked(
        colour,
        wire,
        request=lambda request: seen.append(("request", request)),
        response=lambda response: seen.append(("response", response.json())),
    )
    client.retrieve_team(1)
    assert [what for what, _ in seen] == ["request", "response", "request", "request", "response"]
    assert [request for what, request in seen if what == "request"] == wire.requests
    assert [body for what, body in seen if what == "response"] == [{"detail": "busy"}, {"id": 1}]


def test_a_hook_can_read_the_body_of_each_request_and_its_length(colour: str) -> None:
    seen: list[tuple[str, bytes, str | None]] = []

    def read(request: httpx.Request) -> None:
        seen.append((request.method, request.content, request.headers.get("content-length")))

    client = hooked(colour, Scripted(answer(200, {"id": 1})), request=read)
    client.http_get("version")
    client.http_delete("version")
    client.http_post("version")
    client.http_put("version", json={"a": 1})
    client.http_patch("version", data={"a": "1"})
    assert seen == [
        ("GET", b"", None),
        ("DELETE", b"", None),
        ("POST", b"", "0"),
        ("PUT", b'{"a":1}', "7"),
        ("PATCH", b"a=1", "3"),
    ]


def test_a_hook_sees_the_credentials_and_may_change_headers(colour: str) -> None:
    fake = FakeKeystone()
    seen: list[str] = []

    def sign(request: httpx.Request) -> None:
        seen.append(request.headers.get("cookie", ""))
        request.headers["X-Signature"] = "signed"

    client = hooked(colour, fake.transport, fake.url, request=sign)
    client.login("admin", "quickstart")
    client.retrieve_team()
    assert "sessionid=" in seen[-1]
    assert {entry.headers["x-signature"] for entry in fake.journal} == {"signed"}


@pytest.mark.parametrize("url", ["http://elsewhere.test/x/", "https://keystone.test/x/", "http://keystone.test:81/x/"])
def test_a_hook_cannot_send_a_request_to_another_server(colour: str, url: str) -> None:
    def redirect(request: httpx.Request) -> None:
        request.url = httpx.URL(url)

    wire = Scripted()
    with pytest.raises(InvalidURLError, match="hook"):
        hooked(colour, wire, request=redirect).retrieve_team(1)
    assert wire.requests == []


@pytest.mark.parametrize("name", ["request", "response"])
def test_an_exception_of_a_hook_is_propagated_unchanged_and_not_retried(colour: str, name: str) -> None:
    error = BrokenHookError("mine")

    def fail(subject: object) -> None:
        raise error

    wire = Scripted()
    with pytest.raises(BrokenHookError) as caught:
        hooked(colour, wire, **{name: fail}).retrieve_team(1)
    assert caught.value is error
    assert len(wire.requests) == (name == "response")


def test_records_are_unknown_if_a_response_hook_raises(colour: str) -> None:
    fake = FakeKeystone()

    def fail(response: httpx.Response) -> None:
        if response.request.url.path.endswith("/batch/"):
            raise BrokenHookError("mine")

    client = hooked(colour, fake.transport, fake.url, response=fail)
    client.login("admin", "quickstart")
    with pytest.raises(BulkError) as caught:
        client.bulk_create_team([{"name": "a"}, {"name": "b"}])
    assert isinstance(caught.value.__cause__, BrokenHookError)
    assert len(caught.value.unknown) == 2


@pytest.mark.parametrize(
    "hooks",
    [
        {"requests": [print]},
        {"request": print},
        {"request": ["x"]},
        [print],
    ],
)
@pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])
def test_invalid_hooks_are_refused(kind: Any, hooks: Any) -> None:
    with pytest.raises(FieldError, match="event_hooks"):
        kind(URL, event_hooks=hooks)


async def wait_a_little(subject: object) -> None:
    """A hook for the async client."""


class AsyncHook:
    """A hook that is an object."""

    async def __call__(self, subject: object) -> None:
        """Wait a little."""


@pytest.mark.parametrize("hooks", [{"request": [wait_a_little]}, {"response": [print, AsyncHook()]}])
def test_the_sync_client_refuses_hooks_that_it_could_not_await(hooks: Any) -> None:
    with pytest.raises(FieldError, match="async"):
        KeystoneClient(URL, event_hooks=hooks)
