"""The fixtures beside other tools that mock HTTP in the same test: each answers only its own requests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client_testing import FakeKeystone
from pytest_httpx import HTTPXMock

OTHER = "https://other.example/"
LOGIN = {"username": "admin", "password": "quickstart"}


def use(url: str) -> int:
    """Work with a fake as production code does: with a client of its own."""
    with KeystoneClient(url) as client:
        client.login(**LOGIN)
        client.create_team(name="Physics")
        return client.count_team()


async def use_async(url: str) -> int:
    async with AsyncKeystoneClient(url) as client:
        await client.login(**LOGIN)
        return await client.count_team()


@pytest.mark.anyio
@pytest.mark.parametrize("first", ["httpx_mock", "fake_keystone"])
async def test_pytest_httpx_and_the_fake_each_answer_their_own_requests_in_any_order(
    request: pytest.FixtureRequest, first: str
) -> None:
    request.getfixturevalue(first)
    fake: FakeKeystone = request.getfixturevalue("fake_keystone")
    mock: HTTPXMock = request.getfixturevalue("httpx_mock")
    mock.add_response(url=OTHER, text="other")
    assert use(fake.url) == 1
    assert await use_async(fake.url) == 1
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{fake.url}version/")).text == "0.0.0"
        assert (await client.get(OTHER)).text == "other"
    assert [str(sent.url) for sent in mock.get_requests()] == [OTHER]
    assert len(fake.journal.find("POST", "authentication/login")) == 2


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
def test_a_request_without_a_mock_is_refused_by_pytest_httpx(
    fake_keystone: FakeKeystone, httpx_mock: HTTPXMock
) -> None:
    with pytest.raises(httpx.TimeoutException, match="No response can be found"):
        httpx.get(OTHER)
    assert use(fake_keystone.url) == 1


@pytest.mark.httpx_mock(should_mock=lambda request: request.url.host != "127.0.0.1")
def test_the_server_is_beside_pytest_httpx_with_the_line_of_the_docs(
    keystone_server: str, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(url=OTHER, text="other")
    assert use(keystone_server) == 1
    assert httpx.get(OTHER).text == "other"


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["none", "once", "all"])
async def test_a_cassette_neither_records_nor_replays_requests_to_the_fake(
    fake_keystone: FakeKeystone, tmp_path: Path, mode: str
) -> None:
    cassette = tmp_path / "cassette.yaml"
    for number in (1, 2):
        with vcr.use_cassette(str(cassette), record_mode=mode):
            assert use(fake_keystone.url) == 1
            assert await use_async(fake_keystone.url) == 1
        assert len(fake_keystone.journal.find("POST", "users/teams")) == number
        with fake_keystone.client() as client:
            client.delete_team(number)
    assert not cassette.exists()


def test_a_cassette_still_replays_requests_to_other_hosts(fake_keystone: FakeKeystone, tmp_path: Path) -> None:
    cassette = tmp_path / "cassette.yaml"
    cassette.write_text(
        f"""
version: 1
interactions:
- request: {{method: GET, uri: "{OTHER}", body: "", headers: {{}}}}
  response: {{status: {{code: 200, message: OK}}, headers: {{}}, body: {{string: other}}}}
"""
    )
    with vcr.use_cassette(str(cassette), record_mode="none"):
        assert httpx.get(OTHER).text == "other"
        assert use(fake_keystone.url) == 1


def test_a_router_of_respx_that_mocks_everything_leaves_the_fake_alone(fake_keystone: FakeKeystone) -> None:
    import respx

    with respx.mock(assert_all_called=False) as router:
        router.get(OTHER).respond(text="other")
        assert httpx.get(OTHER).text == "other"
        assert use(fake_keystone.url) == 1


def test_a_transport_with_a_method_of_its_own_keeps_it(fake_keystone: FakeKeystone, httpx_mock: HTTPXMock) -> None:
    class Refusing(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

    with httpx.Client(transport=Refusing()) as client, pytest.raises(httpx.ConnectError, match="refused"):
        client.get(fake_keystone.url)


def test_a_tool_that_watches_all_requests_sees_those_for_the_fake(
    fake_keystone: FakeKeystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    original: Callable[..., httpx.Response] = httpx.HTTPTransport.handle_request

    def watched(transport: Any, request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return original(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", watched)
    httpx.get(f"{fake_keystone.url}version/")
    assert seen == ["/version/"]


def test_nothing_is_left_behind_when_the_last_door_is_closed() -> None:
    with FakeKeystone().mock(), FakeKeystone("http://other.test/").mock():
        assert "__getattribute__" in vars(httpx.HTTPTransport)
    for transport in (httpx.HTTPTransport, httpx.AsyncHTTPTransport):
        assert "__getattribute__" not in vars(transport)
