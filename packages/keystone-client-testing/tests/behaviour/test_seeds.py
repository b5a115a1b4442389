"""Seeds with a history: records and changes with a given time and author."""

from typing import Any

import pytest
from keystone_client_testing import FakeKeystone


def test_a_record_may_have_a_given_time_and_author(fake: FakeKeystone) -> None:
    bob = fake.add.user(username="bob")
    request = fake.add.as_of("2024-01-05T10:00", by="bob").request(title="Old")
    assert request["submitted"] == "2024-01-05T10:00:00Z"
    entry = request["_history"][0]
    assert (entry["timestamp"], entry["actor"]) == ("2024-01-05T10:00:00Z", bob["id"])
    assert fake.add.request()["_history"][0]["actor"] is None


@pytest.mark.parametrize("moment", ["yesterday", "2024-01-05T10:00:00.0000001", 5, None])
def test_an_invalid_time_or_one_finer_than_the_server_keeps_is_refused(fake: FakeKeystone, moment: Any) -> None:
    with pytest.raises(ValueError, match=r"no time|nanoseconds"):
        fake.add.as_of(moment)


def test_a_change_appears_in_the_history_as_if_made_through_the_api(fake: FakeKeystone) -> None:
    request = fake.add.request(status="PD")
    changed = fake.add.as_of("2024-02-01", by=1).change("request", request, status="AP", active="2024-02-02")
    assert (changed["status"], changed["active"]) == ("AP", "2024-02-02")
    assert changed["_history"][0]["changes"] == {"status": ["PD", "AP"], "active": ["None", "2024-02-02"]}
    assert changed["_history"][0]["_actor"]["username"] == "admin"


def test_a_change_of_a_missing_record_or_field_is_refused(fake: FakeKeystone) -> None:
    with pytest.raises(LookupError, match="no request 7"):
        fake.add.change("request", 7, status="AP")
    with pytest.raises(TypeError, match="a team has no 'nam'"):
        fake.add.change("team", fake.add.team(), nam="x")


def test_keys_are_records_ids_or_names(fake: FakeKeystone) -> None:
    team, cluster = fake.add.team(name="Physics"), fake.add.cluster(name="gpu")
    fake.add.user(username="bob")
    request = fake.add.request(team="Physics", submitter="bob", assignees=["bob", 1])
    assert request["team"] == team["id"]
    assert fake.add.allocation(request=request, cluster="gpu")["cluster"] == cluster["id"]


@pytest.mark.parametrize(
    ("resource", "fields", "text"),
    [
        ("grant", {"team": "Biology"}, "no team 'Biology'; add it with fake.add.team"),
        ("comment", {"request": 99}, "no request 99; add it with fake.add.request"),
        ("request", {"assignees": [99]}, "no user 99"),
        (
            "request",
            {"status": "XX"},
            "request field 'status': 'XX' does not fit: give one of PD = Pending, AP = Approved",
        ),
        ("request", {"active": "tomorrow"}, "request field 'active': 'tomorrow' does not fit: give a date"),
        ("grant", {"amount": "much"}, "grant field 'amount': 'much' does not fit: give a number"),
        ("team", {"is_active": "maybe"}, "team field 'is_active': 'maybe' does not fit: give True or False"),
        ("team", {"name": True}, "team field 'name': True does not fit: give text"),
        ("team", {"name": "Physics"}, "has a team with name='Physics' already"),
        ("team", {"id": 1}, "has a team with id=1 already"),
        ("user", {"username": "admin"}, "has a user with username='admin' already"),
        ("membership", {"user": 1, "team": 1}, "has a membership with user=1, team=1 already"),
    ],
)
def test_a_world_the_server_could_not_hold_is_refused(
    fake: FakeKeystone, resource: str, fields: dict[str, object], text: str
) -> None:
    fake.add.membership(user=1, team=fake.add.team(name="Physics"))
    before = fake.dump()
    with pytest.raises((ValueError, LookupError), match=text):
        getattr(fake.add, resource)(**fields)
    assert fake.dump() == before


def test_a_change_may_not_take_a_name_that_is_taken(fake: FakeKeystone) -> None:
    fake.add.cluster(name="a")
    other = fake.add.cluster(name="b")
    with pytest.raises(ValueError, match="has a cluster with name='a' already"):
        fake.add.change("cluster", other, name="a")
    assert fake.add.change("cluster", other, name="b")["name"] == "b"


def test_a_generated_name_is_never_one_that_is_taken(fake: FakeKeystone) -> None:
    fake.add.team(name="Team 2")
    assert fake.add.team()["name"] == "Team 3"
