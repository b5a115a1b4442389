"""Apply a plan: whatever breaks, each change is in one of four lists, and planning again leads to what is wanted."""

import itertools
import re
import traceback
from collections import Counter
from typing import Any, cast

import pytest
from keystone_client import ChangedError, FieldError, PlanError, RetryPolicy, ServerError, Wanted
from keystone_client.records import UserRow
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone

from .plan_world import Colour, centre, lines, names, roles, stored, writes

FAULTS: dict[str, dict[str, Any]] = {
    "lost before": {"error": "reset", "when": "before"},
    "lost after": {"error": "reset", "when": "after"},
    "500 before": {"status": 500, "when": "before"},
    "500 after": {"status": 500, "when": "after"},
    "page after": {"error": "html", "status": 502, "when": "after"},
    "cut after": {"error": "cut", "when": "after"},
}
NEVER = RetryPolicy(attempts=1)


def directory() -> list[Wanted]:
    """Return a source in which eve has left, bob owns Physics, and a team with two new people begins."""
    people: list[Any] = [
        {"username": "ada", "email": "ada@y.org"},
        {"username": "bob"},
        *({"username": f"new{n}"} for n in (1, 2)),
    ]
    members = [
        ("Physics", "bob", "OW"),
        ("Chemistry", "new1", "OW"),
        ("Chemistry", "new2", "MB"),
        ("Physics", "new1", "MB"),
    ]
    grants = [{"grant_number": f"G-{n}", "title": "t", "team": "Chemistry", "agency": "NSF"} for n in (1, 2)]
    money = {"amount": "1.00", "start_date": "2026-01-01"}
    return [
        Wanted(
            "user",
            [cast("UserRow", {**person, "is_ldap_user": True}) for person in people],
            scope={"is_ldap_user": True},
            gone={"is_active": False},
            most_gone=0.5,
            new=lambda row: {"password": f"first of {row['username']}"},
        ),
        Wanted("team", [{"name": "Chemistry"}, {"name": "Physics"}]),
        Wanted(
            "membership",
            [{"team": team, "user": user, "role": role} for team, user, role in members],
            scope={},
            gone="delete",
            most_gone=0.5,
        ),
        Wanted("grant", [{**grant, **money} for grant in grants], key="grant_number"),
    ]


WANTED_ROLES = {
    ("Physics", "bob"): "OW",
    ("Chemistry", "new1"): "OW",
    ("Chemistry", "new2"): "MB",
    ("Physics", "new1"): "MB",
}


def is_as_wanted(fake: FakeKeystone) -> bool:
    people = Counter((each["username"], each["is_active"]) for each in stored(fake, "user"))
    everyone = [("admin", True), ("ada", True), ("bob", True), ("eve", False), ("new1", True), ("new2", True)]
    return (
        people == Counter(everyone)
        and roles(fake) == WANTED_ROLES
        and len(stored(fake, "membership")) == len(WANTED_ROLES)
        and names(fake, "team", "name") == ["Chemistry", "Physics"]
        and names(fake, "grant", "grant_number") == ["G-1", "G-2"]
    )


def jobs(fake: FakeKeystone) -> list[list[dict[str, Any]]]:
    return [entry.json["job"]["actions"] for entry in fake.journal if entry.path == "/batch/"]


def steps(fake: FakeKeystone) -> list[list[tuple[str, str]]]:
    return [[(action["method"], action["path"]) for action in job] for job in jobs(fake)]


