"""Bulk operations when the server throttles, fails or does not answer: no record is lost or written twice."""

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import httpx
import pytest
from keystone_client import (
    BulkError,
    DeadlineExceededError,
    DecodeError,
    FieldError,
    JobError,
    RetryPolicy,
    ThrottledError,
    TransportError,
)
from keystone_client_testing import FakeKeystone

from .blocking import client_of
from .scripted import Scripted, answer, connect, failure
from .test_hooks import hook


@pytest.fixture
def fake() -> FakeKeystone:
    """Return a fake that refuses all jobs after the thousandth: its clock would let a client try for ever."""
    world = FakeKeystone()
    world.fail("POST", "/batch/", status=403, skip=1_000, times=None)
    return world


def rows(number: int) -> list[dict[str, Any]]:
    return [{"name": f"C{place}"} for place in range(number)]


def names(fake: FakeKeystone) -> list[str]:
    return [record["name"] for record in fake.world.store.tables["cluster"].values()]


def sizes(fake: FakeKeystone) -> list[int]:
    """The number of actions in each job that was sent."""
    return [len(entry.json["job"]["actions"]) for entry in jobs(fake)]


def jobs(fake: FakeKeystone) -> list[Any]:
    return [entry for entry in fake.journal if entry.path == "/batch/"]


def test_under_the_default_throttle_all_records_are_written_once(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="300/min")
    start = fake.clock.time()

    made = client_of(fake, colour).bulk_create_cluster(rows(700))

    assert [record["name"] for record in made] == [f"C{place}" for place in range(700)]
    assert max(Counter(names(fake)).values()) == 1
    assert fake.clock.time() - start < 200  # 700 records at 300 per minute take three throttle windows


def test_a_limit_below_the_chunk_size_makes_the_chunks_smaller(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="20/min")

    made = client_of(fake, colour).bulk_create_cluster(rows(50), chunk_size=30)

    assert [record["name"] for record in made] == [f"C{place}" for place in range(50)]
    assert names(fake) == [f"C{place}" for place in range(50)]
    assert sizes(fake)[:3] == [30, 30, 19]  # the job request itself counts towards the throttle


def test_tries_are_a_whole_throttle_window_apart(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="10/min")
    moments: list[float] = []

    def note(response: httpx.Response) -> None:
        if response.status_code == 429:
            moments.append(fake.clock.time())

    client = client_of(fake, colour, event_hooks={"response": [hook(colour, note)]})
    client.bulk_create_cluster(rows(30), chunk_size=9)

    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps
    assert all(gap >= 60 for gap in gaps)


def test_a_throttle_that_asks_for_more_than_a_minute_is_waited_out_whole(colour: str) -> None:
    asked = answer(429, {"detail": "Wait."}, retry_after="100")
    client = connect(colour, Scripted(asked, answer(200, {"results": [{"body": {"id": 1, "name": "C0"}}]})))

    client.bulk_create_cluster(rows(1))

    assert client.pauses == [100]


def test_throttle_waits_are_limited_by_the_deadline_not_by_attempts(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="10/min")
    client = client_of(fake, colour, retry=RetryPolicy(attempts=2, deadline=130))

    with pytest.raises(BulkError) as caught:
        client.bulk_create_cluster(rows(100), chunk_size=9)

    error = caught.value
    assert isinstance(error.__cause__, DeadlineExceededError)
    assert [record["name"] for record in error.completed] == names(fake)
    assert [record["name"] for record in error.completed] + [row["name"] for row in error.pending] == [
        f"C{place}" for place in range(100)
    ]


def test_without_retries_the_client_does_not_wait(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="10/min")

    with pytest.raises(BulkError) as caught:
        client_of(fake, colour, retry=None).bulk_create_cluster(rows(12), chunk_size=6)

    assert isinstance(caught.value.__cause__, JobError)
    assert caught.value.failed == rows(12)[6:]


def test_the_client_gives_up_on_a_server_that_always_answers_429(colour: str) -> None:
    client = connect(colour, Scripted(answer(429, {"detail": "No."})), retry=RetryPolicy(attempts=3))
    with pytest.raises(BulkError) as caught:
        client.bulk_create_cluster(rows(2))
    assert isinstance(caught.value.__cause__, ThrottledError)
    assert client.pauses == [60.0] * 3


