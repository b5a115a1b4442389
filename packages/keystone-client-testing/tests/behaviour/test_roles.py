"""What each kind of user can see and change."""

from collections.abc import Callable
from typing import Any

import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

LogIn = Callable[[str], Session]
ROLES = ("outsider", "member", "owner")
DENIED = {"detail": "You do not have permission to perform this action."}


@pytest.fixture
def centre(fake: FakeKeystone) -> FakeKeystone:
    """Team 1 with an owner and a member, a team that neither belongs to, and records of both."""
    for name in ROLES:
        fake.add.user(username=name)
    for number in (1, 2):
        fake.add.team(name=f"Team {number}")
        fake.add.request(team=number)
        fake.add.grant(team=number)
        fake.add.comment(request=number)
        fake.add.cluster(name=f"c{number}")
        fake.add.allocation(request=number, cluster=1)
    fake.add.membership(user="owner", team=1, role="OW")
    fake.add.membership(user="member", team=1, role="MB")
    return fake


def count(session: Session, path: str) -> int:
    return int(session("GET", path + "/").json()["count"])


def test_lists_show_the_records_of_ones_own_teams(centre: FakeKeystone, as_user: LogIn) -> None:
    member, outsider = as_user("member"), as_user("outsider")
    for path in ("allocations/requests", "allocations/allocations", "allocations/comments", "research/grants",
                 "users/teams"):  # fmt: skip
        assert (count(member, path), count(outsider, path)) == (1, 0)
    assert count(outsider, "users/memberships") == 2
    assert count(outsider, "users/users") == 4


@pytest.mark.parametrize(
    "path", ["allocations/requests", "allocations/allocations", "research/grants", "allocations/comments"]
)
def test_a_record_of_another_team_is_forbidden(centre: FakeKeystone, as_user: LogIn, path: str) -> None:
    response = as_user("outsider")("GET", f"{path}/1/")
    assert (response.status_code, response.json()) == (403, DENIED)
    assert as_user("member")("GET", f"{path}/1/").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "statuses"),
    [
        ("allocations/requests", {"title": "T", "description": "D", "submitter": 1, "team": 1}, (403, 403, 201)),
        ("allocations/allocations", {"request": 1, "cluster": 1, "requested": 1}, (403, 403, 201)),
        ("allocations/reviews", {"request": 1, "status": "AP"}, (403, 403, 403)),
        ("allocations/comments", {"request": 1, "content": "C"}, (403, 201, 201)),
        ("allocations/clusters", {"name": "x"}, (403, 403, 403)),
        ("users/users", {"username": "x", "password": "long-enough"}, (403, 403, 403)),
        ("users/memberships", {"user": 1, "team": 1, "role": "MB"}, (403, 403, 201)),
        ("research/grants", {"title": "T", "agency": "A", "amount": 1, "start_date": "2024-01-01", "team": 1},
         (403, 201, 201)),
        ("allocations/requests", {}, (403, 403, 403)),
        ("research/grants", {"title": "T"}, (400, 400, 400)),
    ],
)  # fmt: skip
def test_who_may_create(centre: FakeKeystone, as_user: LogIn, path: str, body: Any, statuses: tuple[int, ...]) -> None:
    assert tuple(as_user(role)("POST", f"{path}/", json=body).status_code for role in ROLES) == statuses


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("allocations/requests/1/", (403, 403, 403)),
        ("allocations/clusters/1/", (403, 403, 403)),
        ("allocations/comments/1/", (403, 200, 200)),
        ("research/grants/1/", (403, 200, 200)),
        ("users/teams/1/", (403, 403, 200)),
        ("users/memberships/1/", (403, 403, 200)),
        ("users/users/1/", (403, 403, 403)),
    ],
)
def test_who_may_change(centre: FakeKeystone, as_user: LogIn, path: str, statuses: tuple[int, ...]) -> None:
    assert tuple(as_user(role)("PATCH", path, json={}).status_code for role in ROLES) == statuses


def test_anyone_may_create_a_team_and_is_no_member_of_it(centre: FakeKeystone, as_user: LogIn) -> None:
    outsider = as_user("outsider")
    assert outsider("POST", "users/teams/", json={"name": "Mine"}).status_code == 201
    assert count(outsider, "users/teams") == 0
    refused = outsider("POST", "users/teams/", json={"name": "Theirs", "is_active": False}).json()
    text = "This field cannot be set to False on new records by non-staff users."
    assert refused == {"is_active": [text]}


def test_members_may_leave_but_not_remove_others(centre: FakeKeystone, as_user: LogIn) -> None:
    member = as_user("member")
    assert member("DELETE", "users/memberships/1/").status_code == 403
    assert member("DELETE", "users/memberships/2/").status_code == 204


def test_an_inactive_team_is_hidden_but_its_records_are_not(centre: FakeKeystone, as_user: LogIn) -> None:
    owner = as_user("owner")
    assert owner("PATCH", "users/teams/1/", json={"is_active": False}).status_code == 200
    assert owner("GET", "users/teams/1/").status_code == 404
    assert owner("GET", "users/memberships/1/").status_code == 404
    assert owner("GET", "allocations/requests/1/").status_code == 200


def test_private_comments_are_for_staff(centre: FakeKeystone, as_user: LogIn) -> None:
    centre.add.comment(request=1, private=True)
    member = as_user("member")
    assert count(member, "allocations/comments") == 1
    assert member("GET", "allocations/comments/3/").status_code == 403
    assert len(member("GET", "allocations/requests/1/").json()["_comments"]) == 1
    refused = member("POST", "allocations/comments/", json={"request": 1, "content": "C", "private": True})
    assert refused.json() == {"private": ["Only staff users can write comments marked as private."]}


def test_clusters_are_listed_by_access_and_read_by_all(centre: FakeKeystone, as_user: LogIn) -> None:
    centre.add.cluster(name="white", access_mode="WL", access_teams=[1])
    centre.add.cluster(name="black", access_mode="BL", access_teams=[1])
    member, outsider = as_user("member"), as_user("outsider")
    names = [
        [row["name"] for row in who("GET", "allocations/clusters/").json()["results"]] for who in (member, outsider)
    ]
    assert names == [["c1", "c2", "white"], ["c1", "c2", "black"]]
    assert outsider("GET", "allocations/clusters/3/").status_code == 200
    body = {"request": 1, "requested": 1}
    owner = as_user("owner")
    assert owner("POST", "allocations/allocations/", json={**body, "cluster": 3}).status_code == 201
    assert owner("POST", "allocations/allocations/", json={**body, "cluster": 4}).status_code == 403


def test_users_may_change_their_own_record_but_not_make_themselves_staff(centre: FakeKeystone, as_user: LogIn) -> None:
    record = as_user("member")("PATCH", "users/users/3/", json={"role": "Boss", "is_staff": True}).json()
    assert (record["role"], record["is_staff"]) == ("Boss", False)


def test_logs_are_for_staff(centre: FakeKeystone, as_user: LogIn) -> None:
    member = as_user("member")
    for path in ("logs/audit/", "logs/requests/", "logs/tasks/", "logs/feed/"):
        assert member("GET", path).json() == DENIED


def test_users_see_only_their_own_preferences(centre: FakeKeystone, as_user: LogIn) -> None:
    centre.add.preference(user="owner")
    member = as_user("member")
    assert count(member, "notifications/preferences") == 0
    assert member("GET", "notifications/preferences/1/").status_code == 403
    refused = member("POST", "notifications/preferences/", json={"user": 1})
    text = "User field cannot be set to a different user than the request submitter."
    assert refused.json() == {"user": [text]}
