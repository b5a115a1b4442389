"""Primary keys in the rows of a plan are looked up before anything is sent."""

from typing import Any
from urllib.parse import parse_qsl

from keystone_client import Wanted

from .plan_world import GRANT, LAST, MEMBERS, centre, lines, reasons


def unseen(resource: str) -> str:
    return f"there is no {resource} with this key that this account can see; give another key, or a name"


def test_a_key_without_a_record_is_refused_before_anything_is_sent(planned: Any) -> None:
    rows: Any = {
        7: {"team": 99, "user": "eve", "role": "MB"},
        8: {"team": 1, "user": 98, "role": "MB"},
        9: {"team": 1, "user": 4, "role": "MB"},
        10: {"team": 97, "user": 96, "role": "MB"},
    }
    plan = planned(Wanted("membership", rows))
    assert [tuple(fault) for fault in plan.faults] == [
        (7, "team", 99, unseen("team"), "membership"),
        (8, "user", 98, unseen("user"), "membership"),
        (10, "team", 97, unseen("team"), "membership"),
        (10, "user", 96, unseen("user"), "membership"),
    ]
    assert lines(plan.changes) == ["+ membership 1, 4 role='MB'"]


def test_keys_that_are_not_known_cost_one_request_for_each_kind_of_record(planned: Any) -> None:
    fake = centre()
    fake.add.team(name="Other")
    fake.add.cluster(name="hpc", access_teams=[1])
    plan = planned(
        Wanted("membership", [{"team": team, "user": 4, "role": "MB"} for team in (2, 99)]),
        Wanted("cluster", [{"name": "hpc", "access_teams": [1, 97]}]),
        Wanted("grant", [GRANT | {"team": 98, "grant_number": "G"}], key="grant_number"),
        fake=fake,
    )
    assert [(fault.resource, fault.field, fault.value) for fault in plan.faults] == [
        ("membership", "team", 99),
        ("cluster", "access_teams", 97),
        ("grant", "team", 98),
    ]
    asked = [
        (entry.path, dict(parse_qsl(entry.query)).get("id__in")) for entry in fake.journal if "/users/" in entry.path
    ]
    assert asked == [
        ("/users/memberships/", None),
        ("/users/teams/", "2,97,98,99"),
        ("/users/users/", "4"),
    ]


def test_keys_that_are_known_cost_nothing(planned: Any) -> None:
    fake = centre()
    fake.add.cluster(name="hpc", access_teams=[1])
    planned(
        Wanted("membership", [{"team": 1, "user": 2, "role": "OW"}, {"team": 1, "user": 3, "role": "AD"}]),
        Wanted("cluster", [{"name": "hpc", "access_teams": [1], "description": "new"}]),
        fake=fake,
    )
    assert [entry.path for entry in fake.journal if entry.method == "GET"] == [
        "/users/memberships/",
        "/allocations/clusters/",
    ]
    plan = planned(Wanted("team", []), Wanted("membership", [{"team": 99, "user": "eve", "role": "MB"}]))
    assert [fault.value for fault in plan.faults] == [99]
    assert sum(entry.path == "/users/teams/" for entry in planned.fake.journal) == 1


def test_what_needs_a_record_with_such_a_key_is_refused_too(planned: Any) -> None:
    request: dict[str, Any] = {"title": "R", "description": "d", "team": 1, "submitter": "ada", "grants": ["G"]}
    rows = [{"request": "R", "content": "fine"}, {"request": "S", "content": "good"}]
    plan = planned(
        Wanted("grant", {3: GRANT | {"team": 99, "grant_number": "G"}}, key="grant_number"),
        Wanted("request", {4: request, 5: request | {"title": "S", "grants": []}}, key="title"),
        Wanted("comment", dict(enumerate(rows, 6)), key="content"),
    )
    assert [tuple(fault) for fault in plan.faults] == [
        (3, "team", 99, unseen("team"), "grant"),
        (4, "grants", ["G"], "the row of this grant is refused", "request"),
        (6, "request", "R", "the row of this request is refused", "comment"),
    ]
    assert [change.name for change in plan.changes] == ["S", "good"]


def test_keys_that_new_returns_are_checked(planned: Any) -> None:
    row = {"grant_number": "9", **{name: value for name, value in GRANT.items() if name != "team"}}
    plan = planned(Wanted("grant", [row], key="grant_number", new=lambda row: {"team": 99}))
    assert [(fault.value, fault.reason) for fault in plan.faults] == [(99, unseen("team"))]


def test_an_owner_who_would_be_made_with_such_a_key_is_none(planned: Any) -> None:
    plan = planned(Wanted("membership", [MEMBERS, MEMBERS | {"team": 1, "user": 99, "role": "OW"}]))
    assert reasons(plan) == {0: LAST, 1: unseen("user")}
