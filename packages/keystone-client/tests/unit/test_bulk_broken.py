"""Bulk operations whose jobs are answered with 500: no record is written twice or reported wrongly.

A 500 may come before or after the write, from Django or from a front-end web server. The fake injects each; its final
state is compared with what the client reported.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any, NamedTuple

import httpx
import keystone_client._transport.exchange
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import BulkError, DeadlineExceededError, RetryPolicy, ServerError
from keystone_client._bulk.job_outcome import next_size
from keystone_client_testing import FakeKeystone

from .blocking import client_of
from .scripted import Scripted, answer, connect, page

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "Django, before": {"status": 500, "when": "before"},
    "Django, after": {"status": 500, "when": "after"},
    "front end, before": {"error": "html", "status": 500, "when": "before"},
    "front end, after": {"error": "html", "status": 500, "when": "after"},
}
POLICY = RetryPolicy()
GRANT = {"agency": "NSF", "amount": "1.00", "start_date": "2026-01-01"}


class World:
    """A fake with a team, four of its grants, and an owner who is not staff."""

    def __init__(self) -> None:
        self.fake = FakeKeystone()
        self.team = self.fake.add.team(name="Physics")["id"]
        owner = self.fake.add.user(username="owner")
        self.fake.add.membership(team=self.team, user=owner["id"], role="OW")
        self.keys = [self.fake.add.grant(title=f"old {place}", team=self.team)["id"] for place in range(4)]

    def grants(self, number: int = 4) -> list[dict[str, Any]]:
        return [{"title": f"new {place}", "team": self.team, **GRANT} for place in range(number)]

    def publications(self, *dois: str) -> list[dict[str, Any]]:
        return [{"title": "t", "team": self.team, "doi": doi} for doi in dois]

    def table(self, resource: str) -> list[dict[str, Any]]:
        return list(self.fake.world.store.tables[resource].values())

    def jobs(self) -> list[Any]:
        return [entry for entry in self.fake.journal if entry.path == "/batch/"]

    def run(self, colour: str, user: str, method: str, *args: Any, policy: RetryPolicy = POLICY, **how: Any) -> Any:
        client = client_of(self.fake, colour, user=user, retry=policy)
        return getattr(client, method)(*args, **how)


class Operation(NamedTuple):
    """A bulk operation on four records, and how to check in the fake that a record is as intended."""

    method: str
    given: Callable[[World], Any]
    written: Callable[[World], int]
    """Return how many of the four records are as intended."""
    doubled: Callable[[World], bool]


def _twice(world: World, resource: str, field: str) -> bool:
    return any(number > 1 for number in Counter(record[field] for record in world.table(resource)).values())


OPERATIONS = {
    "create, not unique": Operation(
        "bulk_create_grant",
        lambda world: world.grants(),
        lambda world: sum(record["title"].startswith("new") for record in world.table("grant")),
        lambda world: _twice(world, "grant", "title"),
    ),
    "create, unique": Operation(
        "bulk_create_team",
        lambda world: [{"name": f"new {place}"} for place in range(4)],
        lambda world: sum(record["name"].startswith("new") for record in world.table("team")),
        lambda world: _twice(world, "team", "name"),
    ),
    "update": Operation(
        "bulk_update_grant",
        lambda world: {key: {"title": f"new {key}"} for key in world.keys},
        lambda world: sum(record["title"].startswith("new") for record in world.table("grant")),
        lambda world: False,
    ),
    "delete": Operation(
        "bulk_delete_grant",
        lambda world: world.keys,
        lambda world: 4 - len(world.table("grant")),
        lambda world: False,
    ),
}


@pytest.mark.parametrize("times", [1, 2, 9])
@pytest.mark.parametrize("user", ["admin", "owner"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_500_neither_loses_nor_duplicates_records(
    colour: str, operation: str, fault: str, user: str, times: int
) -> None:
    world, tried = World(), OPERATIONS[operation]
    world.fake.fail("POST", "/batch/", times=times, **FAULTS[fault])

    try:
        world.run(colour, user, tried.method, tried.given(world))
        groups = {"completed": 4, "failed": 0, "unknown": 0, "pending": 0}
    except BulkError as error:
        names = ("completed", "failed", "unknown", "pending")
        groups = {name: len(getattr(error, name)) for name in names}

    assert not tried.doubled(world)
    assert sum(groups.values()) == 4
    written = tried.written(world)
    assert groups["completed"] <= written <= groups["completed"] + groups["unknown"]
    world.fake.heal()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_temporary_500_is_retried_where_a_second_write_is_harmless(colour: str, operation: str) -> None:
    world, tried = World(), OPERATIONS[operation]
    world.fake.fail("POST", "/batch/", status=500)

    world.run(colour, "admin", tried.method, tried.given(world))  # staff can see in the log that nothing was written

    assert tried.written(world) == 4


def test_preferences_of_the_caller_are_sent_again_because_there_is_only_one_for_each_user(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500)

    [made] = world.run(colour, "owner", "bulk_create_preference", [{"notify_on_expiration": False}])

    assert [record["id"] for record in world.table("preference")] == [made["id"]]


def test_grants_of_somebody_who_cannot_read_the_log_are_not_sent_again(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500)

    with pytest.raises(BulkError) as caught:
        world.run(colour, "owner", "bulk_create_grant", world.grants(6), chunk_size=4)

    assert caught.value.unknown == world.grants(6)[:4]
    assert caught.value.pending == world.grants(6)[4:]
    assert caught.value.position is None  # one 500 does not blame a record
    assert "wait until it cannot be any more" in str(caught.value)
    assert len(world.jobs()) == 1


def test_a_record_that_conflicts_with_its_own_earlier_write_is_unknown_not_failed(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500, when="after")

    with pytest.raises(BulkError, match="already exists") as caught:
        world.run(colour, "owner", "bulk_create_team", [{"name": "Biology"}, {"name": "Chemistry"}])

    assert [record["name"] for record in caught.value.unknown] == ["Biology", "Chemistry"]
    assert caught.value.failed == []
    assert caught.value.position is None


def test_a_part_of_a_job_that_succeeds_proves_that_the_whole_was_not_written(colour: str) -> None:
    world = World()
    given = world.publications("10.1/a", "10.1/b", "10.1/c", "10.1/d")
    given[3]["doi"] = world.fake.add.publication(team=world.team, doi="10.1/x")["doi"]
    world.fake.fail("POST", "/batch/", error="html", status=500)

    with pytest.raises(BulkError) as caught:
        world.run(colour, "owner", "bulk_create_publication", given, policy=RetryPolicy(attempts=2))

    assert len(caught.value.completed) == 3
    assert caught.value.failed == [given[3]]  # it conflicts with another record: the first job was not written
    assert caught.value.position == 3


def test_a_record_an_earlier_job_may_have_deleted_is_not_reported_missing(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", error="html", status=500, when="after")

    world.run(colour, "owner", "bulk_delete_grant", world.keys, raise_not_exists=True)

    assert world.table("grant") == []


def test_a_protected_record_is_found_and_known_not_to_be_deleted() -> None:
    world = World()
    client = world.fake.client()
    made = client.bulk_create_user([{"username": f"u{place}", "password": "a long secret"} for place in range(30)])
    users = [user["id"] for user in made]
    world.fake.add.request(team=world.team, submitter=users[17])

    with pytest.raises(BulkError, match="still refer to what is deleted") as caught:
        client.bulk_delete_user(users)  # by the user who created them: the log has other rows of that user

    assert caught.value.failed == [users[17]]
    assert caught.value.position is None  # the server has said nothing of it
    assert caught.value.unknown == []
    assert "unknown" not in str(caught.value.__cause__)


@pytest.mark.parametrize("attempts", [1, 2, 3, 4, 6])
@pytest.mark.usefixtures("unforeseen")
def test_no_record_is_sent_more_often_than_the_policy_says(colour: str, attempts: int) -> None:
    world = World()
    given = world.publications(*(f"10.1/{place}" for place in range(50)))
    world.fake.add.publication(team=world.team, doi="")
    given[41]["doi"] = ""  # the server answers 500 to the second one

    with pytest.raises(BulkError) as caught:
        world.run(colour, "admin", "bulk_create_publication", given, policy=RetryPolicy(attempts=attempts))

    sent = Counter(action["payload"]["title"] + str(action["payload"]["doi"]) for job in world.jobs()
                   for action in job.json["job"]["actions"])  # fmt: skip
    assert max(sent.values()) <= attempts
    assert isinstance(caught.value.__cause__, ServerError)
    assert caught.value.position is None
    if attempts > 1:
        assert caught.value.failed == [given[41]] or caught.value.unknown == [given[41]]
        assert len(caught.value.completed) == 41


def test_after_a_500_from_a_front_end_the_server_may_still_be_working(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", error="html", status=500)

    with pytest.raises(BulkError) as caught:
        world.run(colour, "admin", "bulk_create_grant", world.grants())

    assert caught.value.unknown == world.grants()  # the log has no row yet, which proves nothing
    assert len(world.jobs()) == 1


class Slow:
    """A server that works on a job for 40 s, answers 500, and has written nothing; its clock is the test's."""

    def __init__(self) -> None:
        self.now = 1_782_907_200.0
        self.since = ""

    def clock(self) -> float:
        return self.now

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("logs/audit/"):
            self.since = request.url.params["timestamp__gte"]
            return page()(request)
        actions = json.loads(request.content)["job"]["actions"]
        if self.since:
            return answer(200, {"results": [{"body": {"id": 1}} for _ in actions]})(request)
        self.now += 40
        date = formatdate(self.now, usegmt=True)
        return answer(500, b"<h1>Server Error (500)</h1>", content_type="text/html", date=date)(request)


