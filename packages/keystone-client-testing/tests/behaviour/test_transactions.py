"""Transactions that other writers hold open: their ids are assigned, their rows invisible until the commit."""

from collections.abc import Callable

import httpx
import pytest
from keystone_client import KeystoneClient, RequestTimeoutError
from keystone_client_testing import FakeKeystone, HeldTransaction

from .conftest import Session

TEAMS = "users/teams/"
BATCH = "batch/"


def names(fake: FakeKeystone) -> list[str]:
    with fake.client() as client:
        return [team["name"] for team in client.retrieve_team(order="id")]


def job(*teams: str) -> dict[str, object]:
    actions = [{"method": "POST", "path": "/users/teams/", "payload": {"name": name}} for name in teams]
    return {"job": {"actions": actions}}


@pytest.fixture
def held(fake: FakeKeystone, admin: Session) -> HeldTransaction:
    """Hold open a job of another writer that has created teams 1 and 2."""
    with fake.hold() as held:
        assert admin("POST", BATCH, json=job("A", "B")).status_code == 200
        assert names(fake) == ["A", "B"]  # the writer itself sees its rows
    return held


def test_uncommitted_rows_are_invisible_and_other_writers_get_higher_ids(
    fake: FakeKeystone, admin: Session, held: HeldTransaction
) -> None:
    first = max(fake.world.store.tables["audit_log"])
    assert names(fake) == []
    assert admin("GET", f"{TEAMS}1/").status_code == 404
    assert admin("POST", TEAMS, json={"name": "C"}).json()["id"] == 3
    assert fake.add.team(name="D")["id"] == 4
    assert sorted(fake.world.store.tables["audit_log"]) == [first, first + 3, first + 4]
    held.commit()
    assert names(fake) == ["A", "B", "C", "D"]
    assert sorted(fake.world.store.tables["audit_log"]) == [first, first + 1, first + 2, first + 3, first + 4]


def test_a_reader_that_remembers_the_last_id_loses_what_commits_later(
    fake: FakeKeystone, admin: Session, held: HeldTransaction
) -> None:
    admin("POST", TEAMS, json={"name": "C"})
    with fake.client() as client:
        last = client.retrieve_audit_log(order="-id", limit=1)[0]["id"]
        held.commit()
        assert client.retrieve_audit_log(filters={"id__gt": last}) == []
        assert client.count_audit_log() == 4


def test_a_request_of_a_transaction_is_logged_with_the_time_of_its_end(
    fake: FakeKeystone, held: HeldTransaction
) -> None:
    fake.clock.advance(40)
    ended = fake.clock.now()
    held.commit()
    (row,) = [row for row in fake.world.store.tables["request_log"].values() if row["endpoint"].endswith("batch/")]
    assert row["timestamp"] >= ended


def test_rolled_back_rows_never_appear_and_their_ids_stay_lost(
    fake: FakeKeystone, admin: Session, held: HeldTransaction
) -> None:
    held.rollback()
    assert names(fake) == []
    assert admin("POST", TEAMS, json={"name": "A"}).json()["id"] == 3


def test_a_request_is_logged_when_it_ends(fake: FakeKeystone, held: HeldTransaction) -> None:
    def logged() -> list[str]:
        return [row["endpoint"] for row in fake.world.store.tables["request_log"].values()]

    assert "/batch/" not in logged()
    held.commit()
    assert "/batch/" in logged()


def test_changes_and_deletions_are_held_too(fake: FakeKeystone, admin: Session) -> None:
    for name in ("A", "B"):
        fake.add.team(name=name)
    with fake.hold() as held:
        admin("PATCH", f"{TEAMS}1/", json={"is_active": False})
        admin("DELETE", f"{TEAMS}2/")
    assert admin("GET", f"{TEAMS}1/").json()["is_active"]
    assert names(fake) == ["A", "B"]
    held.commit()
    assert not admin("GET", f"{TEAMS}1/").json()["is_active"]
    assert names(fake) == ["A"]


def test_an_exception_in_the_block_rolls_it_back(fake: FakeKeystone) -> None:
    found: list[HeldTransaction] = []

    def fail_inside() -> None:
        with fake.hold() as held:
            found.append(held)
            fake.add.team()
            raise KeyError

    with pytest.raises(KeyError):
        fail_inside()
    assert names(fake) == []
    with pytest.raises(RuntimeError, match="this held transaction is rolled back"):
        found[0].commit()


def test_a_transaction_ends_once_and_after_its_block(fake: FakeKeystone) -> None:
    with fake.hold() as held:
        with pytest.raises(RuntimeError, match="still in its block"):
            held.commit()
        fake.add.team()
    assert repr(held) == "<HeldTransaction open, 2 records>"
    held.commit()
    for end in (held.commit, held.rollback):
        with pytest.raises(RuntimeError, match="this held transaction is committed"):
            end()


def test_several_transactions_can_be_open_at_once(fake: FakeKeystone) -> None:
    with fake.hold() as first:
        fake.add.team(name="A")
    with fake.hold() as second:
        fake.add.team(name="B")
    second.commit()
    assert names(fake) == ["B"]
    first.commit()
    assert names(fake) == ["A", "B"]


def test_a_write_of_a_unique_value_waits_for_its_owner_and_fails(
    fake: FakeKeystone, admin: Session, held: HeldTransaction
) -> None:
    assert admin("POST", TEAMS, json={"name": "B"}).status_code == 500
    assert (held.state, names(fake)) == ("committed", ["A", "B"])
    assert admin("POST", TEAMS, json={"name": "C"}).json()["id"] == 4


