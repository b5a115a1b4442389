"""The values in the rows of a plan: compared as the server stores them, refused where it would not."""

from datetime import date
from decimal import Decimal
from typing import Any, cast

import pytest
from keystone_client import Wanted

from .plan_world import (
    GRANT,
    LDAP,
    MONEY,
    centre,
    lines,
    people,
    reasons,
    stored,
)


def test_rows_that_mean_the_same_merge(planned: Any) -> None:
    grants = [
        {**GRANT, "grant_number": "G-1", "amount": "10.5"},
        {**GRANT, "grant_number": "G-1 ", "amount": Decimal("10.50")},
    ]
    plan = planned(Wanted("team", [{"name": "Bio"}, {"name": "Bio "}]), Wanted("grant", grants, key="grant_number"))
    assert (len(plan.create), plan.faults) == (2, ())


def test_repeats_merge_and_contradictions_are_refused(planned: Any) -> None:
    rows = {
        1: {"username": "new", "password": "long enough"},
        2: {"username": "new ", "password": "long enough"},
        3: {"username": "ada", "email": "one@x.org"},
        4: {"username": "ada", "email": "two@x.org"},
    }
    plan = planned(Wanted("user", rows))

    assert lines(plan.changes) == ["+ user new password"]
    assert reasons(plan) == {
        3: "row 4 says something else of the same user",
        4: "row 3 says something else of the same user",
    }


@pytest.mark.parametrize("blank", ["", "  ", None, float("nan")])
def test_a_blank_cell_says_nothing(planned: Any, blank: Any) -> None:
    plan = planned(Wanted("user", [{"username": "ada", "email": blank, "first_name": blank}]))
    assert (plan.as_wanted, list(plan.changes), list(plan.faults)) == (1, [], [])


def test_values_are_compared_as_the_server_stores_them(planned: Any) -> None:
    fake = centre()
    fake.add.grant(grant_number="G-1", description="a b", end_date="2026-12-31", **{**GRANT, "team": 1})
    row: Any = {
        "grant_number": " G-1 ",
        "amount": Decimal("10.5"),
        "end_date": date(2026, 12, 31),
        "description": "a b\n",
    }
    assert planned(Wanted("grant", [row], key="grant_number"), fake=fake).as_wanted == 1


def test_sets_are_compared_without_order_and_passwords_not_at_all(planned: Any) -> None:
    fake = centre()
    other = fake.add.team(name="Chemistry")["id"]
    fake.add.cluster(name="hpc", access_teams=[1, other])
    plan = planned(
        Wanted("cluster", [{"name": "hpc", "access_teams": ["Chemistry", "Physics"]}]),
        Wanted("user", [{"username": "ada", "password": "another one"}]),
        fake=fake,
    )
    assert (plan.as_wanted, plan.changes) == (2, ())


@pytest.mark.parametrize("text", ["Ada ", " Ada", " "])
def test_stored_text_with_blanks_at_its_ends_stops_no_plan(text: str) -> None:
    fake = centre()
    fake.world.store.tables["user"][3]["first_name"] = text
    client = fake.client()
    client.plan(Wanted("user", [{"username": "bob", "first_name": "New"}])).apply()
    client.plan(Wanted("user", people("ada", "eve"), scope=LDAP, gone="delete", most_gone=1)).apply()


@pytest.mark.parametrize(
    ("resource", "field", "values"),
    [
        ("grant", "amount", ("1.50", "1.5")),
        ("grant", "title", ("t", "t ")),
        ("cluster", "access_teams", (["Physics", "Kept"], ["Kept", "Physics"])),
    ],
)
def test_rows_that_are_stored_alike_merge(planned: Any, resource: str, field: str, values: Any) -> None:
    fake = centre()
    fake.add.team(name="Kept")
    base: dict[str, Any] = {"name": "hpc"}
    if resource == "grant":
        base = {"grant_number": "G", "title": "t", "team": "Physics", **MONEY}
    key = "grant_number" if resource == "grant" else "name"
    plan = planned(Wanted(resource, cast("Any", [{**base, field: value} for value in values]), key=key), fake=fake)
    assert (len(plan.create), plan.faults) == (1, ())


@pytest.mark.parametrize(
    ("before", "wanted"),
    [(1, True), (True, 1), (0, False), ([1, 30], [True, 30]), ({"a": [0]}, {"a": [False]}), ("1", 1), ([], {})],
)
def test_json_is_compared_as_json_tells_values_apart(before: Any, wanted: Any) -> None:
    fake = centre()
    fake.add.preference(user=2, request_expiry_thresholds=before)
    plan = fake.client().plan(Wanted("preference", [{"user": "ada", "request_expiry_thresholds": wanted}]))
    assert len(plan.update) == 1
    plan.apply()
    assert repr(stored(fake, "preference")[0]["request_expiry_thresholds"]) == repr(wanted)
    done = fake.client().ensure_preference(user=2, request_expiry_thresholds=before)
    assert (done.how, repr(done.record["request_expiry_thresholds"])) == ("changed", repr(before))


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (1.0, 1),
        ([10**16, 0.0], [1e16, -0.0]),  # PostgreSQL stores numbers like this
        (12345678901234567000, 12345678901234567000.0),
        ({"a": 1, "b": [2, 3.5]}, {"b": [2.0, 3.5], "a": 1}),
    ],
)
def test_numbers_in_json_are_compared_by_their_value(planned: Any, before: Any, wanted: Any) -> None:
    fake = centre()
    fake.add.preference(user=2, request_expiry_thresholds=before)
    plan = planned(Wanted("preference", [{"user": "ada", "request_expiry_thresholds": wanted}]), fake=fake)
    assert (plan.changes, plan.as_wanted) == ((), 1)


def test_rows_of_one_record_that_differ_in_json_contradict_each_other(planned: Any) -> None:
    rows = [{"user": "ada", "request_expiry_thresholds": value} for value in ([1], [True])]
    plan = planned(Wanted("preference", cast("Any", rows)))
    assert (plan.changes, len(plan.faults)) == ((), 2)


@pytest.mark.parametrize("value", [[True], [1.5]])
def test_what_is_no_key_is_refused_although_python_takes_it_for_the_stored_one(planned: Any, value: Any) -> None:
    fake = centre()
    fake.add.cluster(name="hpc", access_teams=[1])
    plan = planned(Wanted("cluster", [{"name": "hpc", "access_teams": value}]), fake=fake)
    assert [fault.field for fault in plan.faults] == ["access_teams"]


class Column(list[Any]):  # noqa: PLW1641 - lists have no hash either
    """Compares element by element, as arrays and columns of data libraries do."""

    def __eq__(self, other: object) -> Any:
        return Column([False, False])

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")


class Array:  # noqa: PLW1641 - arrays have no hash either
    """Compares element by element."""

    def __eq__(self, other: object) -> Any:
        return Column([False, False])


def test_a_column_as_a_cell_is_a_fault_of_its_row(planned: Any) -> None:
    plan = planned(Wanted("user", cast("Any", {9: {"username": "ada", "email": Column(["a", "b"])}})))
    assert [fault.label for fault in plan.faults] == [9]


def test_a_column_in_a_list_is_a_fault_of_its_row(planned: Any) -> None:
    fake = centre()
    fake.add.cluster(name="hpc", access_teams=[1])
    row: Any = {"name": "hpc", "access_teams": [Array()]}
    assert [fault.label for fault in planned(Wanted("cluster", {9: row}), fake=fake).faults] == [9]