def test_the_client_gives_up_on_a_throttle_below_one_job(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="1/min")

    with pytest.raises(BulkError, match="throttled"):
        client_of(fake, colour).bulk_create_cluster(rows(3))

    assert len(jobs(fake)) < 10
    assert names(fake) == []


def test_a_throttle_of_one_record_per_window_still_lets_all_in(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="2/min")

    made = client_of(fake, colour, retry=RetryPolicy(deadline=3600)).bulk_create_cluster(rows(3))

    assert [record["name"] for record in made] == names(fake) == ["C0", "C1", "C2"]


def test_a_wait_longer_than_the_policy_allows_raises(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="3/h")
    client = client_of(fake, colour)

    with pytest.raises(BulkError) as caught:
        client.bulk_create_cluster(rows(4), chunk_size=2)

    assert isinstance(caught.value.__cause__, ThrottledError)
    assert [record["name"] for record in caught.value.completed] == ["C0", "C1"]


def test_a_wait_of_exactly_the_allowed_length_is_waited(fake: FakeKeystone, colour: str) -> None:
    fake.throttle(user="10/min")

    made = client_of(fake, colour, retry=RetryPolicy(max_retry_after=60)).bulk_create_cluster(rows(12), chunk_size=6)

    assert len(made) == 12


def test_the_first_job_has_a_hundred_records(fake: FakeKeystone, colour: str) -> None:
    client_of(fake, colour).bulk_create_cluster(rows(150))

    assert sizes(fake) == [100, 50]


@pytest.mark.parametrize("error", ["reset", "timeout", "cut"])
def test_when_an_answer_is_lost_its_records_are_unknown(fake: FakeKeystone, colour: str, error: str) -> None:
    client = client_of(fake, colour)
    made = client.bulk_create_cluster(rows(2))
    fake.fail("POST", "/batch/", error=error, when="after")

    with pytest.raises(BulkError) as caught:
        client.bulk_create_cluster([{"name": f"D{place}"} for place in range(6)], chunk_size=2)

    bulk_error = caught.value
    assert isinstance(bulk_error.__cause__, TransportError | DecodeError)
    assert "wait until it cannot be any more" in str(bulk_error)
    assert "look for one (they are in all together or not at all)" in str(bulk_error)
    assert ("longer timeout" in str(bulk_error)) == (error == "timeout")
    assert bulk_error.unknown == [{"name": "D0"}, {"name": "D1"}]
    assert bulk_error.pending == [{"name": f"D{place}"} for place in range(2, 6)]
    assert bulk_error.completed == bulk_error.failed == []
    assert names(fake) == [record["name"] for record in made] + ["D0", "D1"]  # and not twice


@pytest.mark.parametrize("status", [502, 503, 504])
def test_when_a_proxy_answers_the_records_are_unknown(fake: FakeKeystone, colour: str, status: int) -> None:
    fake.fail("POST", "/batch/", status=status, when="after")

    with pytest.raises(BulkError) as caught:
        client_of(fake, colour).bulk_create_cluster(rows(3))

    assert caught.value.unknown == rows(3)
    assert len(names(fake)) == 3


def test_when_no_connection_can_be_made_the_records_are_pending(fake: FakeKeystone, colour: str) -> None:
    fake.fail("POST", "/batch/", error="connect", times=4)

    with pytest.raises(BulkError) as caught:
        client_of(fake, colour).bulk_create_cluster(rows(3), chunk_size=2)

    assert caught.value.pending == rows(3)
    assert names(fake) == []


def test_the_operation_continues_when_the_connection_recovers(fake: FakeKeystone, colour: str) -> None:
    fake.fail("POST", "/batch/", error="connect", times=2)

    client_of(fake, colour).bulk_create_cluster(rows(3))

    assert len(names(fake)) == 3


