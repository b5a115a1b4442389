"""After a plan was applied, the same plan is empty, whatever the rows hold and whatever was stored before."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from keystone_client import Wanted
from keystone_client_testing import FakeKeystone

from .plan_rows import KEYS, SOURCES, TEAMS, USERS


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
