"""Plans beside what they are made of: comparing beside listing, and applying beside ``bulk_create_x``.

With ``KEYSTONE_URL``, ``KEYSTONE_USERNAME`` and ``KEYSTONE_PASSWORD`` the creates go to that server, and are deleted
again. The comparison is always measured on the fake, which holds as many records as it needs.
"""

import gc
import uuid
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

from bulk import server
from compare import Action, report, timed
from keystone_client import KeystoneClient, Wanted
from keystone_client_testing import FakeKeystone

USERS, TEAMS, MEMBERSHIPS = 10_000, 200, 12_000
CREATES = 500
TURNS = 5


def crowd() -> tuple[FakeKeystone, list[Wanted]]:
    """Return a fake with many people, and a source that wants just these."""
    fake = FakeKeystone()
    users = [{"username": f"user{number}", "email": f"user{number}@x.org"} for number in range(USERS)]
    teams = [{"name": f"Team {number}"} for number in range(TEAMS)]
    user_keys = [fake.add.user(**user)["id"] for user in users]
    team_keys = [fake.add.team(**team)["id"] for team in teams]
    pairs = [(number % USERS, (number * 7 + number // USERS) % TEAMS) for number in range(MEMBERSHIPS)]
    for user, team in pairs:
        fake.add.membership(user=user_keys[user], team=team_keys[team], role="MB")
    members = [{"user": f"user{user}", "team": f"Team {team}", "role": "MB"} for user, team in pairs]
    return fake, [Wanted("user", users), Wanted("team", teams), Wanted("membership", members)]


def compare_nothing_to_do() -> None:
    """Compare a plan that finds nothing to do with the three listings that it makes."""
    fake, wanted = crowd()
    gc.collect()
    gc.freeze()  # the records of the fake are in this process; those of a server are not, and no collection visits them
    with fake.client() as client:

        def plan() -> None:
            found = client.plan(*wanted)
            assert found.as_wanted == USERS + TEAMS + MEMBERSHIPS

        ways: dict[str, Action] = {
            "plan": plan,
            "listings": lambda: [client.retrieve_user(), client.retrieve_team(), client.retrieve_membership()],
        }
        times = timed(ways, 3)
    report(f"{USERS:,} users, {MEMBERSHIPS:,} members, nothing to do / listed", times["plan"], times["listings"], 1.25)


def compare_creates(url: str, login: dict[str, str]) -> None:
    """Compare applying a plan of creates with creating the same number of records in bulk."""
    mark = f"bench-{uuid.uuid4().hex[:8]}"
    numbers = count()

    def rows() -> Iterator[Any]:
        return ({"name": f"{mark}-{number}"} for number in islice(numbers, CREATES))

    with KeystoneClient(url) as client:
        client.login(**login)
        plans = [client.plan(Wanted("cluster", rows())) for _ in range(TURNS + TURNS // 10 + 1)]
        ways: dict[str, Action] = {
            "bulk": lambda: client.bulk_create_cluster(rows()),
            "plan": lambda: plans.pop().apply(),
        }
        try:
            times = timed(ways, TURNS)
        finally:
            mine = client.retrieve_cluster(filters={"name__startswith": mark})
            client.bulk_delete_cluster(cluster["id"] for cluster in mine)
    report(f"{CREATES} creates: plan applied / bulk", times["plan"], times["bulk"], 1.1)


if __name__ == "__main__":
    compare_nothing_to_do()
    with server() as (address, credentials):
        compare_creates(address, credentials)