def test_the_log_is_searched_from_before_the_beginning_of_the_job(colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of the job has the time at which it was written, which may be long before the answer."""
    server = Slow()
    begun = datetime.fromtimestamp(server.now, UTC)
    monkeypatch.setattr(keystone_client._transport.exchange, "perf_counter", server.clock)

    connect(colour, Scripted(server)).bulk_create_grant([{"title": "t", "team": 1, **GRANT}])

    assert datetime.fromisoformat(server.since) <= begun - timedelta(seconds=2)  # the clocks may differ a little
    assert datetime.fromisoformat(server.since) > begun - timedelta(seconds=60)


def test_a_failed_check_of_the_log_does_not_affect_later_jobs(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500)
    world.fake.fail("GET", "/logs/audit/", error="timeout", times=4)
    world.fake.fail("POST", "/batch/", status=403, skip=1)

    with pytest.raises(BulkError, match="403") as caught:
        world.run(colour, "admin", "bulk_create_team", [{"name": f"T{place}"} for place in range(4)], chunk_size=2)

    assert [record["name"] for record in caught.value.completed] == ["T0", "T1"]
    assert [record["name"] for record in caught.value.failed] == ["T2", "T3"]


def test_a_wait_beyond_the_deadline_is_not_started(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500, times=None)
    policy = RetryPolicy(backoff=10_000, max_backoff=10_000, deadline=1)

    with pytest.raises(BulkError) as caught:
        world.run(colour, "admin", "bulk_create_grant", world.grants(), policy=policy)

    assert isinstance(caught.value.__cause__, DeadlineExceededError)
    assert caught.value.pending == world.grants()  # staff: the log shows that nothing was written
    assert len(world.jobs()) == 1


def test_the_deadline_ends_the_bisection(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500, times=None, delay=4)

    with pytest.raises(BulkError) as caught:
        world.run(colour, "admin", "bulk_create_grant", world.grants(9), policy=RetryPolicy(attempts=9, deadline=10))

    assert isinstance(caught.value.__cause__, DeadlineExceededError)
    assert len(world.jobs()) <= 3


@pytest.mark.parametrize("attempts", [3, 4, 6])
@pytest.mark.parametrize("chunk_size", [4, 100])
def test_in_a_dry_run_conflicting_records_that_pass_singly_are_not_reported_as_valid(
    colour: str, attempts: int, chunk_size: int
) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500, times=2)  # the whole chunk fails, smaller ones succeed

    with pytest.raises(BulkError, match=r"0, 1, 2, 3.* fail together: try again") as caught:
        world.run(
            colour,
            "admin",
            "bulk_create_grant",
            world.grants(),
            dry_run=True,
            chunk_size=chunk_size,
            policy=RetryPolicy(attempts=attempts),
        )

    assert caught.value.failed == world.grants()
    assert caught.value.unknown == []
    assert caught.value.position is None


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("method", ["bulk_create_team", "bulk_create_grant"])
def test_a_server_that_always_answers_500_blames_no_record(
    colour: str, method: str, number: int, dry_run: bool
) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500, times=None)
    given = world.grants(number) if "grant" in method else [{"name": f"T{place}"} for place in range(number)]

    with pytest.raises(BulkError, match=r"500 says nothing of the records|unknown") as caught:
        world.run(colour, "admin", method, given, dry_run=dry_run)

    assert caught.value.position is None
    assert "to blame" not in str(caught.value)


@pytest.mark.parametrize(("status", "blamed"), [(400, 1), (403, 1), (401, None), (429, None), (500, None), (503, None)])
def test_a_record_is_blamed_only_if_the_server_names_its_action(colour: str, status: int, blamed: int | None) -> None:
    said = {"detail": f"Step #2 failed with status {status}", "step": 2, "status": status, "body": {"detail": "No."}}
    client = connect(colour, Scripted(answer(422, said)), retry=None)

    with pytest.raises(BulkError) as caught:
        client.bulk_create_team([{"name": "A"}, {"name": "B"}])

    assert caught.value.position == blamed


def test_in_a_dry_run_a_temporary_500_is_not_reported(colour: str) -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500)

    results = world.run(colour, "owner", "bulk_create_grant", world.grants(6), chunk_size=4, dry_run=True)

    assert [record["title"] for record in results] == [f"new {place}" for place in range(6)]


def test_a_batch_answered_with_500_is_not_reported_as_unwritten() -> None:
    world = World()
    world.fake.fail("POST", "/batch/", status=500, when="after")
    client = world.fake.client()

    with pytest.raises(ServerError, match="whether it was written is unknown") as caught, client.batch() as job:
        job.create_team(name="Biology")

    assert "wrote nothing" not in str(caught.value)
    assert len(world.jobs()) == 1


@given(number=st.integers(1, 5000), attempts=st.integers(2, 12))
def test_the_last_try_of_a_record_has_a_job_of_its_own(number: int, attempts: int) -> None:
    size = number
    for failures in range(1, attempts):
        following = next_size(size, failures, attempts)
        assert 1 <= following <= size
        size = following
    assert size == 1
