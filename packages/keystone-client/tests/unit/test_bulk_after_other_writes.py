"""A job answered with 500, just after other writes of the same client: their rows in the audit log are not the job's.

The rows of the log name the client, not the job. Which of them the job has written shows in their keys: they are higher
than all that the server had answered before the job was sent.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from keystone_client import BulkError
from keystone_client_testing import FakeKeystone

GRANT = {"agency": "NSF", "amount": "1.00", "start_date": "2026-01-01"}


class World:
    """A fake with a team, whose server gives the keys of undone records again, as SQLite does."""

    def __init__(self) -> None:
        self.fake = FakeKeystone(database="sqlite")
        self.team = self.fake.add.team(name="Physics")["id"]
        self.client: Any = self.fake.client()

    def grants(self, word: str) -> list[dict[str, Any]]:
        return [{"title": f"{word} {place}", "team": self.team, **GRANT} for place in range(4)]

    def titles(self) -> Counter[str]:
        return Counter(grant["title"] for grant in self.fake.world.store.tables["grant"].values())


def by_bulk(world: World, **how: Any) -> None:
    world.client.bulk_create_grant(world.grants("old"), **how)


def by_batch(world: World, **how: Any) -> None:
    with world.client.batch(**how) as job:
        for fields in world.grants("old"):
            job.create_grant(**fields)


def one_by_one(world: World) -> None:
    for fields in world.grants("old"):
        world.client.create_grant(**fields)


KEPT: Mapping[str, Callable[[World], None]] = {"bulk": by_bulk, "batch": by_batch, "create": one_by_one}
UNDONE: Mapping[str, Callable[..., None]] = {"bulk": by_bulk, "batch": by_batch}


@pytest.mark.parametrize("earlier", KEPT)
def test_a_job_that_wrote_nothing_is_sent_again_whatever_the_client_wrote_before(earlier: str) -> None:
    world = World()
    KEPT[earlier](world)
    world.fake.fail("POST", "/batch/", status=500)

    world.client.bulk_create_grant(world.grants("new"))

    assert world.titles() == Counter(f"{word} {place}" for word in ("old", "new") for place in range(4))


@pytest.mark.parametrize("earlier", KEPT)
def test_a_job_that_was_written_is_not_sent_again_whatever_the_client_wrote_before(earlier: str) -> None:
    world = World()
    KEPT[earlier](world)
    world.fake.fail("POST", "/batch/", status=500, when="after")

    with pytest.raises(BulkError) as caught:
        world.client.bulk_create_grant(world.grants("new"))

    assert caught.value.unknown == world.grants("new")
    assert set(world.titles().values()) == {1}


def expect_unknown_grants(world: World) -> None:
    """Create grants by a job that is answered with a 500 after it was written; all are reported as unknown."""
    world.fake.fail("POST", "/batch/", status=500, when="after")

    with pytest.raises(BulkError) as caught:
        world.client.bulk_create_grant(world.grants("new"))

    assert caught.value.unknown == world.grants("new")
    assert world.titles() == Counter(f"new {place}" for place in range(4))


@pytest.mark.parametrize("earlier", UNDONE)
def test_the_keys_of_a_dry_run_are_given_again_so_they_prove_nothing(earlier: str) -> None:
    world = World()
    UNDONE[earlier](world, dry_run=True)
    expect_unknown_grants(world)


def test_a_server_that_begins_anew_begins_with_low_keys_again() -> None:
    world = World()
    by_bulk(world)
    world.fake.reset()
    world.team = world.fake.add.team(name="Physics")["id"]
    world.client.login("admin", "quickstart")
    expect_unknown_grants(world)


def test_a_later_key_that_another_thread_is_answered_meanwhile_proves_nothing() -> None:
    world = World()

    def another(response: Any) -> None:
        if response.status_code == 500:
            client.create_grant(**world.grants("other")[0])

    client: Any = world.fake.client(event_hooks={"response": [another]})
    world.fake.fail("POST", "/batch/", status=500, when="after")

    with pytest.raises(BulkError) as caught:
        client.bulk_create_grant(world.grants("new"))

    assert caught.value.unknown == world.grants("new")
    assert world.titles() == Counter(["other 0", *(f"new {place}" for place in range(4))])
