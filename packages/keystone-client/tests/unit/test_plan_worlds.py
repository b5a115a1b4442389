"""After a plan was applied, the same plan is empty, whatever the rows hold and whatever was stored before."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keystone_client import Wanted
from keystone_client_testing import FakeKeystone

from .plan_rows import KEYS, SOURCES, TEAMS, USERS
from .plan_world import Colour, stored


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


OUT: dict[str, st.SearchStrategy[Any]] = {
    "user": st.sampled_from([None, "delete", {"is_active": False}]),
    "team": st.sampled_from([None, "delete", {"is_active": False}]),
    "membership": st.sampled_from([None, "delete", {"role": "MB"}]),
}
"""What a source has done to the records that it does not name."""
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {"username": st.sampled_from(USERS[:3])}, optional={"is_active": st.booleans(), "email": st.just("n@x.org")}
    ),
    max_size=3,
    unique_by=lambda row: row["username"],
)
GROUPS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(TEAMS)}, optional={"is_active": st.booleans()}),
    max_size=3,
    unique_by=lambda row: row["name"],
)
MEMBERS = st.lists(
    st.fixed_dictionaries(
        {
            "team": st.sampled_from(TEAMS),
            "user": st.sampled_from(USERS[:3]),
            "role": st.sampled_from(["OW", "AD", "MB"]),
        }
    ),
    max_size=5,
    unique_by=lambda row: (row["team"], row["user"]),
)


def owners(fake: FakeKeystone) -> dict[int, int]:
    """Return how many active owners each team has."""
    active = {user["id"] for user in stored(fake, "user") if user["is_active"]}
    having = [each["team"] for each in stored(fake, "membership") if each["role"] == "OW" and each["user"] in active]
    return {team["id"]: having.count(team["id"]) for team in stored(fake, "team")}


@pytest.mark.parametrize("colour", ["sync", "async"])
@given(
    before=MEMBERS,
    sources=st.fixed_dictionaries({"user": PEOPLE, "team": GROUPS, "membership": MEMBERS}),
    out=st.fixed_dictionaries(OUT),
    protect=st.fixed_dictionaries(
        {
            "user": st.sets(st.sampled_from(USERS[:3]), max_size=1),
            "team": st.sets(st.sampled_from(TEAMS), max_size=1),
            "membership": st.just(set()),
        }
    ),
)
def test_whoever_goes_each_team_keeps_an_owner_and_nothing_protected_goes(
    colour: str, before: Any, sources: Any, out: Any, protect: Any
) -> None:
    fake = FakeKeystone()
    users = {name: fake.add.user(username=name)["id"] for name in USERS[:3]}
    teams = {name: fake.add.team(name=name)["id"] for name in TEAMS}
    for row in before:
        fake.add.membership(team=teams[row["team"]], user=users[row["user"]], role=row["role"])
    had_owners = {team for team, number in owners(fake).items() if number}
    client = Colour(fake, colour)

    def source() -> list[Wanted]:
        return [
            Wanted(
                name,
                rows,
                scope={},
                gone=out[name],
                most_gone=1,
                protect=protect[name],
                new=first_password if name == "user" else None,
            )
            for name, rows in sources.items()
        ]

    for _ in range(2):  # an owner whose only team goes stays until the team is gone
        client.apply(client.plan(*source()))

    assert {team for team, number in owners(fake).items() if not number}.isdisjoint(had_owners)
    asked_out = {
        (name, row["username" if name == "user" else "name"])
        for name in ("user", "team")
        for row in sources[name]
        if row.get("is_active") is False
    }
    for name, field in (("user", "username"), ("team", "name")):
        kept = {each[field] for each in stored(fake, name) if each["is_active"]}
        assert {each for each in protect[name] if (name, each) not in asked_out} <= kept
    assert client.plan(*source()).changes == ()


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
