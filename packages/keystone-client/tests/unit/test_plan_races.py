"""Changes by others, and jobs of unknown outcome, between a plan, its ``apply`` and the next plan."""

import re
from typing import Any, cast

import pytest
from keystone_client import ChangedError, PlanError, Wanted
from keystone_client_core import RESOURCES

from .plan_world import FAULTS, GRANT, MONEY, NEVER, Colour, centre, directory, jobs, lines, names, roles, stored

HELD = re.compile(r"an earlier apply may still be writing it: plan again in \d\d s")


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
def test_a_create_that_could_be_there_twice_is_held_until_the_server_cannot_be_at_work(colour: str, fault: str) -> None:
    fake = centre()
    client = Colour(fake, colour, retry=NEVER)
    fake.fail("POST", "/batch/", **FAULTS[fault])
    grants = directory()[3]
    team = Wanted("team", [{"name": "Chemistry"}])
    fake.add.team(name="Chemistry")
    with pytest.raises(PlanError):
        client.apply(client.plan(team, grants))

    soon = client.plan(team, grants)
    fake.clock.advance(60)
    later = client.plan(team, grants)

    held = 2 if fault == "lost before" else 0
    assert len(soon.faults) == held
    assert all(HELD.fullmatch(fault.reason) for fault in soon.faults)
    assert not soon.changes
    assert len(later.changes) == held
    client.apply(later)
    assert names(fake, "grant", "grant_number") == ["G-1", "G-2"]