def test_a_write_of_the_same_record_waits_and_overwrites_the_whole_record(fake: FakeKeystone, admin: Session) -> None:
    fake.add.cluster(name="A", description="old")
    with fake.hold() as held:
        admin("PATCH", "allocations/clusters/1/", json={"description": "held"})
    assert admin("PATCH", "allocations/clusters/1/", json={"enabled": False}).status_code == 200
    shown = admin("GET", "allocations/clusters/1/").json()
    assert (held.state, shown["enabled"], shown["description"]) == ("committed", False, "old")
    assert len(shown["_history"]) == 3


def test_a_transaction_cannot_commit_a_reference_to_a_deleted_record(fake: FakeKeystone, admin: Session) -> None:
    team = fake.add.team()["id"]
    with fake.hold() as held:
        fake.add.grant(team=team)
    assert admin("DELETE", f"{TEAMS}{team}/").status_code == 204
    with pytest.raises(RuntimeError, match="rolled back: grant 1 points at team 1, which has been deleted meanwhile"):
        held.commit()
    assert held.state == "rolled back"


def test_a_transaction_cannot_commit_a_unique_value_a_seed_has_taken(fake: FakeKeystone, held: HeldTransaction) -> None:
    fake.add.team(name="B", slug="other")
    with pytest.raises(RuntimeError, match="a team with name 'B' has been written meanwhile"):
        held.commit()


@pytest.mark.parametrize("end", ["reset", "restore", "load"])
def test_reset_restore_and_load_end_an_open_transaction(fake: FakeKeystone, end: str) -> None:
    snapshot, dump = fake.snapshot(), fake.dump()
    with fake.hold() as held:
        fake.add.team()
    assert (fake.dump() == dump) is False  # the ids stay assigned
    assert fake.snapshot().store[0] == snapshot.store[0]
    ends: dict[str, Callable[[], None]] = {
        "reset": fake.reset, "restore": lambda: fake.restore(snapshot), "load": lambda: fake.load(dump),
    }  # fmt: skip
    ends[end]()
    with pytest.raises(RuntimeError, match="dropped by a reset, a restore or a load"):
        held.commit()


# a client that gives up while the server is at work


def test_a_lost_answer_is_followed_by_the_write(fake: FakeKeystone) -> None:
    fake.fail("POST", TEAMS, error="timeout", when="after", visible_after=5)
    with fake.client(retry=None) as client:
        with pytest.raises(RequestTimeoutError):
            client.create_team(name="A")
        assert client.count_team() == 0
        client.create_team(name="B")
        fake.clock.advance(5)
        assert [team["id"] for team in client.retrieve_team(order="id")] == [1, 2]


@pytest.mark.parametrize("kind", [{"error": "html", "status": 504}, {"status": 500}, {"error": "reset"}], ids=repr)
def test_a_job_is_at_work_while_a_front_end_has_given_up(
    fake: FakeKeystone, admin: Session, kind: dict[str, object]
) -> None:
    fake.fail("POST", "/batch/", when="after", visible_after=30, **kind)  # type: ignore[arg-type]  # kinds of faults
    try:
        assert admin("POST", BATCH, json=job("A", "B")).status_code == kind["status"]
    except httpx.TransportError:
        assert kind == {"error": "reset"}
    assert [change.id for change in fake.journal[-1].changes if change.resource == "team"] == [1, 2]
    assert names(fake) == []
    fake.clock.advance(30)
    assert names(fake) == ["A", "B"]


def test_a_second_try_meets_the_first_where_a_value_is_unique_and_doubles_it_elsewhere(fake: FakeKeystone) -> None:
    team = fake.add.team()["id"]
    grant = {"title": "G", "agency": "NSF", "amount": 1, "grant_number": "1", "start_date": "2024-01-01", "team": team}
    fake.fail("POST", error="timeout", when="after", visible_after=60, times=2)
    token = {"Authorization": f"Token {fake.add.token()}"}
    with httpx.Client(base_url=fake.url, transport=fake.transport, headers=token) as client:
        for path, body in ((TEAMS, {"name": "A"}), ("research/grants/", grant)):
            with pytest.raises(httpx.ReadTimeout):
                client.post(path, json=body)
        assert client.post(TEAMS, json={"name": "A"}).status_code == 500
        assert client.post("research/grants/", json=grant).json()["id"] == 2
        fake.clock.advance(60)
        assert client.get("research/grants/").json()["count"] == 2


def test_a_lost_answer_over_the_loopback_server_is_followed_by_the_write(fake: FakeKeystone) -> None:
    fake.fail("POST", "/batch/", error="reset", when="after", visible_after=30)
    token = fake.add.token()
    with fake.serve() as url, KeystoneClient(url, token=token, retry=None) as client:
        with pytest.raises(Exception, match="batch"):
            client.http_post("batch/", json=job("A"))
        assert client.count_team() == 0
        fake.clock.advance(30)
        assert client.count_team() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"error": "timeout", "visible_after": 1}, "visible_after= is for a lost answer"),
        ({"when": "after", "delay": 1, "visible_after": 1}, "visible_after= is for a lost answer"),
        ({"when": "after", "error": "expired", "visible_after": 1}, "visible_after= is for a lost answer"),
        ({"when": "after", "error": "timeout", "visible_after": -1}, "visible_after=-1 is negative"),
    ],
)
def test_invalid_arguments_are_refused(fake: FakeKeystone, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fake.fail(**options)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("database", ["sqlite"])
def test_sqlite_has_no_concurrent_transactions(fake: FakeKeystone) -> None:
    for hold in (fake.hold, lambda: fake.fail(error="timeout", when="after", visible_after=1)):
        with pytest.raises(ValueError, match="needs a fake with database='postgresql': on sqlite writes"):
            hold()
