"""Apply a plan: whatever breaks, each change is in one of four lists, and planning again leads to what is wanted."""

import itertools
from collections import Counter
from typing import Any

import pytest
from keystone_client import FieldError, PlanError, Wanted
from keystone_client_testing import FakeKeystone

from .plan_world import (
    FAULTS,
    NEVER,
    Colour,
    centre,
    directory,
    is_as_wanted,
    jobs,
    lines,
    names,
    roles,
    steps,
    stored,
    writes,
)


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


def test_a_plan_is_applied_once(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(*directory())
    client.apply(plan)
    before = writes(fake)
    with pytest.raises(FieldError, match="this plan was applied already"):
        client.apply(plan)
    assert writes(fake) == before


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


@pytest.mark.parametrize("wrong", [{"chunk_size": 0}, {"on_progress": 3}])
def test_a_refused_argument_does_not_use_up_the_plan(wrong: Any) -> None:
    plan = centre().client().plan(Wanted("team", [{"name": "New"}]))
    with pytest.raises(FieldError):
        plan.apply(**wrong)
    assert len(plan.apply().done) == 1


def test_a_new_team_and_its_members_are_in_one_job(colour: str) -> None:
    """A job that breaks then leaves no team without an owner."""
    fake = centre()
    client = Colour(fake, colour)
    members = [{"team": team, "user": user, "role": "OW"} for team in ("A", "B") for user in ("ada", "bob")]
    plan = client.plan(Wanted("team", [{"name": "A"}, {"name": "B"}]), Wanted("membership", members))
    client.apply(plan, chunk_size=4)
    made = [[action["payload"].get("name", action["payload"].get("team")) for action in job] for job in jobs(fake)]
    assert [len(job) for job in jobs(fake)] == [3, 3]
    assert [job[0] for job in made] == ["A", "B"]
