"""One client in many hands: cookies never mix, whatever order the answers come in."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient, StatusError
from keystone_client._protocol.session_state import SessionState
from keystone_client_testing import FakeKeystone

from .scripted import URL

BACKENDS = ["asyncio", "trio"]
THREADS, TURNS = 32, 6


def conversation() -> SessionState:
    return KeystoneClient(URL)._session


def answered(request: httpx.Request, *lines: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, headers=[("set-cookie", line) for line in lines], request=request)


def opened(session: SessionState, key: str) -> None:
    """Let a login succeed."""
    request = session.request("POST", "authentication/login/")
    request.session = None
    session.receive(answered(request, f"sessionid={key}; Path=/", f"csrftoken=csrf-{key}; Path=/"))


def sent(session: SessionState) -> tuple[str, str | None]:
    request = session.request("POST", "x/")
    return "; ".join(sorted(request.headers.get("cookie", "").split("; "))), request.headers.get("x-csrftoken")


def test_a_late_answer_of_a_session_that_is_over_does_not_end_the_new_one() -> None:
    session = conversation()
    opened(session, "old")
    slow = session.request("GET", "x/")
    session.receive(answered(session.request("GET", "x/"), 'sessionid=""; Max-Age=0; Path=/', status=401))
    opened(session, "new")
    session.receive(answered(slow, 'sessionid=""; Max-Age=0; Path=/', "csrftoken=stale; Path=/", status=401))
    assert sent(session) == ("csrftoken=csrf-new; sessionid=new", "csrf-new")


def test_a_logout_whose_answer_comes_after_the_next_login_does_not_end_that() -> None:
    session = conversation()
    opened(session, "old")
    number = session.number
    opened(session, "new")
    session.forget_session(number)
    assert sent(session) == ("csrftoken=csrf-new; sessionid=new", "csrf-new")
    session.forget_session(session.number)
    assert sent(session) == ("", None)


def test_answers_within_a_session_still_change_its_cookies() -> None:
    session = conversation()
    opened(session, "a")
    for token in ("b", "c"):
        session.receive(answered(session.request("GET", "x/"), f"csrftoken={token}; Path=/"))
    assert sent(session) == ("csrftoken=c; sessionid=a", "c")


@contextmanager
def two_users(fake: FakeKeystone) -> Iterator[None]:
    fake.add.user(username="ada", password="quick-start-1", is_staff=True)
    fake.add.user(username="bob", password="quick-start-2", is_staff=True)
    yield
    for entry in fake.journal:
        assert entry.status != 403, f"a write went out without the token of its cookies: {entry}"
        assert entry.status < 500


def turn(number: int, client: Any) -> Iterator[Callable[[], Any]]:
    """What one of many does with the client they share, among logins and logouts of the others."""
    name, password = ("ada", "quick-start-1") if number % 2 else ("bob", "quick-start-2")
    if number % 8 < 2:
        yield lambda: client.login(name, password)
    yield lambda: client.create_team(name=f"team {number}")
    yield lambda: client.retrieve_team(limit=3)
    if number % 16 == 5:
        yield client.logout
    yield client.is_authenticated


def test_threads_share_a_client_while_some_of_them_log_in_and_out() -> None:
    fake = FakeKeystone()
    failures: list[BaseException] = []
    with two_users(fake), fake.serve() as url, KeystoneClient(url) as client:
        start = threading.Barrier(THREADS)

        def work(number: int) -> None:
            start.wait()
            for round_ in range(TURNS):
                for act in turn(number + round_ * THREADS, client):
                    try:
                        act()
                    except StatusError as error:
                        if error.status_code != 401:  # somebody logged out: the one answer that may be
                            failures.append(error)
                    except Exception as error:  # noqa: BLE001 - a thread's failure is looked at outside of it
                        failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        client.login("ada", "quick-start-1")
        user = client.whoami()
        assert user is not None
        assert user["username"] == "ada"


@pytest.mark.parametrize("backend", BACKENDS)
def test_tasks_share_a_client_while_some_of_them_log_in_and_out(backend: str) -> None:
    fake = FakeKeystone()

    async def test() -> None:
        async with AsyncKeystoneClient(url) as client, anyio.create_task_group() as group:

            async def work(number: int) -> None:
                for round_ in range(TURNS):
                    for act in turn(number + round_ * THREADS, client):
                        try:
                            await act()
                        except StatusError as error:
                            if error.status_code != 401:
                                raise

            for number in range(THREADS):
                group.start_soon(work, number)

    with two_users(fake), fake.serve() as url:
        anyio.run(test, backend=backend)
