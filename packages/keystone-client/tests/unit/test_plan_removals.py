"""Who goes: only records that the source speaks for, never many at once, never those who are protected."""

from collections.abc import Iterator
from typing import Any

import pytest
from keystone_client import Wanted
from keystone_client.records import UserRow

from .plan_world import ALL, LDAP, PEOPLE, centre, lines, people, reasons


def test_nothing_goes_unless_gone_and_scope_say_so(planned: Any) -> None:
    one = [{"username": "ada"}]
    assert not planned(Wanted("user", one, scope=LDAP)).gone
    plan = planned(Wanted("user", one, gone={"is_active": False}, most_gone=1))
    assert not plan.gone
    assert plan.notes == ("user: no record goes without scope=; {} stands for all",)


def test_only_what_the_scope_speaks_for_goes(planned: Any) -> None:
    fake = centre()
    fake.add.user(username="local")
    plan = planned(Wanted("user", PEOPLE[:2], scope=LDAP, gone={"is_active": False}, most_gone=1), fake=fake)
    assert lines(plan.gone) == ["- user eve is_active=True -> False"]


def test_those_who_are_out_already_do_not_go_again(planned: Any) -> None:
    fake = centre()
    fake.add.user(username="old", is_ldap_user=True, is_active=False)
    plan = planned(Wanted("user", PEOPLE, scope=LDAP, gone={"is_active": False}, most_gone=0), fake=fake)
    assert (plan.gone, plan.faults) == ([], ())


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "there are no rows, and 3 of 3 would go; none of them goes"),
        (PEOPLE[:1], "2 of 3 would go, more than most_gone=0.25; none of them goes"),
        (
            [{"user name": "ada"}],
            "it is not known whom the refused rows mean, and 3 of 3 would go; none of them goes",
        ),
    ],
)
def test_a_broken_source_takes_nobody_out(planned: Any, rows: Any, why: str) -> None:
    plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}))
    assert plan.gone == []
    assert (plan.faults[-1].field, plan.faults[-1].reason) == ("gone", why)


def test_those_who_are_out_already_do_not_count_for_the_share(planned: Any) -> None:
    fake = centre()
    for number in range(8):
        fake.add.user(username=f"old{number}", is_ldap_user=True, is_active=False)
    plan = planned(Wanted("user", PEOPLE[:2], scope=LDAP, gone={"is_active": False}), fake=fake)
    assert plan.faults[0].reason == "1 of 3 would go, more than most_gone=0.25; none of them goes"


def test_the_scope_may_be_a_function(planned: Any) -> None:
    members = [{"team": "Physics", "user": "ada", "role": "OW"}]
    ours = Wanted(
        "membership", members, scope=lambda each: each["_team"]["name"] == "Physics", gone="delete", most_gone=1
    )
    assert lines(planned(ours).gone) == ["- membership Physics, bob"]


def test_who_comes_back_is_noted_if_the_row_does_not_say_so(planned: Any) -> None:
    fake = centre()
    fake.add.user(username="old", is_ldap_user=True, is_active=False)
    rows: Any = [*PEOPLE, {"username": "old"}]
    plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}), fake=fake)
    assert plan.notes == ("user 'old' is back, and stays is_active=False: its row does not say",)
    rows[-1] = {"username": "old", "is_active": True}
    plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}), fake=fake)
    assert (plan.notes, lines(plan.update)) == ((), ["~ user old is_active=False -> True"])


def test_a_source_that_raises_sends_nothing(planned: Any) -> None:
    def rows() -> Iterator[UserRow]:
        yield PEOPLE[0]
        raise OSError("the directory is down")

    with pytest.raises(OSError, match="the directory is down"):
        planned(Wanted("user", rows(), scope=LDAP, gone="delete"))


def test_a_record_whose_row_is_refused_stays(planned: Any) -> None:
    rows: Any = [*PEOPLE[:2], {"username": "eve", "email": "no"}]
    plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}, most_gone=1))
    assert plan.gone == []


def test_the_caller_and_those_who_are_protected_never_go(planned: Any) -> None:
    plan = planned(Wanted("user", PEOPLE[:1], scope={}, gone={"is_active": False}, most_gone=1, protect=["eve", 3]))
    assert plan.gone == []
    assert [(fault.value, fault.reason) for fault in plan.faults] == [
        ("admin", "it is the account that this plan runs under")
    ]


def test_the_last_owner_of_a_team_stays(planned: Any) -> None:
    members = [{"team": "Physics", "user": "bob", "role": "MB"}]
    plan = planned(Wanted("membership", members, scope={}, gone="delete", most_gone=1))
    assert plan.gone == []
    assert [(fault.value, fault.reason) for fault in plan.faults] == [
        ("Physics, ada", "it is the last owner of 'Physics': make another one first")
    ]

    plan = planned(Wanted("user", PEOPLE[1:], scope=LDAP, gone={"is_active": False}, most_gone=1))
    assert plan.gone == []
    assert plan.faults[0].value == "ada"


def test_an_owner_goes_once_another_one_is_made(planned: Any) -> None:
    members = [{"team": "Physics", "user": "bob", "role": "OW"}]
    plan = planned(Wanted("membership", members, scope={}, gone="delete", most_gone=1))
    assert lines(plan.changes) == ["~ membership Physics, bob role='MB' -> 'OW'", "- membership Physics, ada"]


@pytest.mark.parametrize("gone", [{"is_active": False}, "delete"])
def test_the_record_that_a_refused_twin_means_stays(planned: Any, gone: Any) -> None:
    rows = people("ada", "bob", "EVE", password="long enough")
    plan = planned(Wanted("user", rows, scope=LDAP, gone=gone, most_gone=0.5))
    assert reasons(plan) == {2: "there is 'eve', which differs only in looks"}
    assert lines(plan.gone) == []


@pytest.mark.parametrize("name", ["physics", "Physics ", "no such team"])
def test_a_protected_name_protects_in_any_spelling_or_is_refused(planned: Any, name: str) -> None:
    fake = centre()
    fake.add.team(name="Kept")
    plan = planned(Wanted("team", [{"name": "Kept"}], **ALL, protect=[name]), fake=fake)
    assert not plan.gone
    unknown = {None: "there is no such record; none of the others goes"}
    assert reasons(plan) == (unknown if name == "no such team" else {})


def test_half_a_source_is_refused_however_many_were_taken_out_before(planned: Any) -> None:
    fake = centre()
    for number in range(90):
        fake.add.user(username=f"old{number}", is_ldap_user=True, is_active=False)
    for number in range(37):
        fake.add.user(username=f"user{number}", is_ldap_user=True)
    half = people(*(f"user{number}" for number in range(20)))  # of 40 who are still active
    assert planned(Wanted("user", half, scope=LDAP, gone={"is_active": False}), fake=fake).gone == []


def test_all_records_that_a_refused_twin_may_mean_stay(planned: Any) -> None:
    fake = centre()
    fake.add.user(username="BOB", is_ldap_user=True)
    plan = planned(Wanted("user", people("ada", "Bob", password="long enough"), **ALL), fake=fake)
    assert [change.name for change in plan.gone] == ["eve"]


def test_a_share_is_compared_without_rounding(planned: Any) -> None:
    fake = centre()
    for number in range(97):
        fake.add.user(username=f"user{number}", is_ldap_user=True)
    rows = people("ada", "bob", "eve", *(f"user{number}" for number in range(68)))
    plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}, most_gone=0.29), fake=fake)
    assert len(plan.gone) == 29
