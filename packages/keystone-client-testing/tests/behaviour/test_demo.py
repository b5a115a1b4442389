"""The demo data: reproducible and consistent."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from keystone_client_testing import FakeKeystone

DAY = dt.date(2026, 6, 30)
Tables = Mapping[str, Mapping[int, Mapping[str, Any]]]


@pytest.fixture(scope="module")
def centre() -> FakeKeystone:
    fake = FakeKeystone()
    fake.add_demo_data(today=DAY)
    return fake


@pytest.fixture(scope="module")
def tables(centre: FakeKeystone) -> Tables:
    return centre.world.store.tables


def test_it_has_the_size_of_a_centre(tables: Tables) -> None:
    sizes = {name: len(table) for name, table in tables.items()}
    assert (sizes["user"], sizes["team"], sizes["request"]) == (201, 40, 600)
    assert sum(sizes.values()) > 8000
    assert min(sizes.values()) > 0


def test_it_is_always_the_same(centre: FakeKeystone) -> None:
    other = FakeKeystone()
    other.add_demo_data(today=DAY)
    one, two = (json.loads(fake.dump()) for fake in (centre, other))
    for world in (one, two):
        for user in world["tables"]["user"]:
            del user["password"]  # hashes are salted
    assert one == two


def test_events_are_in_order_and_within_four_years(tables: Tables) -> None:
    moments = [row["timestamp"] for row in tables["audit_log"].values()]
    assert moments == sorted(moments)
    assert dt.datetime(2022, 6, 30, tzinfo=dt.UTC) < moments[0] < moments[-1] < dt.datetime(2026, 6, 30, tzinfo=dt.UTC)


def test_requests_are_in_every_status_and_reviewed_by_staff_before_they_are_active(tables: Tables) -> None:
    statuses = Counter(row["status"] for row in tables["request"].values())
    assert set(statuses) == {"PD", "AP", "DC", "CR"}
    assert statuses.most_common(1)[0][0] == "AP"
    for review in tables["review"].values():
        request = tables["request"][review["request"]]
        assert tables["user"][review["reviewer"]]["is_staff"]
        assert review["submitted"] > request["submitted"]
        assert request["active"] is None or request["active"] > request["submitted"].date()


def test_whoever_submits_is_a_member_and_each_team_has_one_owner(tables: Tables) -> None:
    members = {(row["team"], row["user"]) for row in tables["membership"].values()}
    assert all((row["team"], row["submitter"]) in members for row in tables["request"].values())
    owners = Counter(row["team"] for row in tables["membership"].values() if row["role"] == "OW")
    assert set(owners.values()) == {1}
    assert len(owners) == 40


def test_the_history_of_a_request_names_who_did_what(centre: FakeKeystone) -> None:
    with centre.client(role="staff") as client:
        request = client.retrieve_request(filters={"status": "AP"}, order="id", limit=1)[0]
    created, approved = request["_history"][-1], request["_history"][0]
    assert (created["action"], created["actor"]) == ("create", request["submitter"])
    assert approved["changes"]["status"] == ["PD", "AP"]
    assert approved["actor"] in request["assignees"]


def test_its_users_log_in_with_the_usual_password(centre: FakeKeystone) -> None:
    with centre.client(user=None) as client:
        assert client.login("lberg", "quickstart")["display_name"] == "Luca Berg"


def test_it_ends_today_by_default() -> None:
    fake = FakeKeystone()
    fake.clock.advance(86400 * 1000)
    fake.add_demo_data()
    newest = max(row["timestamp"] for row in fake.world.store.tables["audit_log"].values())
    assert dt.timedelta(0) < fake.clock.now() - newest < dt.timedelta(days=7)
