"""Seeds with a past: records and changes of another time, by somebody."""

import pytest
from keystone_client_testing import FakeKeystone


def test_a_record_may_be_of_another_time_and_by_somebody(fake: FakeKeystone) -> None:
    bob = fake.add.user(username="bob")
    request = fake.add.as_of("2024-01-05T10:00", by="bob").request(title="Old")
    assert request["submitted"] == "2024-01-05T10:00:00Z"
    entry = request["_history"][0]
    assert (entry["timestamp"], entry["actor"]) == ("2024-01-05T10:00:00Z", bob["id"])
    assert fake.add.request()["_history"][0]["actor"] is None


def test_a_change_stands_in_the_history_as_if_it_had_come_through_the_api(fake: FakeKeystone) -> None:
    request = fake.add.request(status="PD")
    changed = fake.add.as_of("2024-02-01", by=1).change("request", request, status="AP", active="2024-02-02")
    assert (changed["status"], changed["active"]) == ("AP", "2024-02-02")
    assert changed["_history"][0]["changes"] == {"status": ["PD", "AP"], "active": ["None", "2024-02-02"]}
    assert changed["_history"][0]["_actor"]["username"] == "admin"


def test_a_change_of_nothing_that_is_there_is_refused(fake: FakeKeystone) -> None:
    with pytest.raises(LookupError, match="no request 7"):
        fake.add.change("request", 7, status="AP")
    with pytest.raises(TypeError, match="a team has no 'nam'"):
        fake.add.change("team", fake.add.team(), nam="x")
