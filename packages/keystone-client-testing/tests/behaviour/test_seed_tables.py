"""Seeds of what only the server itself writes: audit rows, metadata, logs, health checks."""

from typing import Any

import anyio
import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session


def test_an_audit_row_of_another_time_appears_in_the_log_and_in_the_history_of_its_record(fake: FakeKeystone) -> None:
    bob = fake.add.user(username="bob", email="bob@example.org")
    team = fake.add.team(name="Physics")
    row = fake.add.as_of("2024-01-05", by="bob").audit_log(
        record_name="users | Team",
        record_id=team["id"],
        action="update",
        changes={"name": ["Physic", "Physics"]},
        cid="00000000-0000-4000-8000-000000000000",
        remote_addr="192.0.2.7",
        remote_port=443,
    )
    assert {
        name: row[name] for name in ("record_name", "record_id", "action", "actor", "timestamp", "remote_port")
    } == {
        "record_name": "users | Team",
        "record_id": team["id"],
        "action": "update",
        "actor": bob["id"],
        "timestamp": "2024-01-05T00:00:00Z",
        "remote_port": 443,
    }
    with fake.client() as client:
        assert client.retrieve_audit_log(row["id"]) == row
        assert client.retrieve_audit_log(filters={"actor_email": "bob@example.org"}) == [row]
        history = [entry["changes"] for team in client.retrieve_team() for entry in team["_history"]]
        assert history[0] == {"name": ["Physic", "Physics"]}
        feed = client.retrieve_feed_entry(filters={"record_type": "audit"})
        assert [entry["summary"] for entry in feed if entry["record_id"] == row["id"]] == ["Team #1 - Physics"]


def test_an_audit_row_may_be_about_a_record_that_is_gone(fake: FakeKeystone) -> None:
    row = fake.add.audit_log(record_name="allocations | Cluster", record_id=99, action="delete")
    assert (row["record_id"], row["action"], row["actor"]) == (99, "delete", None)
    assert fake.add.audit_log()["record_name"] == "users | User"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"record_name": "team"}, "record_name.*users | Team"),
        ({"record_id": 0}, "positive integer"),
        ({"action": "rename"}, "action.*create, update, delete, access"),
        ({"action": 1}, "action.*create, update, delete, access"),
        ({"object_id": 5}, "object_id.*record_name and record_id"),
        ({"remote_addr": "elsewhere"}, "remote_addr.*IPv4 or IPv6"),
        ({"remote_addr": ""}, "remote_addr.*IPv4 or IPv6"),
        ({"remote_port": -1}, "remote_port.*from 0"),
        ({"timestamp": "now"}, "timestamp"),
        ({"cid": "x" * 256}, "cid.*256 characters"),
    ],
)
def test_an_audit_row_the_server_could_not_hold_is_refused(
    fake: FakeKeystone, fields: dict[str, Any], text: str
) -> None:
    before = fake.dump()
    with pytest.raises(ValueError, match=text):
        fake.add.audit_log(**fields)
    assert fake.dump() == before


def test_the_metadata_of_a_notification_are_kept_in_dumps_and_snapshots(fake: FakeKeystone) -> None:
    row = fake.add.notification(notification_type="RE", metadata={"request_id": 5, "days_to_expire": 14})
    assert "metadata" not in row  # as on the server, no endpoint returns them
    other = FakeKeystone()
    other.load(fake.dump())
    assert other.world.store.tables["notification"][row["id"]]["metadata"] == {"request_id": 5, "days_to_expire": 14}
    assert other.add.notification(user=row["user"], notification_type="RE", metadata={"request_id": 6})
    for _ in range(2):  # notifications without metadata are not unique
        fake.add.notification(user=row["user"])
    assert fake.add.change("notification", row, metadata=None)["id"] == row["id"]


def test_metadata_of_an_open_transaction_can_conflict_with_those_of_another(fake: FakeKeystone) -> None:
    with fake.hold() as held:
        fake.add.notification(user=1, metadata={"days": [1]})
    fake.add.notification(user=1, metadata={"days": [1]})
    with pytest.raises(RuntimeError, match="metadata"):
        held.commit()


def test_every_table_can_be_seeded_as_the_logs_have_it(fake: FakeKeystone) -> None:
    assert fake.add.request_log(remote_address=None, user=None, response_code=500)["response_code"] == 500
    task = fake.add.task_result(status="FAILURE", traceback="Traceback", date_started=None, worker="w@host")
    assert (task["status"], task["traceback"], task["date_started"]) == ("FAILURE", "Traceback", None)
    with pytest.raises(AttributeError, match=r"no 'feed_entry' to add; there are: user, .*audit_log"):
        _ = fake.add.feed_entry


def test_a_failed_health_check_is_reported_by_all_three_endpoints(fake: FakeKeystone, anonymous: Session) -> None:
    fake.health(Redis="Unavailable: Connection Error", Celery="Unknown Error: unknown error")
    assert anonymous("GET", "health/").status_code == 500
    rows = {row["check"]: row["error"] for row in anonymous("GET", "health/json/").json()["data"]}
    assert rows == {
        "SMTP": None,
        "Database": None,
        "Storage": None,
        "Redis": "Unavailable: Connection Error",
        "Celery": "Unknown Error: unknown error",
    }
    prom = anonymous("GET", "health/prom/").text
    assert 'keystone_health_check_status{check="Redis"} 500.0' in prom
    assert 'keystone_health_check_status{check="SMTP"} 200.0' in prom
    assert 'keystone_health_check_eval_time_seconds{check="SMTP"}' in prom


def test_sync_and_async_clients_see_a_failed_health_check_until_it_recovers(fake: FakeKeystone) -> None:
    fake.health(Storage="Unavailable: disk full")
    with fake.client() as client:
        assert [check["check"] for check in client.retrieve_health() if not check["healthy"]] == ["Storage"]
        anyio.run(_check_async, fake)
        fake.health()
        assert all(check["healthy"] for check in client.retrieve_health())


async def _check_async(fake: FakeKeystone) -> None:
    async with fake.async_client() as client:
        assert [check["check"] for check in await client.retrieve_health() if not check["healthy"]] == ["Storage"]


def test_the_ldap_check_exists_once_it_is_seeded(fake: FakeKeystone, anonymous: Session) -> None:
    fake.health(LDAP=None)
    assert anonymous("GET", "health/").status_code == 200
    assert anonymous("GET", "health/json/").json()["data"][-1]["check"] == "LDAP"
    fake.reset()
    assert len(anonymous("GET", "health/json/").json()["data"]) == 5


@pytest.mark.parametrize("errors", [{"redis": "down"}, {"Redis": ""}, {"Redis": True}])
def test_an_unknown_health_check_is_refused(fake: FakeKeystone, errors: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"(?i)redis"):
        fake.health(**errors)