def test_a_change_by_another_between_plan_and_apply_is_refused(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(*directory())
    fake.client().update_membership(1, {"role": "AD"})
    before = roles(fake)[("Physics", "ada")]

    with pytest.raises(PlanError) as caught:
        client.apply(plan)

    cause = caught.value.__cause__
    assert isinstance(cause, ChangedError)
    assert "users/memberships/1/: the record has changed: role='AD', not 'OW'; nothing was written" in str(cause)
    assert cause.record is not None
    assert cause.record["role"] == "AD"
    assert lines(caught.value.failed) == ["- membership Physics, ada"]
    assert str(caught.value.change) == "- membership Physics, ada"
    assert roles(fake)[("Physics", "ada")] == before


def test_a_record_that_is_gone_between_plan_and_apply_is_told(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(Wanted("user", [{"username": "bob", "email": "bob@y.org"}]))
    fake.client().delete_user(3)
    with pytest.raises(PlanError) as caught:
        client.apply(plan)
    assert isinstance(caught.value.__cause__, ChangedError)
    assert caught.value.__cause__.record is None
    assert "the record is gone" in str(caught.value)


LINKS: dict[str, dict[str, Any]] = {
    "user": {"username": "x"},
    "team": {"name": "Chemistry"},
    "membership": {"team": 1, "user": 4},
    "cluster": {"name": "x"},
    "request": {"title": "x"},
    "allocation": {"request": 1, "cluster": 1},
    "comment": {"request": 1, "user": 2},
    "grant": {"team": 1},
    "publication": {"doi": "10/x"},
}
"""What tells the record of each kind apart, in a centre with one request and one cluster."""


GUARDED: list[tuple[str, str, Any, Any, Any]] = [
    ("user", "first_name", "a", "b", "c"),
    ("user", "email", "a@x.org", "b@x.org", "c@x.org"),
    ("user", "is_staff", False, True, True),
    ("user", "role", None, "x, y", "z"),
    ("team", "is_active", True, False, False),
    ("membership", "role", "MB", "AD", "OW"),
    ("cluster", "description", "", "b", "c"),
    ("cluster", "enabled", True, False, False),
    ("cluster", "access_mode", "OP", "WL", "BL"),
    ("request", "active", "2026-01-01", None, "2026-01-02"),
    ("request", "status", "PD", "AP", "DC"),
    ("request", "description", "a,b", "c", "d"),
    ("allocation", "requested", 1, 2, 3),
    ("allocation", "awarded", None, 0, 1),
    ("comment", "content", "a", "A", "c"),
    ("comment", "private", False, True, True),
    ("grant", "amount", "1.00", "2.00", "3.00"),
    ("grant", "start_date", "2026-01-01", "2026-01-02", "2026-01-03"),
    ("grant", "pi", "é", "e", "É"),
    ("publication", "published", None, "2026-01-01", "2026-01-02"),
]
"""For each kind of field: what the plan has seen, what another has made of it since, and what the plan wants."""


@pytest.mark.parametrize(("resource", "field", "seen", "since", "wanted"), GUARDED)
def test_each_kind_of_field_is_guarded(
    colour: str, resource: str, field: str, seen: Any, since: Any, wanted: Any
) -> None:
    fake = centre()
    fake.add.request(team=1, submitter=2)
    fake.add.cluster(name="hpc")
    record = getattr(fake.add, resource)(**LINKS[resource], **{field: seen})
    other: Any = fake.client()
    client = Colour(fake, colour)
    key = None if RESOURCES[resource].natural_key else list(LINKS[resource])
    plan = client.plan(Wanted(resource, [{**LINKS[resource], field: wanted}], key=key))
    getattr(other, f"update_{resource}")(record["id"], {field: since})

    with pytest.raises(PlanError) as caught:
        client.apply(plan)

    assert isinstance(caught.value.__cause__, ChangedError)
    assert caught.value.failed == list(plan.update)
    assert getattr(other, f"retrieve_{resource}")(record["id"])[field] == since


@pytest.mark.parametrize(
    ("first", "second"), [({"amount": "1.50"}, {"amount": 1.5}), ({"title": "t "}, {"title": "t"})]
)
def test_a_held_create_is_held_in_any_spelling_of_its_key(first: Any, second: Any) -> None:
    fake = centre()
    client = fake.client(user="admin", retry=NEVER)
    row: Any = {"title": "t", "team": "Physics", **MONEY}
    key = ("team", *first)
    fake.fail("POST", "/batch/", error="reset", when="before")
    with pytest.raises(PlanError):
        client.plan(Wanted("grant", [row | first], key=key)).apply()
    assert not client.plan(Wanted("grant", [row | second], key=key)).create


@pytest.mark.parametrize("fault", [{"error": "reset"}, {"status": 503}, {"status": 500}])
def test_a_refused_change_is_known_not_to_be_written_whatever_the_look_at_it_says(fault: Any) -> None:
    fake = centre()
    client = fake.client(user="admin", retry=NEVER)
    plan = client.plan(Wanted("user", [{"username": "bob", "email": "bob@y.org"}]))
    fake.client().update_user(3, {"email": "other@x.org"})
    fake.fail("GET", "/users/users/3/", **fault)
    with pytest.raises(PlanError) as caught:
        plan.apply()
    assert caught.value.failed == list(plan.changes)
    assert isinstance(caught.value.__cause__, ChangedError)


def test_a_held_create_is_held_in_any_spelling() -> None:
    fake = centre()
    client = fake.client(user="admin", retry=NEVER)
    row = {"title": "R", "description": "d", "team": "Physics", "submitter": "ada"}
    fake.fail("POST", "/batch/", error="reset", when="before")
    with pytest.raises(PlanError):
        client.plan(Wanted("request", [row], key=("team", "title"))).apply()
    assert not client.plan(Wanted("request", [cast("Any", {**row, "team": 1})], key=("team", "title"))).create


@pytest.mark.parametrize("again", [{}, {"key": "email"}])
def test_what_cannot_be_there_twice_is_not_held(colour: str, again: Any) -> None:
    """The server refuses a second user of one name, so planning again at once is safe."""
    fake = centre()
    client = Colour(fake, colour, retry=NEVER)
    rows: Any = [{"username": "new", "email": "n@x.org", "password": "long enough"}]
    fake.fail("POST", "/batch/", error="reset", when="before")
    with pytest.raises(PlanError):
        client.apply(client.plan(Wanted("user", rows)))
    assert [change.name for change in client.plan(Wanted("user", rows, **again)).create]


@pytest.mark.parametrize("key", ["grant_number", ("team", "title")])
def test_what_may_be_there_twice_is_held_whatever_the_key_of_the_next_plan(colour: str, key: Any) -> None:
    fake = centre()
    client = Colour(fake, colour, retry=NEVER)
    rows = [GRANT | {"grant_number": "9"}]
    fake.fail("POST", "/batch/", error="reset", when="before")
    with pytest.raises(PlanError):
        client.apply(client.plan(Wanted("grant", rows, key="grant_number")))
    plan = client.plan(Wanted("grant", rows, key=key))
    assert not plan.create
    assert HELD.fullmatch(plan.faults[0].reason)


def test_an_update_is_refused_where_the_record_has_another_name_by_now(colour: str) -> None:
    fake = centre()
    client = Colour(fake, colour)
    plan = client.plan(Wanted("user", [{"username": "bob", "email": "new@x.org"}]))
    fake.client().update_user(3, {"username": "robert"})
    with pytest.raises(PlanError) as caught:
        client.apply(plan)
    assert isinstance(caught.value.__cause__, ChangedError)
    assert caught.value.failed == list(plan.changes)


def test_a_change_that_an_earlier_job_may_have_made_is_unknown_not_made_by_another(colour: str) -> None:
    """The first job has written it and is answered with 500; the second finds the record changed."""
    fake = centre()
    client = Colour(fake, colour)
    fake.fail("POST", "/batch/", status=500, when="after")
    plan = client.plan(Wanted("user", [{"username": "bob", "email": "new@x.org"}]))
    with pytest.raises(PlanError) as caught:
        client.apply(plan)
    assert (caught.value.unknown, caught.value.failed) == (list(plan.changes), [])
    assert not isinstance(caught.value.__cause__, ChangedError)


def test_a_stored_text_that_is_too_long_for_a_condition_stops_no_update(colour: str) -> None:
    """A condition is a part of a URL, which the web server limits."""
    fake = centre()
    fake.add.request(title="R", team=1, submitter=1, description="long " * 400)
    client = Colour(fake, colour)
    client.apply(client.plan(Wanted("request", [{"title": "R", "description": "short"}], key="title")))
    assert stored(fake, "request")[0]["description"] == "short"
    assert all(len(str(action["query_params"])) < 1_500 for job in jobs(fake) for action in job)
