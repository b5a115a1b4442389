"""What a test author can do with a fake: seed it, plan faults, read the journal, move the clock, restore a snapshot."""

import datetime as dt
import socket
from typing import Any

import httpx
import pytest
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone

from .conftest import Session

ERRORS = {
    "connect": httpx.ConnectError,
    "timeout": httpx.ReadTimeout,
    "reset": httpx.ReadError,
    "cut": httpx.RemoteProtocolError,
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_transport_fault_hits_once_before_or_after_the_write(
    fake: FakeKeystone, admin: Session, error: str, when: str
) -> None:
    fake.fail("POST", "users/teams", error=error, when=when)
    with pytest.raises(ERRORS[error]):
        admin("POST", "users/teams/", json={"name": "A"})
    assert admin("GET", "users/teams/").json()["count"] == (when == "after")
    assert admin("POST", "users/teams/", json={"name": "B"}).status_code == 201


@pytest.mark.parametrize(
    ("error", "seen"),
    [("reset", httpx.TransportError), ("cut", httpx.RemoteProtocolError), ("timeout", httpx.ReadTimeout)],
)
def test_the_server_carries_out_faults_on_the_socket(fake: FakeKeystone, error: str, seen: type[Exception]) -> None:
    fake.fail(path="version", error=error, when="after")
    with fake.serve() as url, httpx.Client(base_url=url, trust_env=False, timeout=0.3) as client:
        with pytest.raises(seen):
            client.get("version/")
        assert client.get("version/").text == "0.0.0"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503])
def test_a_status_fault_has_the_servers_shape(fake: FakeKeystone, admin: Session, status: int) -> None:
    fake.fail(status=status, times=2)
    for _ in range(2):
        response = admin("GET", "users/users/")
        assert response.status_code == status
    assert admin("GET", "users/users/").status_code == 200
    assert ("json" in response.headers["content-type"]) == (status != 500)
    assert response.headers.get("retry-after") == ("60" if status == 429 else None)


def test_a_fault_may_be_a_page_of_a_proxy(fake: FakeKeystone, admin: Session) -> None:
    fake.fail(error="html")
    response = admin("GET", "users/users/")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html")


def test_a_fault_may_apply_to_one_user_only(fake: FakeKeystone, admin: Session) -> None:
    fake.add.user(username="bob")
    fake.fail(user="bob", status=503)
    assert admin("GET", "users/users/").status_code == 200
    assert [fault.user for fault in fake.unused_faults] == ["bob"]
    headers = {"Authorization": f"Token {fake.add.token('bob')}"}
    assert admin("GET", "users/users/", headers=headers).status_code == 503
    assert fake.unused_faults == []


