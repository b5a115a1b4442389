"""A client configured by environment variables: which it reads, and when it logs in."""

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    AuthenticationError,
    DecodeError,
    FieldError,
    InvalidURLError,
    KeystoneClient,
    RetryPolicy,
    TransportError,
)
from keystone_client_testing import FakeKeystone

from .scripted import Player, Scripted, answer, connect

LOGIN = {"KEYSTONE_USERNAME": "admin", "KEYSTONE_PASSWORD": "quickstart"}


@pytest.fixture
def set_env(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


def made(colour: str, **options: Any) -> Any:
    kind: Any = KeystoneClient if colour == "sync" else AsyncKeystoneClient
    return kind.from_env(**options)


def inside(client: Any, ask: str) -> Any:
    """Return the result of a call inside the client's ``with`` block."""
    if isinstance(client, KeystoneClient):
        with client:
            return getattr(client, ask)()

    async def run() -> Any:
        async with client:
            return await getattr(client, ask)()

    return anyio.run(run)


def logins(fake: FakeKeystone) -> int:
    return sum(entry.path == "/authentication/login/" for entry in fake.journal)


@pytest.mark.parametrize("in_block", [True, False])
def test_the_first_call_that_needs_it_logs_in_once(colour: str, set_env: Any, in_block: bool) -> None:
    fake = FakeKeystone()
    set_env(KEYSTONE_URL=fake.url, **LOGIN)

    client = made(colour, transport=fake.transport, page_size=7)
    before = len(fake.journal)
    user = inside(client, "whoami") if in_block else Player(client).whoami()

    assert before == 0
    assert user["username"] == "admin"
    assert [entry.path for entry in fake.journal] == ["/authentication/login/", "/authentication/whoami/"]
    assert "quickstart" not in f"{vars(client)!r} {vars(client._session)!r}"


def from_env(colour: str, fake: FakeKeystone, set_env: Any, **options: Any) -> Player:
    set_env(KEYSTONE_URL=fake.url, **LOGIN)
    return Player(made(colour, transport=fake.transport, **options))


def test_health_version_and_is_authenticated_never_log_in(colour: str, set_env: Any) -> None:
    fake = FakeKeystone()
    client = from_env(colour, fake, set_env)
    client.retrieve_version()
    client.retrieve_health()
    assert client.is_authenticated() is False
    assert logins(fake) == 0


def test_a_session_that_ends_is_renewed_with_the_same_credentials(colour: str, set_env: Any) -> None:
    fake = FakeKeystone()
    client = from_env(colour, fake, set_env)
    client.retrieve_team()
    fake.clock.advance(365 * 24 * 3600)
    assert client.whoami()["username"] == "admin"
    assert logins(fake) == 2


def test_other_credentials_replace_those_of_the_environment(colour: str, set_env: Any) -> None:
    fake = FakeKeystone()
    fake.add.user(username="ada", password="quick-start-1")
    client = from_env(colour, fake, set_env)
    client.login("ada", "quick-start-1")
    fake.clock.advance(365 * 24 * 3600)
    assert client.whoami()["username"] == "ada"


def test_after_a_logout_there_is_no_automatic_login(colour: str, set_env: Any) -> None:
    fake = FakeKeystone()
    client = from_env(colour, fake, set_env)
    client.logout()
    assert client.whoami() is None
    assert logins(fake) == 0


@pytest.mark.parametrize("call", ["retrieve_team", "http_get"])
def test_a_client_can_be_made_while_the_server_is_down_and_calls_fail_until_it_is_up(
    colour: str, set_env: Any, call: str
) -> None:
    fake = FakeKeystone()
    client = from_env(colour, fake, set_env, retry=RetryPolicy(attempts=2))
    arguments = ["users/teams/"] if call == "http_get" else []
    fake.fail(error="connect", times=2)
    with pytest.raises(TransportError, match="authentication/login/") as caught:
        getattr(client, call)(*arguments)
    assert caught.value.outcome == "not sent"
    getattr(client, call)(*arguments)
    assert client.is_authenticated()


def test_calls_that_begin_together_log_in_once_and_share_a_failure(set_env: Any) -> None:
    fake = FakeKeystone()
    set_env(KEYSTONE_URL=fake.url, KEYSTONE_USERNAME="admin", KEYSTONE_PASSWORD="wrong")

    async def run() -> list[object]:
        async with AsyncKeystoneClient.from_env(transport=fake.transport) as client:
            calls = [client.retrieve_team() for _ in range(5)]
            return list(await asyncio.gather(*calls, return_exceptions=True))

    failures = asyncio.run(run())
    assert [type(failure) for failure in failures] == [AuthenticationError] * 5
    assert logins(fake) == 1


def test_a_token_is_sent_without_a_login(colour: str, set_env: Any) -> None:
    transport = Scripted(answer(200, {"id": 1}))
    set_env(KEYSTONE_URL="http://keystone.test", KEYSTONE_TOKEN="s3cret")

    inside(made(colour, transport=transport), "whoami")

    assert [request.headers["authorization"] for request in transport.requests] == ["Token s3cret"]


def test_a_refused_login_raises_from_the_call_that_needed_it(colour: str, set_env: Any) -> None:
    transport = Scripted(answer(400, {"non_field_errors": ["Invalid username or password."]}))
    set_env(KEYSTONE_URL="http://keystone.test", **LOGIN)

    with pytest.raises(AuthenticationError):
        inside(made(colour, transport=transport), "whoami")

    assert transport.closed == 1


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "KEYSTONE_URL is not set"),
        ({"KEYSTONE_URL": "", **LOGIN}, "KEYSTONE_URL is not set"),
        ({"KEYSTONE_URL": "http://h"}, "KEYSTONE_USERNAME is not set"),
        ({"KEYSTONE_URL": "http://h", "KEYSTONE_USERNAME": "admin"}, "KEYSTONE_PASSWORD is not set"),
        ({"KEYSTONE_URL": "http://h", "KEYSTONE_PASSWORD": "quickstart"}, "KEYSTONE_USERNAME is not set"),
        ({"KEYSTONE_URL": "http://h", "KEYSTONE_TOKEN": "quickstart", **LOGIN}, "KEYSTONE_TOKEN and KEYSTONE_USERNAME"),
    ],
)
def test_missing_or_contradictory_variables_are_named_without_a_secret(
    colour: str, set_env: Any, variables: dict[str, str], said: str
) -> None:
    set_env(**variables)

    with pytest.raises(FieldError, match=said) as caught:
        made(colour)

    assert "quickstart" not in str(caught.value)


