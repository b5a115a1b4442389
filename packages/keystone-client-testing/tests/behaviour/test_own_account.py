"""Users who delete their own account: a session cannot, a token can, and the audit row then has no actor."""

from typing import Any

import httpx
import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

CID = "12345678-1234-5678-1234-567812345678"
BOTH = pytest.mark.parametrize("database", ["postgresql", "sqlite"])


def newest(fake: FakeKeystone, table: str) -> dict[str, Any]:
    rows = fake.world.store.tables[table]
    return rows[max(rows)]


@pytest.fixture
def staff(fake: FakeKeystone) -> dict[str, int]:
    return {name: fake.add.user(username=name, is_staff=True)["id"] for name in ("a", "b")}


def by_token(fake: FakeKeystone, user: str, session: httpx.Cookies | None = None) -> httpx.Client:
    headers = {"Authorization": f"Token {fake.add.token(user)}", "X-KEYSTONE-CID": CID}
    return httpx.Client(base_url=fake.url, transport=fake.transport, headers=headers, cookies=session)


@BOTH
def test_a_session_cannot_delete_its_own_account(fake: FakeKeystone, anonymous: Session, staff: dict[str, int]) -> None:
    anonymous.login("a")
    rows = len(fake.world.store.tables["audit_log"])
    job = {"job": {"actions": [{"method": "DELETE", "path": f"/users/users/{staff['a']}/"}]}}
    assert anonymous("DELETE", f"users/users/{staff['a']}/").status_code == 500
    assert anonymous("POST", "batch/", json=job).status_code == 500
    assert anonymous("POST", "batch/", json={"job": {**job["job"], "dry_run": True}}).status_code == 200
    job["job"]["actions"].append({"method": "POST", "path": "/users/teams/"})
    assert anonymous("POST", "batch/", json=job).status_code == 422
    assert len(fake.world.store.tables["audit_log"]) == rows
    assert newest(fake, "request_log")["user"] == staff["a"]


@BOTH
def test_a_token_can_delete_its_own_account_and_the_audit_row_has_no_actor(
    fake: FakeKeystone, anonymous: Session, staff: dict[str, int], database: str
) -> None:
    anonymous("GET", "version/")
    last = newest(fake, "request_log")["id"]
    with by_token(fake, "a") as client:
        assert client.delete(f"users/users/{staff['a']}/").status_code == 204
    row = newest(fake, "audit_log")
    assert (row["action"], row["object_id"], row["actor"], row["cid"]) == (2, staff["a"], None, CID)
    assert newest(fake, "request_log")["id"] == last
    anonymous("GET", "version/")
    assert newest(fake, "request_log")["id"] == last + 1 + (database == "postgresql")


def test_a_token_can_delete_its_own_account_in_a_job(fake: FakeKeystone, staff: dict[str, int]) -> None:
    actions = [
        {"method": "DELETE", "path": f"/users/users/{staff['a']}/"},
        {"method": "POST", "path": "/allocations/clusters/", "payload": {"name": "A"}},
    ]
    with by_token(fake, "a") as client:
        answer = client.post("batch/", json={"job": {"actions": actions}})
    assert [row["status"] for row in answer.json()["results"]] == [204, 201]
    assert staff["a"] not in fake.world.store.tables["user"]
    assert newest(fake, "audit_log")["actor"] is None


def test_with_both_a_session_and_a_token_the_session_counts(
    fake: FakeKeystone, anonymous: Session, staff: dict[str, int]
) -> None:
    anonymous.login("a")
    with by_token(fake, "b", anonymous.http.cookies) as client:
        assert client.delete(f"users/users/{staff['a']}/").status_code == 500
        assert client.delete(f"users/users/{staff['b']}/").status_code == 204
    assert newest(fake, "audit_log")["actor"] == staff["a"]
