"""A small centre, and both clients behind one blocking interface, for the tests of plans."""

from collections.abc import Iterable, Mapping
from typing import Any

import anyio
from keystone_client_testing import FakeKeystone


class Colour:
    """A client whose ``plan`` and ``apply`` block, whichever client it is."""

    def __init__(self, fake: FakeKeystone, colour: str, **options: Any) -> None:
        self._colour = colour
        self.client: Any = (fake.client if colour == "sync" else fake.async_client)(user="admin", **options)

    def plan(self, *wanted: Any) -> Any:
        return self.run(self.client.plan, *wanted)

    def apply(self, plan: Any, **how: Any) -> Any:
        return self.run(plan.apply, **how)

    def run(self, method: Any, *args: Any, **how: Any) -> Any:
        if self._colour == "sync":
            return method(*args, **how)

        async def call() -> Any:
            return await method(*args, **how)

        return anyio.run(call)


def centre() -> FakeKeystone:
    """Return a fake with ada (owner) and bob in Physics, and eve, whom the directory manages as it does ada and bob."""
    fake = FakeKeystone()
    users = [fake.add.user(username=name, email=f"{name}@x.org", is_ldap_user=True) for name in ("ada", "bob", "eve")]
    team = fake.add.team(name="Physics")
    fake.add.membership(team=team["id"], user=users[0]["id"], role="OW")
    fake.add.membership(team=team["id"], user=users[1]["id"], role="MB")
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
