"""No plan takes the last active owner from a team."""

from typing import Any

import pytest
from keystone_client import Wanted
from keystone_client.records import UserRow

from .plan_world import ALL, LAST, LDAP, MEMBERS, centre, lines, owned, people, reasons


@pytest.mark.parametrize("role", ["MB", "AD"])
def test_a_row_that_demotes_the_last_owner_is_refused(planned: Any, role: str) -> None:
    plan = planned(Wanted("membership", {7: {**MEMBERS, "role": role}}))
    assert [tuple(fault) for fault in plan.faults] == [(7, "role", role, LAST, "membership")]
    assert plan.changes == ()


@pytest.mark.parametrize(("field", "value"), [("team", "Other"), ("user", "eve")])
def test_a_row_that_gives_the_last_ownership_away_is_refused(planned: Any, field: str, value: str) -> None:
    fake = centre()
    fake.add.team(name="Other")
    row = {"team": "Physics", "user": "ada", field: value, "role": "OW"}
    key = "user" if field == "team" else ("team", "role")
    plan = planned(Wanted("membership", {7: row}, key=key), fake=fake)
    # Another user who is the owner in the place of ada leaves none without.
    assert [(fault.label, fault.reason) for fault in plan.faults] == ([(7, LAST)] if field == "team" else [])
    assert len(plan.update) == (field == "user")


def test_a_row_that_switches_the_last_owner_off_is_refused(planned: Any) -> None:
    rows: Any = {
        7: {"username": "ada", "is_active": False, "email": "n@x.org"},
        8: {"username": "eve", "role": "r"},
    }
    plan = planned(Wanted("user", rows))
    assert [tuple(fault) for fault in plan.faults] == [(7, "is_active", False, LAST, "user")]
    assert [change.name for change in plan.changes] == ["eve"]


def test_one_of_two_owners_may_be_demoted_and_both_may_not(planned: Any) -> None:
    assert planned(Wanted("membership", [MEMBERS]), fake=owned()).faults == ()
    both = [MEMBERS, {**MEMBERS, "user": "bob"}]
    plan = planned(Wanted("membership", both), fake=owned())
    assert reasons(plan) == {0: LAST, 1: LAST}
    assert plan.changes == ()


def test_an_owner_who_is_not_active_is_none_that_is_left(planned: Any) -> None:
    plan = planned(Wanted("membership", [MEMBERS]), fake=owned(is_active=False))
    assert reasons(plan) == {0: LAST}


@pytest.mark.parametrize("other", ["bob", "eve", "new"])
def test_an_owner_may_be_demoted_where_the_plan_makes_another_one(planned: Any, other: str) -> None:
    people: list[UserRow] = [{"username": "new", "password": "long enough"}]
    plan = planned(Wanted("user", people), Wanted("membership", [MEMBERS, {**MEMBERS, "user": other, "role": "OW"}]))
    assert plan.faults == ()
    demoted = "~ membership Physics, ada role='OW' -> 'MB'"
    assert lines(plan.changes)[-1] == demoted  # so that the team has an owner if the job with that breaks


def test_a_new_owner_who_is_created_switched_off_is_none(planned: Any) -> None:
    new: UserRow = {"username": "new", "password": "long enough", "is_active": False}
    plan = planned(Wanted("user", [new]), Wanted("membership", [MEMBERS, MEMBERS | {"user": "new", "role": "OW"}]))
    assert reasons(plan) == {0: LAST}


def test_a_new_owner_who_is_switched_off_is_none(planned: Any) -> None:
    off = Wanted("user", [{"username": "bob", "is_active": False}])
    plan = planned(off, Wanted("membership", [MEMBERS, {**MEMBERS, "user": "bob", "role": "OW"}]))
    assert reasons(plan)[0] == LAST
    assert "ada" not in str(plan.changes)


def test_the_refusal_of_a_row_is_followed_to_what_relies_on_it(planned: Any) -> None:
    fake = centre()
    other = fake.add.team(name="Other")["id"]
    fake.add.membership(team=other, user=4, role="OW")
    moved = {"team": "Other", "user": "ada", "role": "OW"}  # the last owner of Physics, who replaces eve
    plan = planned(Wanted("membership", [moved, {"team": "Other", "user": "eve", "role": "MB"}], key="user"), fake=fake)
    assert reasons(plan) == {0: LAST, 1: LAST.replace("Physics", "Other")}
    assert plan.changes == ()