def test_an_invalid_url_is_refused(colour: str, set_env: Any) -> None:
    set_env(KEYSTONE_URL="http://user:hidden@host", **LOGIN)

    with pytest.raises(InvalidURLError, match="KEYSTONE_URL") as caught:
        made(colour)

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("token", ["two words", "a line\n", "fenêtre"])
def test_an_invalid_token_is_refused_naming_its_variable(colour: str, set_env: Any, token: str) -> None:
    set_env(KEYSTONE_URL="http://h", KEYSTONE_TOKEN=token)

    with pytest.raises(FieldError, match="KEYSTONE_TOKEN") as caught:
        made(colour)

    assert token not in str(caught.value)


def test_a_password_kept_for_the_login_is_in_no_repr(colour: str, set_env: Any) -> None:
    set_env(KEYSTONE_URL="http://h", **LOGIN)

    assert "quickstart" not in repr(vars(made(colour)))


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"{}", b"x" * 200])
def test_an_invalid_version_is_a_decode_error(colour: str, body: bytes) -> None:
    with pytest.raises(DecodeError):
        connect(colour, Scripted(answer(200, body))).retrieve_version()


@pytest.mark.parametrize("ask", ["retrieve_config", "retrieve_health", "retrieve_grant_stats"])
def test_an_answer_that_is_not_an_object_is_a_decode_error(colour: str, ask: str) -> None:
    with pytest.raises(DecodeError):
        getattr(connect(colour, Scripted(answer(200, [1]))), ask)()


@pytest.mark.parametrize("ask", ["retrieve_team", "logout"])
def test_a_hook_that_uses_the_client_during_its_login_does_not_wait_for_itself(
    colour: str, set_env: Any, ask: str
) -> None:
    fake = FakeKeystone()
    set_env(KEYSTONE_URL=fake.url, **LOGIN)
    asked: list[str] = []

    def note(response: httpx.Response) -> None:
        if response.request.method == "POST" and not asked:
            asked.append(ask)
            getattr(client, ask)()

    async def note_async(response: httpx.Response) -> None:
        if response.request.method == "POST" and not asked:
            asked.append(ask)
            await getattr(client, ask)()

    hook = note if colour == "sync" else note_async
    client = made(colour, transport=fake.transport, event_hooks={"response": [hook]}, retry=RetryPolicy(deadline=30))
    Player(client).retrieve_health()
    assert Player(client).http_get("users/teams/").status_code == (200 if ask == "retrieve_team" else 401)
    assert asked == [ask]


class HeldLogin(Scripted):
    """Answers the first login once the test says so."""

    def __init__(self, fake: FakeKeystone) -> None:
        super().__init__()
        self._fake = fake
        self.arrived, self.go_on = threading.Event(), threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._fake.transport.handle_request(request)
        if request.url.path.endswith("/login/") and not self.arrived.is_set():
            self.arrived.set()
            assert self.go_on.wait(30)
        return response


@pytest.mark.parametrize(
    ("act", "arguments", "user"), [("logout", (), None), ("login", ("bob", "secret-of-bob"), "bob")]
)
def test_what_the_caller_does_to_the_session_outlasts_a_login_that_is_under_way(
    set_env: Any, act: str, arguments: tuple[str, ...], user: str | None
) -> None:
    fake = FakeKeystone()
    fake.add.user(username="bob", password="secret-of-bob")
    set_env(KEYSTONE_URL=fake.url, **LOGIN)
    wire = HeldLogin(fake)
    client = KeystoneClient.from_env(transport=wire)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(client.retrieve_team)
        assert wire.arrived.wait(30)
        second = threads.submit(getattr(client, act), *arguments)
        wait([second], timeout=0.05)  # if it does not wait for its turn, it is over before the login under way is
        wire.go_on.set()
        first.result()
        second.result()
    found = client.whoami()
    assert (found and found["username"]) == user


def test_a_failed_login_that_is_shared_keeps_nothing_of_its_caller_alive(colour: str, set_env: Any) -> None:
    fake = FakeKeystone()
    set_env(KEYSTONE_URL=fake.url, KEYSTONE_USERNAME="admin", KEYSTONE_PASSWORD="wrong")
    client = made(colour, transport=fake.transport)
    player = Player(client)

    class Page:
        """What a caller has at hand."""

    def serve() -> weakref.ref[Page]:
        page = Page()
        with pytest.raises(AuthenticationError):
            player.retrieve_team()
        return weakref.ref(page)

    page = serve()
    gc.collect()
    assert page() is None