def test_a_plan_that_is_applied_leaves_nothing_to_do(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(*directory())
    seen: list[tuple[int, int]] = []

    result = client.apply(plan, on_progress=lambda done, total: seen.append((done, total)))

    assert is_as_wanted(fake)
    assert (result.done, result.failed, result.unknown, result.pending) == (list(plan.changes), [], [], [])
    assert seen[-1] == (len(plan.changes), len(plan.changes))
    assert not client.plan(*directory())


def test_users_come_first_then_each_team_with_its_members_then_changes_then_what_goes(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    client.apply(client.plan(*directory()))

    assert steps(fake) == [
        [("POST", "/users/users/")] * 2,
        [("POST", "/users/teams/"), ("POST", "/users/memberships/"), ("POST", "/users/memberships/")],
        [("POST", "/users/memberships/")],
        [("POST", "/research/grants/")] * 2,
        [("PATCH", "/users/users/2/")],
        [("PATCH", "/users/memberships/2/")],
        [("DELETE", "/users/memberships/1/")],
        [("PATCH", "/users/users/4/")],
    ]
    team, owner, _ = jobs(fake)[1]
    assert owner["payload"]["team"] == f"@ref{{{team['ref']}.id}}"
    assert owner["payload"]["role"] == "OW"
    assert jobs(fake)[3][0]["payload"]["team"] == 2


def test_a_team_with_more_members_than_a_job_may_have_is_written_in_several(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    for number in range(9):
        fake.add.user(username=f"user{number}")
    members = [{"team": "Large", "user": f"user{number}", "role": "OW" if number == 8 else "MB"} for number in range(9)]
    plan = client.plan(Wanted("team", [{"name": "Large"}, {"name": "Small"}]), Wanted("membership", members))

    client.apply(plan, chunk_size=4)

    assert [len(job) for job in jobs(fake)] == [4, 4, 3]
    assert jobs(fake)[0][1]["payload"]["role"] == "OW"
    assert sum(team == "Large" for team, _ in roles(fake)) == 9


def test_a_dry_run_tries_all_of_it_and_writes_nothing(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(*directory())
    before = fake.snapshot()

    result = client.apply(plan, dry_run=True, chunk_size=2)

    assert result.done == list(plan.changes)
    assert (names(fake, "user", "username"), roles(fake)) == (
        ["ada", "admin", "bob", "eve"],
        {
            ("Physics", "ada"): "OW",
            ("Physics", "bob"): "MB",
        },
    )
    fake.restore(before)
    client.apply(plan)
    assert is_as_wanted(fake)


def test_a_dry_run_repeats_deletes_that_must_come_first(colour: str) -> None:
    fake = centre()
    cluster = fake.add.cluster(name="old")["id"]
    request = fake.add.request(team=1, submitter=1)["id"]
    fake.add.allocation(cluster=cluster, request=request, requested=1)
    fake.add.cluster(name="kept")
    client = Colour(fake, colour)
    everything: dict[str, Any] = {"scope": {}, "gone": "delete", "most_gone": 1.0}
    plan = client.plan(
        Wanted("cluster", [{"name": "kept"}], **everything),
        Wanted(
            "allocation",
            [{"cluster": "kept", "request": request, "requested": 1}],
            key=("cluster", "request"),
            **everything,
        ),
    )

    assert lines(plan.gone) == ["- allocation old, 1", "- cluster old"]
    client.apply(plan, dry_run=True)
    client.apply(plan)
    assert names(fake, "cluster", "name") == ["kept"]


def test_what_the_server_refuses_in_a_dry_run_is_told_by_change(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(
        Wanted(
            "user", [{"username": f"new{n}", "password": "123456789" if n == 2 else "long enough"} for n in range(4)]
        )
    )

    with pytest.raises(PlanError) as caught:
        client.apply(plan, dry_run=True)
    assert str(caught.value.change) == "+ user new2 password"
    assert "record 'user new2' is to blame" in str(caught.value)
    assert caught.value.pending == list(plan.changes[:0])
    assert not caught.value.done


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_at_every_job_each_change_is_in_one_list_and_the_next_plan_ends_it(colour: str, fault: str) -> None:
    total = len(plan_and_break(colour, None, {}))
    for number in range(total):
        plan_and_break(colour, number, FAULTS[fault])


def plan_and_break(colour: str, broken: int | None, fault: dict[str, Any]) -> list[Any]:
    """Apply a plan whose job with that number breaks; check the account, and plan and apply what is left."""
    fake = centre()
    client = Colour(fake, colour, retry=NEVER)
    plan = client.plan(*directory())
    if broken is None:
        client.apply(plan)
        return jobs(fake)
    fake.fail("POST", "/batch/", skip=broken, **fault)
    error = None
    try:
        client.apply(plan)
    except PlanError as caught:
        error = caught
    assert error is not None
    groups = [error.done, error.failed, error.unknown, error.pending]
    assert Counter(itertools.chain(*groups)) == Counter(plan.changes)
    fake.clock.advance(60)
    again = client.plan(*directory())
    assert not again.faults
    client.apply(again)
    assert is_as_wanted(fake)
    assert not client.plan(*directory())
    return []


@pytest.mark.parametrize("stage", ["plan", "apply"])
def test_no_traceback_of_a_plan_shows_a_password(colour: str, stage: str, caplog: pytest.LogCaptureFixture) -> None:
    fake = centre()
    client = Colour(fake, colour, retry=NEVER)
    words = ["pa55-", "w0rd"]  # in parts, because a traceback quotes lines of this file

    def source() -> list[Any]:
        return [Wanted("user", [{"username": "new"}], new=lambda row: {"password": "".join(words)})]

    plan = client.plan(*source())
    fake.fail(status=500, times=None)
    try:
        client.apply(plan) if stage == "apply" else client.plan(*source())
    except (PlanError, ServerError) as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "500" in text
    assert "".join(words) not in text + caplog.text


def test_a_plan_is_applied_once(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(*directory())
    client.apply(plan)
    before = writes(fake)
    with pytest.raises(FieldError, match="this plan was applied already"):
        client.apply(plan)
    assert writes(fake) == before


HELD = re.compile(r"an earlier apply may still be writing it: plan again in \d\d s")


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
def test_a_create_that_could_be_there_twice_is_held_until_the_server_cannot_be_at_work(colour: str, fault: str) -> None:
    fake = centre()
    client = Colour(fake, colour, retry=NEVER)
    fake.fail("POST", "/batch/", **FAULTS[fault])
    grants = directory()[3]
    team = Wanted("team", [{"name": "Chemistry"}])
    fake.add.team(name="Chemistry")
    with pytest.raises(PlanError):
        client.apply(client.plan(team, grants))

    soon = client.plan(team, grants)
    fake.clock.advance(60)
    later = client.plan(team, grants)

    held = 2 if fault == "lost before" else 0
    assert len(soon.faults) == held
    assert all(HELD.fullmatch(fault.reason) for fault in soon.faults)
    assert not soon.changes
    assert len(later.changes) == held
    client.apply(later)
    assert names(fake, "grant", "grant_number") == ["G-1", "G-2"]


def test_a_500_to_a_change_is_retried_as_in_bulk(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    fake.fail("POST", "/batch/", status=500, when="before", times=2)
    client.apply(client.plan(*directory()))
    assert is_as_wanted(fake)


def test_a_throttled_plan_waits_and_finishes(colour: str) -> None:
    fake = FakeKeystone()
    client = Colour(fake, colour)
    plan = client.plan(Wanted("team", [{"name": f"team {number}"} for number in range(84)]))
    fake.throttle(user="60/min")
    assert len(client.apply(plan).done) == 84
    assert len(stored(fake, "team")) == 84


def test_a_change_by_another_between_plan_and_apply_is_refused(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(*directory())
    fake.client().update_membership(1, {"role": "AD"})
    before = roles(fake)[("Physics", "ada")]

    with pytest.raises(PlanError) as caught:
        client.apply(plan)

    cause = caught.value.__cause__
    assert isinstance(cause, ChangedError)
    assert "users/memberships/1/: the record has changed: role='AD', not 'OW'; nothing was written" in str(cause)
    assert cause.record is not None
    assert cause.record["role"] == "AD"
    assert lines(caught.value.failed) == ["- membership Physics, ada"]
    assert str(caught.value.change) == "- membership Physics, ada"
    assert roles(fake)[("Physics", "ada")] == before


def test_a_record_that_is_gone_between_plan_and_apply_is_told(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(Wanted("user", [{"username": "bob", "email": "bob@y.org"}]))
    fake.client().delete_user(3)
    with pytest.raises(PlanError) as caught:
        client.apply(plan)
    assert isinstance(caught.value.__cause__, ChangedError)
    assert caught.value.__cause__.record is None
    assert "the record is gone" in str(caught.value)


LINKS: dict[str, dict[str, Any]] = {
    "user": {"username": "x"},
    "team": {"name": "Chemistry"},
    "membership": {"team": 1, "user": 4},
    "cluster": {"name": "x"},
    "request": {"title": "x"},
    "allocation": {"request": 1, "cluster": 1},
    "comment": {"request": 1, "user": 2},
    "grant": {"team": 1},
    "publication": {"doi": "10/x"},
}
"""What tells the record of each kind apart, in a centre with one request and one cluster."""
GUARDED: list[tuple[str, str, Any, Any, Any]] = [
    ("user", "first_name", "a", "b", "c"),
    ("user", "email", "a@x.org", "b@x.org", "c@x.org"),
    ("user", "is_staff", False, True, True),
    ("user", "role", None, "x, y", "z"),
    ("team", "is_active", True, False, False),
    ("membership", "role", "MB", "AD", "OW"),
    ("cluster", "description", "", "b", "c"),
    ("cluster", "enabled", True, False, False),
    ("cluster", "access_mode", "OP", "WL", "BL"),
    ("request", "active", "2026-01-01", None, "2026-01-02"),
    ("request", "status", "PD", "AP", "DC"),
    ("request", "description", "a,b", "c", "d"),
    ("allocation", "requested", 1, 2, 3),
    ("allocation", "awarded", None, 0, 1),
    ("comment", "content", "a", "A", "c"),
    ("comment", "private", False, True, True),
    ("grant", "amount", "1.00", "2.00", "3.00"),
    ("grant", "start_date", "2026-01-01", "2026-01-02", "2026-01-03"),
    ("grant", "pi", "é", "e", "É"),
    ("publication", "published", None, "2026-01-01", "2026-01-02"),
]
"""For each kind of field: what the plan has seen, what another has made of it since, and what the plan wants."""


@pytest.mark.parametrize(("resource", "field", "seen", "since", "wanted"), GUARDED)
def test_each_kind_of_field_is_guarded(
    colour: str, resource: str, field: str, seen: Any, since: Any, wanted: Any
) -> None:
    fake = centre()
    fake.add.request(team=1, submitter=2)
    fake.add.cluster(name="hpc")
    record = getattr(fake.add, resource)(**LINKS[resource], **{field: seen})
    other: Any = fake.client()
    client = Colour(fake, colour)
    key = None if RESOURCES[resource].natural_key else list(LINKS[resource])
    plan = client.plan(Wanted(resource, [{**LINKS[resource], field: wanted}], key=key))
    getattr(other, f"update_{resource}")(record["id"], {field: since})

    with pytest.raises(PlanError) as caught:
        client.apply(plan)

    assert isinstance(caught.value.__cause__, ChangedError)
    assert caught.value.failed == list(plan.update)
    assert getattr(other, f"retrieve_{resource}")(record["id"])[field] == since
