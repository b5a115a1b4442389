"""Names under another key: users are matched by their address, so rows may change the names that others use."""

from typing import Any

import pytest
from keystone_client import Wanted

from .plan_world import MEMBERS, centre, lines, owned, reasons

TAKEN = "there is a record of this name, or a row wants one"


def by_address(*rows: dict[str, Any]) -> Wanted:
    return Wanted("user", [{"email": "eve@x.org"} | row for row in rows], key="email")


def members(*users: Any) -> Wanted:
    return Wanted("membership", [MEMBERS | {"user": user} for user in users])


def test_a_new_name_stands_for_the_record_that_gets_it(planned: Any) -> None:
    plan = planned(by_address({"username": "evelyn"}), members("evelyn"))
    assert plan.faults == ()
    assert [(change.resource, change.new.get("user")) for change in plan.create] == [("membership", 4)]


def test_a_former_name_is_refused_with_the_new_one(planned: Any) -> None:
    plan = planned(by_address({"username": "evelyn"}), members("eve"))
    assert reasons(plan) == {0: "the user of this name is called 'evelyn' in this plan: give that name"}
    assert lines(plan.changes) == ["~ user eve@x.org username='eve' -> 'evelyn'"]


@pytest.mark.parametrize("name", ["eve", "eve@x.org", 4])
@pytest.mark.parametrize("fields", [{}, {"username": "eve"}])
def test_a_name_that_stays_stands_for_its_record_and_so_does_its_key(planned: Any, name: Any, fields: Any) -> None:
    plan = planned(by_address(fields), members(name))
    assert plan.faults == ()
    assert [change.new["user"] for change in plan.changes] == [4]


@pytest.mark.parametrize("name", ["new", "new@x.org"])
def test_a_record_that_is_to_be_created_has_both_names(planned: Any, name: str) -> None:
    new = {"email": "new@x.org", "username": "new", "password": "long enough"}
    plan = planned(by_address(new), members(name))
    assert lines(plan.changes)[1:] == [f"+ membership Physics, {name} role='MB'"]
    assert plan.changes[1].new["user"] == plan.changes[0].token


@pytest.mark.parametrize("second", ["cluster 2", "cluster that is new"])
def test_a_text_that_means_two_records_is_refused(planned: Any, second: str) -> None:
    fake = centre()
    fake.add.cluster(name="hpc", description="old")
    if second == "cluster 2":
        fake.add.cluster(name="second", description="hpc")
    request = fake.add.request(team=1, submitter=1)["id"]
    row: Any = {"cluster": "hpc", "request": request, "requested": 1}
    plan = planned(
        Wanted("cluster", [{"description": "hpc", "name": "second"}], key="description"),
        Wanted("allocation", [row], key=("cluster", "request")),
        fake=fake,
    )
    why = f"it is the name of cluster 1, and the description of {second}: give the key, or another name"
    assert reasons(plan) == {0: why}


def test_names_are_known_where_several_fields_are_the_key(planned: Any) -> None:
    fake = owned(first_name="Bob", last_name="B")
    rows = [{"first_name": "Bob", "last_name": "B", "username": "robert"}]
    people = Wanted("user", rows, key=("first_name", "last_name"))
    plan = planned(people, Wanted("membership", [MEMBERS | {"user": "robert"}]), fake=fake)
    assert [change.pk for change in plan.changes] == [3, 2]
    assert reasons(planned(people, members("roberta"), fake=fake)) == {
        0: "there is no user of this name, and none is wanted. Did you mean 'robert'?"
    }


@pytest.mark.parametrize(
    "row",
    [
        {"email": "no", "username": "new"},
        {"email": "no", "username": "bob"},
        {"email": "n@x.org", "username": "new"},
        {"username": "new", "is_staff": "perhaps"},
        {"username": "bob"},
    ],
)
def test_the_name_in_a_refused_row_is_refused_too(planned: Any, row: Any) -> None:
    plan = planned(by_address(row), members(row["username"]))
    assert [fault.reason for fault in plan.faults][-1] == "the row of this user is refused"
    assert plan.changes == ()


def test_two_rows_cannot_trade_their_names(planned: Any) -> None:
    rows = {"username": "bob"}, {"email": "bob@x.org", "username": "eve"}
    plan = planned(by_address(*rows), members("bob", "eve"))
    assert plan.changes == ()
    assert len(plan.faults) == 4


def test_a_username_is_given_once_under_another_key_too(planned: Any) -> None:
    rows = [{"email": f"{name}@y.org", "username": "new", "password": "long enough"} for name in ("a", "b")]
    plan = planned(Wanted("user", rows, key="email"))
    assert lines(plan.changes) == ["+ user a@y.org username='new' password"]
    assert reasons(plan) == {1: TAKEN}


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada "])
def test_no_update_gives_a_record_the_name_of_another(planned: Any, name: str) -> None:
    plan = planned(Wanted("user", [{"email": "eve@x.org", "username": name}], key="email"))
    assert reasons(plan) == {0: TAKEN if name == "ada" else "there is 'ada', which differs only in looks"}
    assert not plan.changes


def test_an_update_may_give_a_record_another_spelling_of_its_own_name(planned: Any) -> None:
    plan = planned(Wanted("user", [{"email": "eve@x.org", "username": "Eve"}], key="email"))
    assert (len(plan.update), plan.faults) == (1, ())


@pytest.mark.parametrize("second", ["ada", "ADA"])
def test_usernames_are_checked_under_another_key_too(planned: Any, second: str) -> None:
    row = {"email": "other@x.org", "username": second, "password": "long enough"}
    plan = planned(Wanted("user", [row], key="email"))
    assert reasons(plan) == {0: TAKEN if second == "ada" else "there is 'ada', which differs only in looks"}
    assert not plan.changes
