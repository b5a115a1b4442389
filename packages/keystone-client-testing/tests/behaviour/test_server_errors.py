"""A server that fails: Django's page 500, pages of a front end, and a database that is down."""

from typing import Any

import httpx
import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

TEAMS = "users/teams/"
WRITES: dict[str, Any] = {
    TEAMS: {"name": "A"},
    "batch/": {"job": {"actions": [{"method": "POST", "path": "/users/teams/", "payload": {"name": "A"}}]}},
}
DJANGO = ("text/html; charset=utf-8", "<h1>Server Error (500)</h1>")
FRONT_END = ("text/html", "<h1>This is not the page you asked for</h1>")


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("error", "page"), [(None, DJANGO), ("html", FRONT_END)], ids=["server", "front end"])
def test_a_write_answered_500_has_happened_or_not(
    fake: FakeKeystone, door: Session, path: str, when: str, error: str | None, page: tuple[str, str]
) -> None:
    door.login()
    fake.fail("POST", path, status=500, error=error, when=when)
    answer = door("POST", path, json=WRITES[path])
    assert (answer.status_code, answer.headers["content-type"]) == (500, page[0])
    assert page[1] in answer.text
    assert fake.world.store.has("team", "name", "A") is (when == "after")
    assert bool(fake.journal[-1].changes) is (when == "after")


@pytest.fixture
def outage(fake: FakeKeystone) -> FakeKeystone:
    fake.fail(error="database", times=None)
    return fake


@pytest.mark.parametrize("path", ["version/", "health/json/", "users/users/", "nope/", "", "config/"])
def test_without_its_database_the_server_fails_for_callers_with_credentials(
    outage: FakeKeystone, door: Session, path: str
) -> None:
    outage.heal()
    door.login()
    outage.fail(error="database", times=None)
    token = {"Authorization": f"Token {outage.add.token()}"}
    logged = len(outage.world.store.tables["request_log"])
    for answer in (door("GET", path), httpx_get(door, path, token)):
        assert (answer.status_code, answer.headers["content-type"]) == (500, DJANGO[0])
    assert len(outage.world.store.tables["request_log"]) == logged
    assert [entry.fault for entry in outage.journal[-2:]] == ["database", "database"]
    outage.heal()
    assert door("GET", "users/users/").status_code == 200


def httpx_get(door: Session, path: str, headers: dict[str, str]) -> httpx.Response:
    door.http.cookies, kept = httpx.Cookies(), door.http.cookies
    try:
        return door.http.get(path, headers=headers)
    finally:
        door.http.cookies = kept


@pytest.mark.parametrize(
    ("path", "status"),
    [("version/", 200), ("health/json/", 200), ("health/prom/", 200), ("health/", 500), ("users/users/", 401),
     ("nope/", 404), ("", 200), ("openapi/json/", 200)],
)  # fmt: skip
def test_without_its_database_the_server_answers_anonymous_callers_as_usual(
    outage: FakeKeystone, anonymous: Session, path: str, status: int
) -> None:
    assert anonymous("GET", path).status_code == status
    assert anonymous("POST", "authentication/login/", json={"username": "a", "password": "b"}).status_code == 500


def test_the_health_check_names_the_database(outage: FakeKeystone, anonymous: Session) -> None:
    checks = {row["check"]: row for row in anonymous("GET", "health/json/").json()["data"]}
    assert [name for name, row in checks.items() if not row["healthy"]] == ["Database"]
    assert checks["Database"]["error"].startswith("Unavailable")
    assert 'check="Database"} 500.0' in anonymous("GET", "health/prom/").text
    outage.heal()
    assert all(row["healthy"] for row in anonymous("GET", "health/json/").json()["data"])


def test_nothing_can_have_been_written_without_a_database(fake: FakeKeystone) -> None:
    with pytest.raises(ValueError, match='error="database" has no when="after"'):
        fake.fail(error="database", when="after")
    with pytest.raises(ValueError, match="give status or error, not both"):
        fake.fail(error="database", status=503)
