"""Clients of every role that the fake provides."""

import contextlib

import anyio
import pytest
from keystone_client import PermissionDeniedError
from keystone_client_testing import FakeKeystone


def test_each_role_may_do_what_the_server_lets_it(fake: FakeKeystone) -> None:
    team = fake.add.team(name="Physics")
    may_add = []
    for role in ("outsider", "superuser", "member", "team_admin", "owner", "staff"):
        user = fake.add.user()
        of = team if role in ("member", "team_admin", "owner") else None
        with fake.client(role=role, team=of) as client, contextlib.suppress(PermissionDeniedError):
            client.create_membership(team=team["id"], user=user["id"], role="MB")
            may_add.append(role)
    assert may_add == ["team_admin", "owner", "staff"]


def test_the_user_of_a_role_is_made_once_for_each_team(fake: FakeKeystone) -> None:
    one, two = fake.add.team(), fake.add.team()
    assert fake.add.actor("owner", one)["id"] == fake.add.actor("owner", one["id"])["id"]
    assert fake.add.actor("owner") == fake.add.actor("owner", two)
    assert fake.add.actor("owner", one)["id"] != fake.add.actor("owner", two)["id"]
    assert fake.add.actor("staff")["is_staff"] is True


def test_a_team_is_made_where_a_role_needs_one(fake: FakeKeystone) -> None:
    with fake.client(role="member") as client:
        assert client.count_team() == 1


def test_an_anonymous_client_is_available_too(fake: FakeKeystone) -> None:
    with fake.client(user=None) as client:
        assert client.is_authenticated() is False

    async def main() -> bool:
        async with fake.async_client(role="staff") as client:
            return await client.is_authenticated()

    assert anyio.run(main) is True


def test_an_unknown_role_is_refused(fake: FakeKeystone) -> None:
    with pytest.raises(ValueError, match="role='boss' is unknown: one of outsider"):
        fake.client(role="boss")
    with pytest.raises(ValueError, match="role='staff' has no team"):
        fake.client(role="staff", team=1)


class Whole:
    """An integer of another library, such as numpy's."""

    def __index__(self) -> int:
        return 1


def test_the_team_of_a_role_is_a_record_an_id_of_any_kind_or_a_name(fake: FakeKeystone) -> None:
    team = fake.add.team(name="Stars and more")
    owner = fake.add.actor("owner", team)
    for same in (1, "1", Whole(), "Stars and more"):
        assert fake.add.actor("owner", same) == owner
    with fake.client(Whole()) as client:
        user = client.whoami()
        assert user is not None
        assert user["username"] == "admin"
    for wrong in (True, 1.5, "Physics", 9, fake.add.cluster()):
        with pytest.raises(LookupError, match="no team"):
            fake.add.actor("owner", wrong)
