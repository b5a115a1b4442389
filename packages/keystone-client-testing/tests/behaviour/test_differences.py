"""Every known difference from a live server still exists and is listed on the page of differences."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

PAGE = Path(__file__).parents[4] / "docs" / "fake-differences.md"
Check = Callable[[FakeKeystone, Session], bool]


def _permission_order(fake: FakeKeystone, admin: Session) -> bool:
    """The server sorts permissions by their names, and has others at these places."""
    for name, permissions in (("a", [5]), ("b", [1])):
        fake.add.user(username=name, user_permissions=permissions)
    rows = admin("GET", "users/users/?_order=user_permissions&id__in=2,3").json()["results"]
    return [row["id"] for row in rows] == [3, 2]


def _hash_in_history(fake: FakeKeystone, admin: Session) -> bool:
    entry = admin("GET", "users/users/1/").json()["_history"][0]
    return set(entry["changes"]["password"][1]) == {"*"}


def _no_room(fake: FakeKeystone, admin: Session) -> bool:
    headers = ({"X-Forwarded-For": "junk"}, {"X-Forwarded-Port": "-1"})
    statuses = [admin("POST", "users/teams/", json={"name": "A"}, headers=each).status_code for each in headers]
    return (statuses, len(fake.world.store.tables["team"])) == ([500, 500], 0)


def _text_order(fake: FakeKeystone, admin: Session) -> bool:
    """On the server ``1é`` comes before ``1.é``, though ``a.é`` comes before ``aé``."""
    for name in ("1é", "1.é", "я", "ё"):
        fake.add.cluster(name=name)
    rows = admin("GET", "allocations/clusters/?_order=name").json()["results"]
    return [row["name"] for row in rows][:2] == ["1.é", "1é"]


def _unordered(fake: FakeKeystone, admin: Session) -> bool:
    team = fake.add.team()["id"]
    users = [fake.add.membership(team=team, user=fake.add.user())["user"] for _ in range(3)]
    shown = admin("GET", f"users/teams/{team}/").json()["users"]
    return shown != users and sorted(shown) == users


def _changed_stay_in_place(fake: FakeKeystone, admin: Session) -> bool:
    for name in "AB":
        fake.add.team(name=name)
    admin("PATCH", "users/teams/1/", json={"is_active": False})
    return [row["id"] for row in admin("GET", "users/teams/").json()["results"]] == [1, 2]


def _no_wait(fake: FakeKeystone, admin: Session) -> bool:
    with fake.hold() as held:
        fake.add.team(name="A")
    answer = admin("POST", "users/teams/", json={"name": "A"})
    return (answer.status_code, held.state) == (500, "committed")


def _jobs_beside_others(fake: FakeKeystone, admin: Session) -> bool:
    """The server would answer some of these jobs with a 500."""
    del fake, admin
    busy = FakeKeystone(database="sqlite")
    with busy.client() as writer, busy.client() as reader, ThreadPoolExecutor(1) as beside:
        reads = beside.submit(lambda: [reader.count_team() for _ in range(100)])
        for number in range(50):
            with writer.batch() as job:
                job.create_team(name=f"team {number}")
        reads.result()
    return len(busy.world.store.tables["team"]) == 50


CHECKS: Mapping[str, Check] = {
    "the OpenAPI document": lambda fake, admin: (
        admin("GET", "openapi/json/").json()["info"]["description"] == "A fake Keystone for tests."
    ),
    "the form of `/openapi/yaml/` and of its errors": lambda fake, admin: all(
        isinstance(admin(method, "openapi/yaml/").json(), dict) for method in ("GET", "POST")
    ),
    "`description` in the answer to `OPTIONS`": (
        lambda fake, admin: admin("OPTIONS", "users/users/").json()["description"] == ""
    ),
    "a user's password as a filter": lambda fake, admin: admin("GET", "users/users/?password=x").json()["count"] == 1,
    "a user's password in a history": _hash_in_history,
    "too common passwords": lambda fake, admin: (
        admin("POST", "users/users/", json={"username": "a", "password": "mitchell1"}).status_code == 201
    ),
    "`_order=user_permissions`": _permission_order,
    "health checks": lambda fake, admin: all(row["healthy"] for row in admin("GET", "health/json/").json()["data"]),
    "a write that comes with an `X-Forwarded-For` or `X-Forwarded-Port` the audit log has no room for": _no_room,
    "the order of texts on PostgreSQL": _text_order,
    "nested lists no order is asked for on PostgreSQL": _unordered,
    "lists without `_order` on PostgreSQL": _changed_stay_in_place,
    "a write that meets another transaction": _no_wait,
    "a batch job beside other requests on SQLite": _jobs_beside_others,
    "a `Host` header that is not allowed": lambda fake, admin: (
        admin("GET", "version/", headers={"Host": "evil.example"}).status_code == 200
    ),
}


@pytest.mark.parametrize("name", list(CHECKS))
def test_the_difference_is_still_there(name: str, fake: FakeKeystone, admin: Session) -> None:
    assert CHECKS[name](fake, admin)


def test_the_page_names_exactly_these() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Known differences")[2].partition("## ")[0]
    rows = re.findall(r"^\| (.+?) \| .+ \| .+ \|$", table, re.MULTILINE)
    assert set(rows) - {"what"} == set(CHECKS)
