"""Fixtures: a fake, the three ways to reach it (doors), and a session that sends its CSRF token."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from keystone_client_testing import FakeKeystone


class Session:
    """An httpx client that logs in and sends its CSRF token, as the server demands."""

    def __init__(self, client: httpx.Client) -> None:
        self.http = client

    def login(self, username: str = "admin", password: str = "quickstart") -> httpx.Response:
        self.http.cookies.clear()
        return self.http.post("authentication/login/", json={"username": username, "password": password})

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"X-CSRFToken": self.http.cookies.get("csrftoken") or "", **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)


@pytest.fixture
def database() -> str:
    """The database of ``fake``; tests that need the other one parametrize this name."""
    return "postgresql"


@pytest.fixture
def fake(database: str) -> FakeKeystone:
    return FakeKeystone(database=database)


@pytest.fixture
def anonymous(fake: FakeKeystone) -> Iterator[Session]:
    with httpx.Client(base_url=fake.url, transport=fake.transport) as client:
        yield Session(client)


@pytest.fixture
def admin(anonymous: Session) -> Session:
    anonymous.login()
    return anonymous


@pytest.fixture
def as_user(fake: FakeKeystone) -> Iterator[Callable[[str], Session]]:
    """Log in as a user, who is created on first use and is not staff."""
    opened = []

    def log_in(username: str) -> Session:
        if not any(row["username"] == username for row in fake.world.store.tables["user"].values()):
            fake.add.user(username=username)
        session = Session(httpx.Client(base_url=fake.url, transport=fake.transport))
        opened.append(session.http)
        assert session.login(username).status_code == 200
        return session

    yield log_in
    for client in opened:
        client.close()


@pytest.fixture(params=["transport", "respx", "server"])
def door(request: pytest.FixtureRequest, fake: FakeKeystone) -> Iterator[Session]:
    """A session through each door."""
    if request.param == "transport":
        with httpx.Client(base_url=fake.url, transport=fake.transport) as client:
            yield Session(client)
    elif request.param == "respx":
        with fake.mock(), httpx.Client(base_url=fake.url) as client:
            yield Session(client)
    else:
        with fake.serve() as url, httpx.Client(base_url=url, trust_env=False) as client:
            yield Session(client)