def test_latency_moves_the_clock_and_raises_beyond_the_clients_timeout(fake: FakeKeystone, admin: Session) -> None:
    fake.fail(delay=3, times=1)
    before = fake.clock.time()
    assert admin("GET", "version/").status_code == 200
    assert fake.clock.time() - before >= 3
    fake.fail(delay=30)
    with pytest.raises(httpx.ReadTimeout):
        admin("GET", "version/")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "give a status, an error or a delay"),
        ({"status": 500, "error": "cut"}, "not both"),
        ({"error": "meteor"}, "'meteor' is unknown"),
        ({"status": 500, "when": "during"}, "'during' is unknown"),
    ],
)
def test_an_invalid_fault_is_refused(fake: FakeKeystone, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        fake.fail(**options)


def test_the_journal_keeps_requests_and_answers_without_secrets(fake: FakeKeystone, admin: Session) -> None:
    admin("POST", "users/users/?a=1", json={"username": "bob", "password": "hush-hush-hush"})
    entry = fake.journal.find("post", "/users/users/", status=201)[0]
    assert (entry.user, entry.query, entry.json) == ("admin", "a=1", {"username": "bob", "password": "[hidden]"})
    assert (entry.answer["username"], entry.headers["cookie"]) == ("bob", "[hidden]")
    assert fake.journal[0].user == "admin"
    assert fake.journal.find(path="nope") == []


def test_the_journal_shows_a_lost_answer(fake: FakeKeystone, admin: Session) -> None:
    fake.fail("POST", error="reset", when="after")
    with pytest.raises(httpx.ReadError):
        admin("POST", "users/teams/", json={"name": "A"})
    assert (fake.journal[-1].status, fake.journal[-1].fault) == (201, "reset")


def test_the_clock_can_be_moved_forward_only(fake: FakeKeystone, admin: Session) -> None:
    fake.clock.advance(86400)
    admin("POST", "allocations/clusters/", json={"name": "c"})
    stamp = dt.datetime.fromisoformat(admin("GET", "logs/audit/?_limit=1").json()["results"][0]["timestamp"])
    assert stamp - dt.datetime.now(dt.UTC) > dt.timedelta(hours=23)
    with pytest.raises(ValueError, match="cannot be moved back"):
        fake.clock.advance(-1)


def test_the_throttle_counts_a_sliding_minute_per_user(fake: FakeKeystone, admin: Session) -> None:
    fake.throttle(user="2/min", anon="1/min")
    assert [admin("GET", "users/users/").status_code for _ in range(3)] == [200, 200, 429]
    refused = admin("GET", "users/users/99/")
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= 60
    assert refused.json() == {"detail": f"Request was throttled. Expected available in {wait} seconds."}
    fake.clock.advance(wait)
    assert admin("GET", "users/users/").status_code == 200
    admin.http.cookies.clear()
    assert [admin("GET", "users/users/").status_code for _ in range(3)] == [401] * 3
    assert [admin("GET", "version/").status_code for _ in range(2)] == [200, 429]
    assert admin.login().status_code == 429


def test_anonymous_callers_are_throttled_by_address(fake: FakeKeystone, anonymous: Session) -> None:
    fake.throttle(anon="1/min")
    statuses = [anonymous("GET", "version/", headers={"X-Forwarded-For": each}).status_code for each in "aab"]
    assert statuses == [200, 429, 200]


def test_a_new_rate_forgets_what_was_counted(fake: FakeKeystone, admin: Session) -> None:
    fake.throttle(user="1/min")
    assert [admin("GET", "users/users/").status_code for _ in range(2)] == [200, 429]
    fake.throttle(user="1/min")
    assert admin("GET", "users/users/").status_code == 200


def test_a_rate_that_cannot_be_parsed_is_refused(fake: FakeKeystone) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        fake.throttle(user="often")


def test_a_snapshot_can_be_restored_repeatedly(fake: FakeKeystone, admin: Session) -> None:
    fake.add.team(name="A")
    snapshot = fake.snapshot()
    for _ in range(2):
        admin("POST", "users/memberships/", json={"user": 1, "team": 1, "role": "OW"})
        admin("DELETE", "users/teams/1/")
        fake.restore(snapshot)
        assert admin("GET", "users/teams/1/").json()["users"] == []
        assert admin("POST", "users/teams/", json={"name": "B"}).json()["id"] == 2
        fake.restore(snapshot)


def test_reset_makes_the_world_new(fake: FakeKeystone, admin: Session) -> None:
    fake.add.team()
    fake.fail(status=500)
    fake.throttle(user="1/min")
    fake.reset()
    assert (len(fake.journal), fake.unused_faults, len(fake.world.store.tables["team"])) == (0, [], 0)
    assert admin("GET", "users/users/").status_code == 401
    assert admin.login().status_code == 200


@pytest.mark.parametrize("resource", [name for name in RESOURCES if name not in ("feed_entry", "audit_log")])
def test_every_kind_of_record_can_be_added_without_arguments(fake: FakeKeystone, admin: Session, resource: str) -> None:
    first, second = getattr(fake.add, resource)(), getattr(fake.add, resource)()
    shown = admin("GET", f"{RESOURCES[resource].path}/{first['id']}/")
    assert first["id"] != second["id"]
    assert shown.status_code in {200, 403}
    assert set(first) == {name for name, f in RESOURCES[resource].fields.items() if not f.hidden and not f.write_only}


def test_seeds_take_texts_numbers_records_and_names(fake: FakeKeystone) -> None:
    bob = fake.add.user(username="bob", first_name="Bob")
    team = fake.add.team(name="Physics")
    grant = fake.add.grant(team=team, amount=5, start_date="2024-01-05")
    request = fake.add.request(
        team=team, submitter="bob", assignees=[bob], grants=[grant], submitted="2024-01-05T10:00"
    )
    assert (grant["amount"], grant["start_date"], grant["_team"]["name"]) == ("5.00", "2024-01-05", "Physics")
    assert (request["submitter"], request["assignees"], request["grants"]) == (bob["id"], [bob["id"]], [grant["id"]])
    assert request["submitted"] == "2024-01-05T10:00:00Z"


def test_a_seed_with_an_unknown_name_is_refused_with_the_known_ones(fake: FakeKeystone) -> None:
    with pytest.raises(TypeError, match="a team has no 'nam'; its fields are: id, slug, is_active, name"):
        fake.add.team(nam="x")
    with pytest.raises(AttributeError, match="no 'planet' to add; there are: user, team"):
        fake.add.planet()


def test_reading_a_log_adds_to_it_after_the_answer(fake: FakeKeystone, admin: Session) -> None:
    cid = "7e8d2f0c-8f3b-4c59-9d1e-2a0f7f3c1b11"
    first = admin("GET", "logs/requests/?_order=-id&_limit=1", headers={"X-KEYSTONE-CID": cid}).json()
    second = admin("GET", "logs/requests/?_order=-id&_limit=1").json()
    assert second["count"] == first["count"] + 1
    row = second["results"][0]
    assert (row["cid"], row["endpoint"], row["response_code"]) == (cid, "/logs/requests/?_order=-id&_limit=1", 200)
    assert row["_user"]["username"] == "admin"


def test_audit_rows_and_feed_carry_the_same_correlation_id(fake: FakeKeystone, admin: Session) -> None:
    cid = "7E8D2F0C-8F3B-4C59-9D1E-2A0F7F3C1B11"
    admin("POST", "users/teams/", json={"name": "A"}, headers={"X-KEYSTONE-CID": cid})
    audit = admin("GET", "logs/audit/", params={"cid": cid}).json()["results"]
    feed = admin("GET", "logs/feed/", params={"cid": cid}).json()["results"]
    assert [(row["record_name"], row["record_id"], row["action"]) for row in audit] == [("users | Team", 1, "create")]
    assert {(row["record_type"], row["summary"], row["status"]) for row in feed} == {
        ("audit", "Team #1 - A", None), ("request", "/users/teams/", "201"),
    }  # fmt: skip
    assert admin("GET", "logs/audit/?action=1").json()["count"] == 0


def test_the_audit_log_is_filtered_by_the_number_of_a_model(fake: FakeKeystone, admin: Session) -> None:
    fake.add.team()
    assert admin("GET", "logs/audit/?content_type=34").json()["count"] == 1
    assert admin("GET", "logs/audit/?content_type__isnull=true").json()["count"] == 0
    for query in ("content_type=36", "content_type__in=34,x"):
        assert admin("GET", f"logs/audit/?{query}").status_code == 400


@pytest.mark.parametrize(
    ("child", "order"),
    [
        ("", ["AllocationRequest", "Grant", "Publication", "Membership", "Team"]),
        ("comment", ["Comment", "Grant", "Publication", "Membership", "AllocationRequest", "Team"]),
    ],
)
def test_a_deleted_team_leaves_its_audit_rows_in_the_servers_order(
    fake: FakeKeystone, admin: Session, child: str, order: list[str]
) -> None:
    team = fake.add.team()
    for resource in ("membership", "publication", "grant", "request"):
        getattr(fake.add, resource)(team=team)
    if child:
        getattr(fake.add, child)()
    admin("DELETE", "users/teams/1/")
    rows = admin("GET", "logs/audit/?_order=id&action=2").json()["results"]
    assert [row["record_name"].rpartition(" ")[2] for row in rows] == order


def test_no_two_audit_rows_have_the_same_time(fake: FakeKeystone, admin: Session) -> None:
    team = fake.add.team()
    for _ in range(20):
        fake.add.grant(team=team)
    admin("DELETE", "users/teams/1/")
    rows = admin("GET", "logs/audit/?_order=timestamp&_limit=1000").json()["results"]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert len({row["timestamp"] for row in rows}) == len(rows)


def test_an_unusable_correlation_id_is_replaced(admin: Session) -> None:
    admin("GET", "version/", headers={"X-KEYSTONE-CID": "nonsense"})
    rows = admin("GET", "logs/requests/?endpoint=/version/").json()["results"]
    assert len(rows[0]["cid"]) == 36


def test_the_server_binds_to_loopback_only(fake: FakeKeystone) -> None:
    with fake.serve() as url:
        host, _, port = url.split("/")[2].partition(":")
        assert host == "127.0.0.1"
        with socket.create_connection((host, int(port)), timeout=5):
            pass


def test_a_session_expires_before_a_request_or_after_it(fake: FakeKeystone, admin: Session) -> None:
    fake.fail("POST", "users/teams", error="expired")
    response = admin("POST", "users/teams/", json={"name": "A"})
    assert response.status_code == 401
    assert "sessionid" not in admin.http.cookies
    admin.login()
    fake.fail("POST", "users/teams", error="expired", when="after")
    assert admin("POST", "users/teams/", json={"name": "A"}).status_code == 201
    assert admin("GET", "users/teams/").status_code == 401
    assert fake.unused_faults == []


def test_the_journal_is_searched_by_user(fake: FakeKeystone, admin: Session) -> None:
    fake.add.user(username="bob")
    admin("GET", "users/teams/")
    with fake.client("bob") as bob:
        bob.count_team()
    assert [entry.user for entry in fake.journal.find(path="users/teams", user="bob")] == ["bob"]