def test_a_team_that_has_no_owner_stops_nothing(planned: Any) -> None:
    rows: Any = [{**MEMBERS, "role": "AD"}, {**MEMBERS, "user": "bob", "role": "AD"}]
    fake = centre()
    fake.world.store.update("membership", 1, {"role": "MB"})
    assert len(planned(Wanted("membership", rows), fake=fake).update) == 2


def test_a_refused_demotion_keeps_an_owner_for_those_who_go(planned: Any) -> None:
    rows = [{"username": name} for name in ("bob", "eve")]
    plan = planned(
        Wanted("user", rows, scope=LDAP, gone={"is_active": False}, most_gone=1),
        Wanted("membership", [{**MEMBERS, "user": "bob"}]),
        fake=owned(),
    )
    assert lines(plan.changes) == ["~ membership Physics, bob role='OW' -> 'MB'"]
    assert plan.faults[0].value == "ada"


def test_only_what_could_cost_a_team_its_owner_asks_for_more_records(planned: Any) -> None:
    planned(Wanted("user", [{"username": "ada", "email": "n@x.org", "is_active": True}]))
    planned(Wanted("membership", [{**MEMBERS, "user": "bob", "role": "OW"}]))
    assert "/users/memberships/" in [entry.path for entry in planned.fake.journal]
    planned(Wanted("user", [{"username": "ada", "first_name": "n"}]))
    assert "/users/memberships/" not in [entry.path for entry in planned.fake.journal]


def test_an_owner_who_was_taken_out_before_is_no_owner_that_is_left(planned: Any) -> None:
    fake = centre()
    fake.client().update_membership(2, {"role": "OW"})
    fake.client().update_user(3, {"is_active": False})
    plan = planned(Wanted("user", people("eve"), scope=LDAP, gone={"is_active": False}, most_gone=1), fake=fake)
    assert lines(plan.gone) == []


def test_a_new_owner_who_goes_is_no_owner_that_is_left(planned: Any) -> None:
    plan = planned(
        Wanted("user", people("bob"), scope=LDAP, gone={"is_active": False}, most_gone=1),
        Wanted("membership", [{"team": "Physics", "user": "eve", "role": "OW"}]),
    )
    assert [change.name for change in plan.gone] == ["ada"]
    assert reasons(plan) == {None: LAST}


@pytest.mark.parametrize("wanted", ["the row of the user", "a stored user who is out already"])
def test_an_inactive_new_owner_is_no_owner_that_is_left(planned: Any, wanted: str) -> None:
    fake = centre()
    rows = people("bob", "eve") if "stored" in wanted else [*people("bob"), {"username": "eve", "is_active": False}]
    if "stored" in wanted:
        fake.client().update_user(4, {"is_active": False})
    plan = planned(
        Wanted("user", rows, scope=LDAP, gone={"is_active": False}, most_gone=1),
        Wanted("membership", [{"team": "Physics", "user": "eve", "role": "OW"}]),
        fake=fake,
    )
    assert lines(plan.gone) == []


def test_an_owner_who_replaces_one_that_goes_does_not_go(planned: Any) -> None:
    plan = planned(
        Wanted("user", people("ada", "bob"), scope=LDAP, gone={"is_active": False}, most_gone=1),
        Wanted("membership", [{"team": "Physics", "user": "eve", "role": "OW"}], **ALL),
    )
    assert [change.name for change in plan.gone if change.resource == "user"] == []


def test_a_new_owner_who_is_created_inactive_is_no_owner_that_is_left_for_those_who_go(planned: Any) -> None:
    new: dict[str, Any] = {"username": "new", "is_active": False, "password": "long enough"}
    plan = planned(
        Wanted("user", [*people("ada", "bob", "eve"), new]),
        Wanted("membership", [{"team": "Physics", "user": "new", "role": "OW"}], **ALL),
    )
    assert [change.name for change in plan.gone] == ["Physics, bob"]
    assert reasons(plan) == {None: LAST}
