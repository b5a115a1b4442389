"""One client shared by threads and tasks: cookies of sessions never mix, in whatever order answers arrive."""

import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import anyio
import httpx
from keystone_client import AsyncKeystoneClient, KeystoneClient, StatusError
from keystone_client._config.call_options import CallOptions
from keystone_client._config.retry_policy import RetryPolicy
from keystone_client._protocol.requests import Draft
from keystone_client._protocol.session_state import SessionState
from keystone_client._transport.outgoing import OutgoingRequest
from keystone_client_testing import Entry, FakeKeystone

from .scripted import URL
from .threads import in_threads

THREADS, TURNS = 32, 6


def conversation() -> SessionState:
    return KeystoneClient(URL)._session


def answered(request: httpx.Request, *lines: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, headers=[("set-cookie", line) for line in lines], request=request)


def built(session: SessionState, method: str, endpoint: str) -> OutgoingRequest:
    options = CallOptions(str(uuid4()), {"read": 1.0}, RetryPolicy())
    return session.builder.build(Draft(method, endpoint), session.headers, options)


def opened(session: SessionState, key: str) -> None:
    """Record a successful login."""
    request = built(session, "POST", "authentication/login/")
    request.session = None
    session.receive(answered(request, f"sessionid={key}; Path=/", f"csrftoken=csrf-{key}; Path=/"))


def sent(session: SessionState) -> tuple[str, str | None]:
    request = built(session, "POST", "x/")
    return "; ".join(sorted(request.headers.get("cookie", "").split("; "))), request.headers.get("x-csrftoken")


def test_a_late_answer_of_an_old_session_does_not_end_the_new_one() -> None:
    session = conversation()
    opened(session, "old")
    slow = built(session, "GET", "x/")
    session.receive(answered(built(session, "GET", "x/"), 'sessionid=""; Max-Age=0; Path=/', status=401))
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
        session.receive(answered(built(session, "GET", "x/"), f"csrftoken={token}; Path=/"))
    assert sent(session) == ("csrftoken=c; sessionid=a", "c")


@contextmanager
def two_users(fake: FakeKeystone) -> Iterator[None]:
    fake.add.user(username="ada", password="quick-start-1", is_staff=True)
    fake.add.user(username="bob", password="quick-start-2", is_staff=True)
    yield
    for entry in fake.journal:
        assert entry.status != 403, f"a write went out without the token of its cookies: {entry}"
        assert entry.status < 500


def calls(number: int, client: Any) -> Iterator[Callable[[], Any]]:
    """The calls of one thread or task with the shared client."""
    yield lambda: client.create_team(name=f"team {number}")
    yield lambda: client.retrieve_team(limit=3)
    yield client.whoami


def changes(number: int, client: Any) -> Iterator[Callable[[], Any]]:
    """The same calls, interleaved with logouts and logins as another user, which end the sessions of running calls."""
    name, password = ("ada", "quick-start-1") if number % 2 else ("bob", "quick-start-2")
    if number % 8 < 2:
        yield lambda: client.login(name, password)
    yield from calls(number, client)
    if number % 16 == 5:
        yield client.logout


def relogins(number: int, client: Any) -> Iterator[Callable[[], Any]]:
    """The same among logins of the user who is logged in: the session goes on, with another CSRF token."""
    if number % 8 < 2:
        yield lambda: client.login("ada", "quick-start-1")
    yield from calls(number, client)


def check_all_by(entries: list[Entry], user: str, count: int) -> None:
    """Check that all calls were answered, and that each sent the session of its user."""
    calls = [entry for entry in entries if not entry.path.startswith("/authentication/login")]
    assert [entry for entry in calls if entry.user != user or entry.status not in (200, 201)] == []
    assert len(calls) == count


def in_all_threads(work: Callable[[int], None]) -> None:
    """Run the work in all threads at once."""
    start = threading.Barrier(THREADS)

    def begin(number: int) -> None:
        start.wait(30)
        work(number)

    in_threads(*[partial(begin, number) for number in range(THREADS)])


async def in_all_tasks(work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Run the work in all tasks at once."""
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for number in range(THREADS):
                group.start_soon(work, number)


@contextmanager
def another_may_have_logged_out() -> Iterator[None]:
    try:
        yield
    except StatusError as error:
        if error.status_code != 401:
            raise


def test_threads_share_a_client_while_some_of_them_change_its_user() -> None:
    fake = FakeKeystone()
    with two_users(fake), fake.serve() as url, KeystoneClient(url) as client:

        def storm(number: int) -> None:
            for round_ in range(TURNS):
                for act in changes(number + round_ * THREADS, client):
                    with another_may_have_logged_out():
                        act()

        def calm(number: int) -> None:
            for act in calls(number + TURNS * THREADS, client):
                act()

        in_all_threads(storm)
        client.login("ada", "quick-start-1")
        begin = len(fake.journal)
        in_all_threads(calm)
        check_all_by(fake.journal[begin:], "ada", 3 * THREADS)


def test_tasks_share_a_client_while_some_of_them_change_its_user(backend: str) -> None:
    fake = FakeKeystone()

    async def test() -> None:
        async with AsyncKeystoneClient(url) as client:

            async def storm(number: int) -> None:
                for round_ in range(TURNS):
                    for act in changes(number + round_ * THREADS, client):
                        with another_may_have_logged_out():
                            await act()

            async def calm(number: int) -> None:
                for act in calls(number + TURNS * THREADS, client):
                    await act()

            await in_all_tasks(storm)
            await client.login("ada", "quick-start-1")
            begin = len(fake.journal)
            await in_all_tasks(calm)
            check_all_by(fake.journal[begin:], "ada", 3 * THREADS)

    with two_users(fake), fake.serve() as url:
        anyio.run(test, backend=backend)


def test_no_call_of_a_thread_fails_while_others_log_in_as_the_same_user() -> None:
    fake = FakeKeystone()
    with two_users(fake), fake.serve() as url, KeystoneClient(url) as client:

        def work(number: int) -> None:
            for round_ in range(TURNS):
                for act in relogins(number + round_ * THREADS, client):
                    act()

        client.login("ada", "quick-start-1")
        in_all_threads(work)
        check_all_by(fake.journal, "ada", 3 * THREADS * TURNS)


def test_no_call_of_a_task_fails_while_others_log_in_as_the_same_user(backend: str) -> None:
    fake = FakeKeystone()

    async def test() -> None:
        async with AsyncKeystoneClient(url) as client:

            async def work(number: int) -> None:
                for round_ in range(TURNS):
                    for act in relogins(number + round_ * THREADS, client):
                        await act()

            await client.login("ada", "quick-start-1")
            await in_all_tasks(work)
            check_all_by(fake.journal, "ada", 3 * THREADS * TURNS)

    with two_users(fake), fake.serve() as url:
        anyio.run(test, backend=backend)
