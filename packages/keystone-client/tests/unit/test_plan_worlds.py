"""After a plan was applied, the same plan is empty, whatever the rows hold and whatever was stored before."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keystone_client import Wanted
from keystone_client_testing import FakeKeystone

from .plan_rows import KEYS, SOURCES, TEAMS, USERS
from .plan_world import stored


def wanted(source: dict[str, list[dict[str, Any]]]) -> list[Wanted]:
    new = {"user": first_password}
    return [Wanted(name, rows, key=list(KEYS[name]), new=new.get(name)) for name, rows in source.items()]


def first_password(row: Any) -> dict[str, str]:
    return {"password": f"long enough {row['username']}"}


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
@given(before=SOURCES, after=SOURCES)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_the_second_plan_is_empty(database: str, before: Any, after: Any) -> None:
    fake = FakeKeystone(database=database)
    for name in USERS:
        fake.add.user(username=name)
    for name in TEAMS:
        fake.add.team(name=name)
    client: Any = fake.client()
    client.plan(*wanted(before)).apply()
    plan = client.plan(*wanted(after))
    plan.apply()

    again = client.plan(*wanted(after))

    assert str(again).splitlines()[-1].startswith("0 to create, 0 to change, 0 to take out")
    assert again.faults == plan.faults
    assert again.as_wanted == plan.as_wanted + len(plan.changes)


MAILS = ["a@x.org", "b@x.org", "c@x.org"]
NAMES = ["ada", "bob", "eve", "a@x.org", "b@x.org"]


@given(
    before=st.dictionaries(st.sampled_from(MAILS), st.sampled_from(NAMES), max_size=3),
    people=st.lists(
        st.tuples(st.sampled_from([*MAILS, "no"]), st.sampled_from([*NAMES, "", "b d"])),
        max_size=3,
        unique_by=lambda row: row[0],
    ),
    members=st.lists(st.sampled_from([*NAMES, *MAILS]), max_size=3, unique=True),
)
def test_members_are_those_whom_the_names_mean_in_the_end(before: Any, people: Any, members: Any) -> None:
    fake = FakeKeystone()
    fake.add.team(name="Physics")
    for mail, name in before.items():
        if name not in [each["username"] for each in stored(fake, "user")]:
            fake.add.user(username=name, email=mail)
    client: Any = fake.client()
    rows = [{"email": mail, "username": name, "password": "long enough"} for mail, name in people]
    links = [{"team": "Physics", "user": name, "role": "MB"} for name in members]
    plan = client.plan(Wanted("user", rows, key="email"), Wanted("membership", links))
    plan.apply()

    refused = {fault.label for fault in plan.faults if fault.resource == "membership"}
    wanted = [name for label, name in enumerate(members) if label not in refused]
    users = {each["id"]: each for each in stored(fake, "user")}
    found = [{users[each["user"]]["username"], users[each["user"]]["email"]} for each in stored(fake, "membership")]
    assert all(any(name in names for names in found) for name in wanted)
    assert all(any(name in names for name in wanted) for names in found)
    claims = {name: mail for mail, name in people}
    assert all(users_mail(found, name) == claims[name] for name in wanted if name in claims and name not in MAILS)


def users_mail(found: list[set[str]], name: str) -> str:
    (names,) = [names for names in found if name in names]
    return next(each for each in names if each in MAILS)
