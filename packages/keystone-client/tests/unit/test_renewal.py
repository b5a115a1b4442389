"""An expired session is renewed with credentials from a provider: once, however many calls find it expired."""

import io
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
import trio
from keystone_client import (
    AsyncKeystoneClient,
    AuthenticationError,
    DeadlineExceededError,
    FieldError,
    KeystoneClient,
    RetryPolicy,
    TransportError,
)
from keystone_client._protocol.renewal import renewal
from keystone_client_testing import FakeKeystone
from trio.testing import MockClock

from .clocks import timed
from .scripted import URL, Player, Scripted, answer, connect, cookies, failure
from .threads import in_threads

CREDENTIALS = ("admin", "quickstart")
LOGIN = cookies("sessionid=a; Path=/", "csrftoken=c; Path=/")
AGAIN = cookies("sessionid=b; Path=/", "csrftoken=d; Path=/")
OVER = answer(401, {"detail": "Authentication credentials were not provided."})


class Provider:
    """A credentials provider that counts its calls."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers or (CREDENTIALS,))
        self.asked = 0

    def __call__(self) -> Any:
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found


def kept(colour: str, fake: FakeKeystone, provider: Any) -> Player:
    """Return a client with a provider, whose session has just expired."""
    client = connect(colour, fake.transport, fake.url)
    client.login(provider=provider)
    fake.fail(error="expired")
    return client


CALLS: dict[str, Callable[[Player], object]] = {
    "read": lambda client: client.retrieve_team(),
    "create": lambda client: client.create_team(name="Physics"),
    "update": lambda client: client.update_team(1, {"is_active": False}),
    "delete": lambda client: client.delete_team(1),
    "http_get": lambda client: client.http_get("users/teams").raise_for_status(),
    "http_post": lambda client: client.http_post("users/teams", json={"name": "Physics"}).raise_for_status(),
    "bulk": lambda client: client.bulk_create_team([{"name": "Physics"}]),
    "upload": lambda client: client.create_attachment(request=1, file=io.BytesIO(b"%PDF"), filename="a.pdf"),
    "whoami": lambda client: client.whoami()["username"],
    "is_authenticated": lambda client: client.is_authenticated() or 1 / 0,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_in_an_expired_session_is_repeated_in_a_new_one(colour: str, call: Callable[[Player], object]) -> None:
    fake = FakeKeystone()
    fake.add.request(team=fake.add.team(name="First")["id"])
    provider = Provider()
    client = kept(colour, fake, provider)
    call(client)
    assert provider.asked == 2
    assert client.is_authenticated() is True
    assert provider.asked == 2


def test_without_a_provider_an_expired_session_raises(colour: str) -> None:
    wire = Scripted(LOGIN, OVER)
    client = connect(colour, wire)
    client.login(*CREDENTIALS)
    with pytest.raises(AuthenticationError):
        client.create_team(name="t")
    assert len(wire.requests) == 2


@pytest.mark.parametrize("forget", ["logout", "login"])
def test_a_logout_and_another_login_forget_the_provider(colour: str, forget: str) -> None:
    provider = Provider()
    wire = Scripted(LOGIN, AGAIN, OVER)
    client = connect(colour, wire)
    client.login(provider=provider)
    getattr(client, forget)(*(CREDENTIALS if forget == "login" else ()))
    with pytest.raises(AuthenticationError):
        client.retrieve_team(1)
    assert provider.asked == 1


def test_a_failed_login_keeps_the_existing_provider(colour: str) -> None:
    first, second = Provider(), Provider()
    client = connect(colour, Scripted(LOGIN, answer(400, {"detail": "Invalid username or password."}), OVER, AGAIN))
    client.login(provider=first)
    with pytest.raises(AuthenticationError):
        client.login(provider=second)
    client.http_get("version")
    assert (first.asked, second.asked) == (2, 1)


def test_a_new_session_that_is_also_refused_is_not_renewed_again(colour: str) -> None:
    provider = Provider()
    wire = Scripted(LOGIN, OVER, AGAIN, OVER)
    client = connect(colour, wire)
    client.login(provider=provider)
    with pytest.raises(AuthenticationError):
        client.retrieve_team(1)
    assert provider.asked == 2
    assert len(wire.requests) == 4


def test_a_refused_login_is_the_error_and_the_next_call_asks_again(colour: str) -> None:
    provider = Provider(CREDENTIALS, ("admin", "old"), CREDENTIALS)
    fake = FakeKeystone()
    client = kept(colour, fake, provider)
    with pytest.raises(AuthenticationError, match="the login was refused"):
        client.retrieve_team()
    assert client.retrieve_team() == []
    assert provider.asked == 3


def test_an_exception_of_the_provider_is_propagated_unchanged(colour: str) -> None:
    broken = OSError("the vault is sealed")
    client = kept(colour, FakeKeystone(), Provider(CREDENTIALS, broken))
    with pytest.raises(OSError, match="the vault is sealed") as caught:
        client.retrieve_team()
    assert caught.value is broken


@pytest.mark.parametrize("given", [None, "secret", ("admin",), ("admin", "secret", "x"), (1, "secret"), ("admin", "")])
def test_invalid_credentials_of_a_provider_are_refused_and_not_shown(colour: str, given: Any) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match=r"provider|username|password") as caught:
        connect(colour, wire).login(provider=lambda: given)
    assert "secret" not in str(caught.value)
    assert wire.requests == []


def test_a_login_takes_credentials_or_a_provider(colour: str) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    for wrong in ({"provider": Provider(), "username": "admin"}, {"provider": CREDENTIALS}, {}):
        with pytest.raises(FieldError, match=r"provider|username"):
            client.login(**wrong)
    assert wire.requests == []


def test_a_create_in_a_session_that_ended_was_not_carried_out_even_if_the_new_login_is_lost(colour: str) -> None:
    client = connect(colour, Scripted(LOGIN, OVER, failure(httpx.ReadError)))
    client.login(provider=Provider())
    with pytest.raises(TransportError, match="authentication/login") as caught:
        client.create_team(name="t")
    assert caught.value.outcome == "not sent"


def test_a_401_page_of_a_proxy_does_not_renew_the_session(colour: str) -> None:
    provider = Provider()
    client = connect(colour, Scripted(LOGIN, answer(401, b"<html>", content_type="text/html")))
    client.login(provider=provider)
    assert client.http_get("version").status_code == 401
    assert provider.asked == 1


def test_the_deadline_includes_the_login(colour: str) -> None:
    client = connect(colour, Scripted(LOGIN, OVER, answer(429, retry_after="30")), retry=RetryPolicy(deadline=10))
    client.login(provider=Provider())
    with pytest.raises(DeadlineExceededError) as caught:
        client.create_team(name="t")
    assert caught.value.outcome == "not sent"


def test_the_deadline_includes_a_wait_of_the_login(colour: str) -> None:
    """The call has 2 s left when its session turns out to be over."""
    client, wire, time = timed(colour, deadline=10, backoff=0)
    wire.script = [LOGIN]
    client.login(provider=Provider())
    wire.script = [time.taking(8, OVER), answer(429, retry_after="5"), AGAIN, answer(200, {"id": 1})]
    with pytest.raises(DeadlineExceededError):
        client.create_team(name="t")
    assert time.pauses == []


def test_a_try_that_only_shows_that_the_session_is_over_does_not_count(colour: str) -> None:
    for attempts, replies in ((1, [answer(200, {"id": 1})]), (2, [answer(503), answer(200, {"id": 1})])):
        wire = Scripted(LOGIN, OVER, AGAIN, *replies)
        client = connect(colour, wire, retry=RetryPolicy(attempts=attempts))
        client.login(provider=Provider())
        assert client.retrieve_team(1) == {"id": 1}

    wire = Scripted(LOGIN, OVER, AGAIN, answer(503))
    client = connect(colour, wire, retry=RetryPolicy(attempts=2))
    client.login(provider=Provider())
    assert client.http_get("version").status_code == 503
    assert len(wire.requests) == 5


def test_the_deadline_limits_a_hanging_provider() -> None:
    asked = 0

    async def provider() -> tuple[str, str]:
        nonlocal asked
        asked += 1
        if asked == 2:
            await trio.sleep_forever()
        return CREDENTIALS

    async def test() -> None:
        wire = Scripted(LOGIN, OVER, AGAIN, answer(200, {"id": 1}))
        client = AsyncKeystoneClient(URL, transport=wire, retry=RetryPolicy(deadline=10))
        client._session.clock = trio.current_time
        await client.login(provider=provider)
        started = trio.current_time()
        with pytest.raises(DeadlineExceededError, match="the provider of credentials") as caught:
            await client.create_team(name="t")
        assert trio.current_time() == started + 10
        assert caught.value.outcome == "not sent"
        await client.http_get("version")

    trio.run(test, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("error", [TimeoutError("the vault is slow"), OSError("the vault is sealed")])
def test_a_timeout_error_raised_by_a_provider_is_propagated(colour: str, error: Exception) -> None:
    wire = Scripted(LOGIN, OVER)
    client = connect(colour, wire, retry=RetryPolicy(deadline=10))
    client.login(provider=Provider(CREDENTIALS, error))
    with pytest.raises(type(error)) as caught:
        client.retrieve_team(1)
    assert caught.value is error


@pytest.mark.parametrize("asked_before", [0, 1], ids=["at the login", "at the end of the session"])
def test_a_provider_that_uses_the_client_does_not_deadlock(colour: str, asked_before: int) -> None:
    asked = 0

    def uses_the_client() -> bool:
        nonlocal asked
        asked += 1
        return asked > asked_before

    def provider() -> tuple[str, str]:
        if uses_the_client():
            client.client.retrieve_team(1, raise_not_exists=True)
        return CREDENTIALS

    async def asynchronous() -> tuple[str, str]:
        if uses_the_client():
            await client.client.retrieve_team(1, raise_not_exists=True)
        return CREDENTIALS

    def log_in_and_call() -> None:
        client.login(provider=provider if colour == "sync" else asynchronous)
        client.create_team(name="t")

    client = connect(colour, Scripted(*[LOGIN] * asked_before, OVER), retry=RetryPolicy(deadline=5))
    with pytest.raises(AuthenticationError, match="401"):
        log_in_and_call()
    assert asked == asked_before + 1


class Expiring(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers 401 to a number of requests of the first session, once all of them have arrived."""

    def __init__(self, crowd: int) -> None:
        self.crowd = crowd
        self.together = threading.Barrier(crowd)
        self.arrived = 0
        self.event: anyio.Event | None = None
        self.logins = 0
        self.served = 0
        self.lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "sessionid=s1" in request.headers.get("cookie", "") and "login" not in request.url.path:
            self.together.wait(30)
        with self.lock:
            return self._reply(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "sessionid=s1" in request.headers.get("cookie", "") and "login" not in request.url.path:
            self.event = self.event or anyio.Event()
            self.arrived += 1
            if self.arrived == self.crowd:
                self.event.set()
            with anyio.fail_after(30):
                await self.event.wait()
        return self._reply(request)

    def _reply(self, request: httpx.Request) -> httpx.Response:
        if "login" in request.url.path:
            self.logins += 1
            return cookies(f"sessionid=s{self.logins}; Path=/", f"csrftoken=c{self.logins}; Path=/")(request)
        if f"sessionid=s{self.logins}" not in request.headers.get("cookie", "") or self.logins == 1:
            return cookies('sessionid=""; Max-Age=0; Path=/', status=401, body={"detail": "No."})(request)
        self.served += 1
        return answer(200, {"id": 1})(request)


def test_threads_in_an_expired_session_call_the_provider_once() -> None:
    provider, wire = Provider(), Expiring(20)
    client = KeystoneClient("http://keystone.test", transport=wire)
    client.login(provider=provider)
    in_threads(*[partial(client.create_team, name="t")] * 20)
    assert (provider.asked, wire.logins, wire.served) == (2, 2, 20)


def crowd(backend: str, provider: Any, play: Callable[[AsyncKeystoneClient, Expiring], Awaitable[None]]) -> Expiring:
    wire = Expiring(20)

    async def test() -> None:
        async with AsyncKeystoneClient("http://keystone.test", transport=wire) as client:
            await client.login(provider=provider)
            await play(client, wire)

    anyio.run(test, backend=backend)
    return wire


def test_tasks_in_an_expired_session_call_an_async_provider_once(backend: str) -> None:
    asked = 0

    async def provider() -> tuple[str, str]:
        nonlocal asked
        asked += 1
        await anyio.lowlevel.checkpoint()
        return CREDENTIALS

    async def play(client: AsyncKeystoneClient, wire: Expiring) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(client.retrieve_team, 1)

    wire = crowd(backend, provider, play)
    assert (asked, wire.logins, wire.served) == (2, 2, 20)


def test_a_failed_login_is_tried_once_and_every_waiting_call_raises(backend: str) -> None:
    provider = Provider(CREDENTIALS, KeyError("the vault is sealed"))
    errors: list[type] = []
    causes: list[BaseException | None] = []

    async def play(client: AsyncKeystoneClient, wire: Expiring) -> None:
        async def call() -> None:
            with pytest.raises((KeyError, AuthenticationError)) as caught:
                await client.retrieve_team(1)
            errors.append(caught.type)
            if caught.type is AuthenticationError:
                causes.append(caught.value.__cause__)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(call)

    crowd(backend, provider, play)
    assert provider.asked == 2
    assert sorted(errors, key=str) == sorted([KeyError, *[AuthenticationError] * 19], key=str)
    assert [str(cause) for cause in causes] == ["'the vault is sealed'"] * 19


def test_if_the_task_that_logs_in_is_cancelled_the_next_one_logs_in(backend: str) -> None:
    asked = 0

    async def provider() -> tuple[str, str]:
        nonlocal asked
        asked += 1
        if asked == 2:
            scopes[anyio.get_current_task().id].cancel()
            await anyio.sleep_forever()
        return CREDENTIALS

    async def play(client: AsyncKeystoneClient, wire: Expiring) -> None:
        async def call() -> None:
            with anyio.CancelScope() as scope:
                scopes[anyio.get_current_task().id] = scope
                await client.retrieve_team(1)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(call)

    scopes: dict[int, anyio.CancelScope] = {}
    wire = crowd(backend, provider, play)
    assert (asked, wire.logins, wire.served) == (3, 2, 19)


def test_after_a_logout_calls_that_wait_for_a_new_session_get_none(backend: str) -> None:
    asked = 0
    refused: list[AuthenticationError] = []

    async def provider() -> tuple[str, str]:
        nonlocal asked
        asked += 1
        if asked == 2:
            await clients[0].logout()
            scopes[anyio.get_current_task().id].cancel()
            await anyio.sleep_forever()
        return CREDENTIALS

    async def play(client: AsyncKeystoneClient, wire: Expiring) -> None:
        async def call() -> None:
            with anyio.CancelScope() as scope:
                scopes[anyio.get_current_task().id] = scope
                with pytest.raises(AuthenticationError) as caught:
                    await client.retrieve_team(1)
                refused.append(caught.value)

        clients.append(client)
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(call)

    clients: list[AsyncKeystoneClient] = []
    scopes: dict[int, anyio.CancelScope] = {}
    wire = crowd(backend, provider, play)
    assert (asked, wire.logins, len(refused)) == (2, 1, 19)


def test_a_late_call_does_not_repeat_a_login_tried_since_it_was_sent() -> None:
    session = connect("sync")._session
    tried: list[str] = []

    def trying(outcome: str) -> None:
        def renew(call: object) -> Iterator[Any]:
            tried.append(outcome)
            yield from ()
            if outcome == "refused":
                raise FieldError("no", field="password")

        session.renew = renew

    trying("well")
    list(renewal(session, 0, object))
    trying("refused")
    with pytest.raises(FieldError):
        list(renewal(session, 1, object))
    list(renewal(session, 0, object))
    assert tried == ["well", "refused"]
