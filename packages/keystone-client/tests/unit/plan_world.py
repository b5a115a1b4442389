"""A small centre, what sources say of it, and both clients behind one blocking interface, for the tests of plans."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, cast

from keystone_client import RetryPolicy, Wanted
from keystone_client.records import UserRow
from keystone_client_testing import FakeKeystone

from .blocking import blocking, client_of

LDAP = {"is_ldap_user": True}
"""The filter for those whom the directory manages."""
ALL: dict[str, Any] = {"scope": {}, "gone": "delete", "most_gone": 1}
"""A source that speaks for all records: those it does not name are deleted."""
PEOPLE: list[UserRow] = [{"username": name, "is_ldap_user": True} for name in ("ada", "bob", "eve")]
MONEY = {"agency": "NSF", "amount": "10.50", "start_date": "2026-01-01"}
GRANT: dict[str, Any] = {**MONEY, "title": "Waves", "team": "Physics"}
MEMBERS: dict[str, Any] = {"team": "Physics", "user": "ada", "role": "MB"}
LAST = "it is the last owner of 'Physics': make another one first"
NEVER = RetryPolicy(attempts=1)


def people(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"username": name, **fields} for name in names]


class Colour:
    """A client whose ``plan`` and ``apply`` block, whichever client it is."""

    def __init__(self, fake: FakeKeystone, colour: str, **options: Any) -> None:
        self.client = client_of(fake, colour, user="admin", **options)

    def plan(self, *wanted: Any) -> Any:
        return self.client.plan(*wanted)

    def apply(self, plan: Any, **how: Any) -> Any:
        return blocking(plan.apply(**how))


def centre() -> FakeKeystone:
    """Return a fake with ada (owner) and bob in Physics, and eve, whom the directory manages as it does ada and bob."""
    fake = FakeKeystone()
    users = [fake.add.user(username=name, email=f"{name}@x.org", is_ldap_user=True) for name in ("ada", "bob", "eve")]
    team = fake.add.team(name="Physics")
    fake.add.membership(team=team["id"], user=users[0]["id"], role="OW")
    fake.add.membership(team=team["id"], user=users[1]["id"], role="MB")
    return fake


def owned(role: str = "OW", **fields: Any) -> FakeKeystone:
    """Return the centre with another owner of Physics, bob, or with bob in another role."""
    fake = centre()
    fake.world.store.update("membership", 2, {"role": role})
    fake.world.store.update("user", 3, fields)
    return fake


def stored(fake: FakeKeystone, resource: str) -> list[dict[str, Any]]:
    return list(fake.world.store.tables[resource].values())


def names(fake: FakeKeystone, resource: str, field: str) -> list[str]:
    return sorted(record[field] for record in stored(fake, resource))


def roles(fake: FakeKeystone) -> dict[tuple[str, str], str]:
    """Return the role of each member, by team and username."""
    teams = {record["id"]: record["name"] for record in stored(fake, "team")}
    users = {record["id"]: record["username"] for record in stored(fake, "user")}
    return {(teams[each["team"]], users[each["user"]]): each["role"] for each in stored(fake, "membership")}


def lines(changes: Iterable[Any]) -> list[str]:
    return [str(change) for change in changes]


def reasons(plan: Any) -> Mapping[Any, str]:
    """Return the reasons of the faults by label."""
    return {fault.label: fault.reason for fault in plan.faults}


def writes(fake: FakeKeystone) -> int:
    return sum(entry.method != "GET" and "/authentication/" not in entry.path for entry in fake.journal)


FAULTS: dict[str, dict[str, Any]] = {
    "lost before": {"error": "reset", "when": "before"},
    "lost after": {"error": "reset", "when": "after"},
    "500 before": {"status": 500, "when": "before"},
    "500 after": {"status": 500, "when": "after"},
    "page after": {"error": "html", "status": 502, "when": "after"},
    "cut after": {"error": "cut", "when": "after"},
}


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
