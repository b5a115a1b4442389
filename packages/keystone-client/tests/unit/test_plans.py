"""Plans: what a source wants, compared with what is stored. Nothing is written, and nothing is lost in silence."""

import json
from typing import Any, cast

import pytest
from keystone_client import Wanted
from keystone_client_core._stored import differs

from .plan_world import LDAP, PEOPLE, lines, reasons, stored


def test_a_plan_shows_what_it_would_do_and_the_numbers(planned: Any) -> None:
    plan = planned(
        Wanted(
            "user",
            [{"username": "ada", "email": "ada@y.org"}, {"username": "bob"}, {"username": "new", "email": "n@x.org"}],
            scope=LDAP,
            gone={"is_active": False},
            most_gone=0.5,
            new=lambda row: {"password": f"secret of {row['username']}"},
        ),
        Wanted("team", [{"name": "Chemistry"}]),
        Wanted("membership", [{"team": "Chemistry", "user": "new", "role": "OW"}]),
    )

    assert str(plan).splitlines() == [
        "+ user new email='n@x.org' password",
        "+ team Chemistry",
        "+ membership Chemistry, new role='OW'",
        "~ user ada email='ada@x.org' -> 'ada@y.org'",
        "- user eve is_active=True -> False",
        "3 to create, 1 to change, 1 to take out, 1 as wanted",
    ]
    assert repr(plan) == "<Plan: 3 to create, 1 to change, 1 to take out, 1 as wanted>".replace(
        "Plan", type(plan).__name__
    )
    assert lines(plan.create) == lines(plan.changes[:3])
    assert (plan.update[0].old, plan.update[0].new) == ({"email": "ada@x.org"}, {"email": "ada@y.org"})
    assert lines(plan.gone) == ["- user eve is_active=True -> False"]


def test_no_text_of_a_plan_holds_a_secret(planned: Any) -> None:
    rows = {1: {"username": "new", "password": "s3cret-one"}, 2: {"username": "n w", "password": "s3cret-two"}}
    rows[3] = {"username": "third", "pasword": "s3cret-three"}
    rows |= {4: {"username": "other", "password": "s3cret-four"}, 5: {"username": "other", "password": "s3cret-five"}}
    plan = planned(Wanted("user", rows))

    assert reasons(plan)[4] == "row 5 says something else of the same user"

    for text in (str(plan), repr(plan), plan.to_json(), repr(plan.changes), repr(plan.create[0]), repr(plan.faults)):
        assert "s3cret" not in text
    assert plan.create[0].new["password"] == "s3cret-one"
    assert json.loads(plan.to_json())["changes"][0]["new"] == {"username": "new"}


def test_all_faults_of_all_rows_are_told_at_once_and_good_rows_go_on(planned: Any) -> None:
    rows: Any = {
        21: {"username": "good", "password": "long enough"},
        22: {"username": "b d", "email": "no"},
        23: {"username": "new", "colour": "red"},
        24: {"email": "nobody@x.org"},
        25: "not a row",
        26: {"username": "short"},
    }
    plan = planned(Wanted("user", rows))

    assert [(fault.label, fault.field, fault.value) for fault in plan.faults] == [
        (22, "username", "b d"),
        (22, "email", "no"),
        (23, "colour", None),  # it may be a misspelt password
        (24, "username", None),
        (25, "", None),
        (26, "password", None),
    ]
    assert {fault.resource for fault in plan.faults} == {"user"}
    assert lines(plan.changes) == ["+ user good password"]
    assert str(plan).endswith("1 to create, 0 to change, 0 to take out, 0 as wanted, 6 refused")


def test_a_column_without_a_field_is_one_line_however_many_rows_there_are(planned: Any) -> None:
    rows: Any = [{"\ufeffusername": f"user{number}"} for number in range(300)]
    plan = planned(Wanted("user", rows))
    text = str(plan).splitlines()
    assert len(plan.faults) == 600
    assert [line.partition(":")[0] for line in text[:2]] == ["! user row 0, \\ufeffusername", "! user row 0, username"]
    assert text[0].endswith("(and so in 299 more rows)")
    assert len(text) == 4


def test_a_row_that_needs_a_refused_one_is_refused_too(planned: Any) -> None:
    plan = planned(
        Wanted("team", [{"name": "Chemistry", "is_active": "perhaps"}]),
        Wanted("membership", [{"team": "Chemistry", "user": "ada", "role": "OW"}]),
    )
    assert [fault.reason for fault in plan.faults][1:] == ["the row of this team is refused"]
    assert not plan


def test_with_nothing_to_do_a_plan_costs_its_listings(planned: Any) -> None:
    members = [{"team": "Physics", "user": "ada", "role": "OW"}, {"team": "Physics", "user": "bob", "role": "MB"}]
    planned(Wanted("user", PEOPLE), Wanted("team", [{"name": "Physics"}]), Wanted("membership", members))
    reads = [entry.path for entry in planned.fake.journal if entry.method == "GET"]
    assert reads == ["/users/users/", "/users/teams/", "/users/memberships/"]
    assert len(stored(planned.fake, "membership")) == 2


@pytest.mark.parametrize("make", [lambda: {"Physics"}, lambda: frozenset([1]), lambda: iter([1])])
def test_json_of_a_plan_takes_every_value_that_a_row_may_have(planned: Any, make: Any) -> None:
    plan = planned(Wanted("cluster", [{"name": "hpc", "access_teams": make()}]))
    assert len(json.loads(plan.to_json())["changes"][0]["new"]["access_teams"]) == 1


def test_repeats_are_compared_about_once_each(planned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counted(*args: Any) -> bool:
        nonlocal calls
        calls += 1
        return differs(*args)

    monkeypatch.setattr("keystone_client_core._rows.differs", counted)
    planned(Wanted("team", [{"name": "Physics"}] * 100))
    assert calls < 1_000


def test_json_of_a_plan_is_json(planned: Any) -> None:
    plan = planned(Wanted("user", cast("Any", {float("nan"): {"username": "ada", "email": float("inf")}})))

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(plan.to_json(), parse_constant=refuse)
