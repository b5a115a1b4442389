"""Tracing tools that replace the send method of httpx see each try; without such a tool nothing changes.

Sentry and ddtrace do this; they are not installed here, so the tests patch httpx in the same way.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from keystone_client import NotFoundError, RetryPolicy
from keystone_client_testing import FakeKeystone

from .scripted import Scripted, answer, connect, failure


@pytest.fixture
def traced(colour: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the send method as a tracing tool does; return the status or exception it saw for each request."""
    seen: list[Any] = []
    client = httpx.Client if colour == "sync" else httpx.AsyncClient
    original: Callable[..., Any] = client.send

    def send(self: Any, request: httpx.Request, **options: Any) -> Any:
        request.headers["traceparent"] = "00-1-2-01"
        try:
            response = original(self, request, **options)
        except Exception as error:
            seen.append(type(error))
            raise
        seen.append(response.status_code)
        return response

    async def send_async(self: Any, request: httpx.Request, **options: Any) -> Any:
        request.headers["traceparent"] = "00-1-2-01"
        try:
            response = await original(self, request, **options)
        except Exception as error:
            seen.append(type(error))
            raise
        seen.append(response.status_code)
        return response

    monkeypatch.setattr(client, "send", send if colour == "sync" else send_async)
    return seen


def test_each_try_is_seen_and_sends_the_headers_of_the_tool(colour: str, traced: list[Any]) -> None:
    wire = Scripted(answer(503), failure(httpx.ConnectError), answer(200, {"id": 1}))
    connect(colour, wire, retry=RetryPolicy(attempts=3)).retrieve_team(1)
    assert traced == [503, httpx.ConnectError, 200]
    assert [request.headers["traceparent"] for request in wire.requests] == ["00-1-2-01"] * 3


def test_a_session_works_with_a_tool(colour: str, traced: list[Any]) -> None:
    fake = FakeKeystone()
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    team = client.create_team(name="a")
    assert client.retrieve_team(team["id"])["name"] == "a"
    client.logout()
    assert traced == [200, 201, 200, 200]


def test_a_redirect_is_returned_and_not_followed_with_a_tool(colour: str, traced: list[Any]) -> None:
    wire = Scripted(answer(302, location="http://keystone.test/elsewhere/"))
    response = connect(colour, wire).http_get("x")
    assert response.status_code == 302
    assert response.next_request is None


def test_errors_of_the_client_are_unchanged_with_a_tool(colour: str, traced: list[Any]) -> None:
    with pytest.raises(NotFoundError):
        connect(colour, Scripted(answer(404, {"detail": "gone"}))).retrieve_team(1, raise_not_exists=True)


def test_without_a_tool_no_httpx_client_is_created(colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, **options: object) -> None:
        raise AssertionError("a client of httpx was made")

    monkeypatch.setattr(httpx.Client, "__init__", refuse)
    monkeypatch.setattr(httpx.AsyncClient, "__init__", refuse)
    assert connect(colour, Scripted(answer(200, {"id": 1}))).retrieve_team(1) == {"id": 1}


BEFORE = """
import httpx
seen = []
original = httpx.Client.send
def send(self, request, **options):
    seen.append(str(request.url))
    return original(self, request, **options)
httpx.Client.send = send
from keystone_client import KeystoneClient
from keystone_client_testing import FakeKeystone
fake = FakeKeystone()
with KeystoneClient(fake.url, transport=fake.transport) as client:
    client.retrieve_version()
assert len(seen) == 1, seen
"""


def test_a_tool_installed_before_the_import_sees_the_requests_too() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", BEFORE], check=True, timeout=60)


def test_an_answer_in_place_of_httpx_needs_no_request(
    colour: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def send(self: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        return httpx.Response(200, json={"id": 1})

    async def send_async(self: Any, request: httpx.Request, **options: Any) -> httpx.Response:
        return send(self, request)

    kind = httpx.Client if colour == "sync" else httpx.AsyncClient
    monkeypatch.setattr(kind, "send", send if colour == "sync" else send_async)
    caplog.set_level("INFO")
    assert connect(colour, Scripted()).retrieve_team(1) == {"id": 1}