def test_a_single_500_loses_no_record(fake: FakeKeystone, colour: str) -> None:
    fake.fail("POST", "/batch/", status=500)

    made = client_of(fake, colour).bulk_create_cluster(rows(10), chunk_size=10)

    assert [record["name"] for record in made] == [f"C{place}" for place in range(10)]
    assert sizes(fake)[0] == 10
    assert max(Counter(names(fake)).values()) == 1


@pytest.mark.usefixtures("unforeseen")
def test_bisection_finds_the_record_that_crashes_the_server_in_few_jobs(fake: FakeKeystone, colour: str) -> None:
    team = fake.add.team()["id"]
    fake.add.publication(team=team, doi="")
    given = [{"title": "t", "team": team, "doi": f"d{place}"} for place in range(64)]
    given[41]["doi"] = ""  # the server answers 500 to the second one

    with pytest.raises(BulkError) as caught:
        client_of(fake, colour).bulk_create_publication(given)

    assert caught.value.failed == [given[41]]
    assert caught.value.position is None  # a 500 does not say which record is at fault
    assert len(caught.value.completed) == 41
    assert len(jobs(fake)) <= 14  # bisecting 64 records takes six steps


def test_chunks_stay_below_the_body_limit_of_front_end_servers(colour: str) -> None:
    def reply(request: Any) -> Any:
        number = len(json.loads(request.content)["job"]["actions"])
        steps = [{"body": {"id": place}} for place in range(number)]
        return answer(200, {"results": steps})(request)

    transport = Scripted(reply)
    records = [{"title": "é" * 100, "team": 1, "abstract": "é" * 50_000} for _ in range(20)]
    client = connect(colour, transport)

    client.bulk_create_publication(records)

    lengths = [len(sent.content) for sent in transport.requests]
    assert max(lengths) <= 900_000
    assert len(lengths) == 3  # 100 kB each


def test_a_file_is_refused_in_a_bulk_operation(colour: str) -> None:
    transport = Scripted()

    with pytest.raises(FieldError, match="file"):
        connect(colour, transport).bulk_update_attachment({1: {"file": "a.txt"}})

    assert transport.requests == []


def test_a_dropped_field_is_reported(colour: str) -> None:
    transport = Scripted(answer(200, {"results": [{"body": {"id": 7, "is_staff": False}}]}))

    with pytest.raises(FieldError, match="is_staff") as caught:
        connect(colour, transport).bulk_update_user({7: {"is_staff": True}})

    assert caught.value.position == 0


def test_an_expired_session_fails_the_chunk(fake: FakeKeystone, colour: str) -> None:
    client = client_of(fake, colour)
    fake.fail("POST", "/batch/", status=401)

    with pytest.raises(BulkError, match="401") as caught:
        client.bulk_create_cluster(rows(3), chunk_size=2)

    assert caught.value.failed == rows(2)
    assert caught.value.pending == rows(3)[2:]
    assert caught.value.cid == client.client.cid


def test_when_the_deadline_passes_before_the_answer_the_records_are_unknown(colour: str) -> None:
    client = connect(colour, Scripted(failure(httpx.ReadTimeout)), retry=RetryPolicy(deadline=10))
    moments = iter([0.0, 0.0, 0.0, *[20.0] * 100])
    client.client._session.clock = lambda: next(moments)

    with pytest.raises(BulkError) as caught:
        client.bulk_create_cluster(rows(2))

    assert caught.value.unknown == rows(2)


def test_missing_keys_are_found_with_one_listing(fake: FakeKeystone, colour: str) -> None:
    keys = [fake.add.cluster(name=f"C{place}")["id"] for place in range(150)]

    client_of(fake, colour).bulk_delete_cluster([keys[-1] + 1, *keys], chunk_size=200)

    assert names(fake) == []
    [look] = [entry for entry in fake.journal if entry.method == "GET"]
    assert look.path == "/allocations/clusters/"
    assert f"id__in={keys[-1] + 1},{keys[0]}," in look.query


def test_a_key_given_twice_is_deleted_once(fake: FakeKeystone, colour: str) -> None:
    key = fake.add.cluster(name="C")["id"]

    client_of(fake, colour).bulk_delete_cluster([key, str(key)])

    assert sizes(fake) == [1]
