"""The journal: what it records of each request, and the assertions on it."""

import httpx
import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

TEAMS = "users/teams/"


def test_an_entry_has_the_user_the_request_and_the_endpoint(fake: FakeKeystone, admin: Session) -> None:
    fake.add.team()
    admin("GET", "users/teams/1/?name=x")
    entry = fake.journal[-1]
    assert (entry.method, entry.path, entry.route, entry.query, entry.user, entry.status, entry.fault) == (
        "GET", "/users/teams/1/", "/users/teams/{id}/", "name=x", "admin", 404, "",
    )  # fmt: skip
    assert repr(entry) == "<GET /users/teams/1/?name=x 404 by admin>"
    admin("GET", "nope/")
    assert fake.journal[-1].route == ""


def test_an_entry_lists_what_the_request_changed(fake: FakeKeystone, admin: Session) -> None:
    admin("POST", TEAMS, json={"name": "A"})
    admin("PATCH", "users/teams/1/", json={"is_active": False})
    admin("PATCH", "users/teams/1/", json={"is_active": False})
    admin("GET", "users/teams/1/")
    admin("DELETE", "users/teams/1/")
    created, updated, same, read, deleted = fake.journal[-5:]
    assert [(change.action, change.resource, change.id) for change in created.changes] == [("create", "team", 1)]
    assert created.changes[0].fields["name"] == (None, "A")
    assert updated.changes[0].fields == {"is_active": (True, False)}
    assert (same.changes, read.changes) == ([], [])
    assert [(change.action, change.fields["name"]) for change in deleted.changes] == [("delete", ("A", None))]


def test_the_journal_lists_the_records_that_a_delete_cascades_to(fake: FakeKeystone, admin: Session) -> None:
    team = fake.add.team()
    fake.add.membership(team=team)
    fake.add.grant(team=team)
    admin("DELETE", "users/teams/1/")
    assert {change.resource for change in fake.journal[-1].changes} == {"team", "membership", "grant"}


def test_a_job_counts_for_all_it_wrote_and_a_failed_or_dry_one_for_nothing(fake: FakeKeystone, admin: Session) -> None:
    good = [{"method": "POST", "path": "/users/teams/", "payload": {"name": name}} for name in "AB"]
    bad = {"method": "POST", "path": "/users/teams/", "payload": {}}
    admin("POST", "batch/", json={"job": {"actions": good}})
    admin("POST", "batch/", json={"job": {"actions": good, "dry_run": True}})
    admin("POST", "batch/", json={"job": {"actions": [*good, bad]}})
    assert [len(entry.changes) for entry in fake.journal[-3:]] == [2, 0, 0]


def test_no_password_is_in_a_change(fake: FakeKeystone, admin: Session) -> None:
    admin("POST", "users/users/", json={"username": "bob", "password": "hush-hush-hush"})
    assert fake.journal[-1].changes[0].fields["password"] == (None, "[hidden]")


def test_an_assertion_returns_the_matches_or_lists_the_requests_there_were(fake: FakeKeystone, admin: Session) -> None:
    for name in ("A", "B"):
        admin("POST", TEAMS, json={"name": name})
    found = fake.journal.assert_requested("POST", TEAMS, times=2, status=201, user="admin")
    assert [entry.json["name"] for entry in found] == ["A", "B"]
    assert fake.journal.assert_requested("DELETE", times=0) == []
    with pytest.raises(AssertionError) as caught:
        fake.journal.assert_requested("POST", TEAMS, times=3)
    assert str(caught.value) == (
        "expected 3 requests with method='POST', path='users/teams/', got 2\n"
        "  <POST /authentication/login/ 200 by admin>\n"
        "  <POST /users/teams/ 201 by admin>\n"
        "  <POST /users/teams/ 201 by admin>"
    )
    with pytest.raises(AssertionError, match="expected at least one request with route='/version/', got 0"):
        fake.journal.assert_requested(route="/version/")


def test_a_long_journal_is_shown_from_its_end(fake: FakeKeystone, admin: Session) -> None:
    for _ in range(30):
        admin("GET", "version/")
    shown = fake.journal.summary().splitlines()
    assert (shown[0].strip(), len(shown)) == ("(11 earlier requests)", 21)


def test_the_journal_outlives_every_door(fake: FakeKeystone) -> None:
    with fake.mock():
        httpx.get(f"{fake.url}version/", trust_env=False)
    with fake.serve() as url:
        httpx.get(f"{url}version/", trust_env=False)
    with fake.client() as client:
        client.http_get("version")
    assert len(fake.journal.find("GET", "version", status=200)) == 3


def test_a_journal_with_a_limit_keeps_the_last_requests_and_says_how_many_are_gone() -> None:
    fake = FakeKeystone(journal=3)
    with fake.client() as client:
        for _ in range(5):
            client.count_team()
        client.count_user()
    assert [entry.path for entry in fake.journal] == ["/users/teams/", "/users/teams/", "/users/users/"]
    assert fake.journal.dropped == 3
    with pytest.raises(AssertionError, match=r"got 0\n  \(3 earlier requests are no longer in the journal\)\n  <GET"):
        fake.journal.assert_requested("DELETE")
    fake.reset()
    assert (len(fake.journal), fake.journal.dropped) == (0, 0)
    with fake.client() as client:
        for _ in range(5):
            client.count_team()
    assert len(fake.journal) == 3


def test_a_journal_may_keep_nothing_and_keeps_all_unless_it_is_limited(fake: FakeKeystone) -> None:
    silent = FakeKeystone(journal=0)
    for each in (fake, silent):
        with each.client() as client:
            client.count_team()
    assert (len(fake.journal), len(silent.journal)) == (1, 0)
    with pytest.raises(ValueError, match="journal=-1 is negative"):
        FakeKeystone(journal=-1)
