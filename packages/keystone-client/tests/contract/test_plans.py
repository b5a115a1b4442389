"""Plans: what is wanted is reached, what has changed since is refused, and nothing is there twice."""

from collections.abc import Iterator
from typing import Any

import pytest
from keystone_client import ChangedError, FieldError, PlanError, ValidationError, Wanted

EVERYTHING: dict[str, Any] = {"gone": "delete", "most_gone": 1.0}


@pytest.fixture
def prefix(bench: Any) -> Iterator[str]:
    """Return a prefix for names; what has such a name is deleted after the test."""
    name = bench.name()
    yield name
    for resource, field in (("team", "name"), ("user", "username"), ("cluster", "name")):
        found = getattr(bench.client, f"retrieve_{resource}")(filters={f"{field}__startswith": name})
        getattr(bench.client, f"bulk_delete_{resource}")([record["id"] for record in found])


def source(prefix: str, members: dict[str, str], names: list[str], team: int | None = None) -> list[Wanted]:
    """Return what a directory wants: its people, a team, and who is in it."""
    users: Any = [{"username": f"{prefix}-{name}", "email": f"{name}@x.org", "is_ldap_user": True} for name in names]
    roles = [{"team": f"{prefix} Team", "user": f"{prefix}-{name}", "role": role} for name, role in members.items()]
    ours = {"username__startswith": prefix}
    return [
        Wanted("user", users, scope=ours, gone={"is_active": False}, most_gone=0.5, new=first_password),
        Wanted("team", [{"name": f"{prefix} Team"}]),
        Wanted("membership", roles, scope=None if team is None else {"team": team}, **EVERYTHING),
    ]


def first_password(row: Any) -> dict[str, str]:
    return {"password": f"a long secret of {row['username']}"}


def plan(bench: Any, *wanted: Wanted) -> Any:
    return bench.client.plan(*wanted)


def test_a_source_is_followed_and_the_next_plan_is_empty(bench: Any, prefix: str) -> None:
    first = source(prefix, {"ada": "OW", "bob": "MB"}, ["ada", "bob"])
    plan(bench, *first).apply(dry_run=True)
    assert bench.client.count_user(filters={"username__startswith": prefix}) == 0
    result = plan(bench, *first).apply()
    assert [change.kind for change in result.done] == ["create"] * 5
    assert not plan(bench, *first)

    team = bench.client.retrieve_team(filters={"name": f"{prefix} Team"})[0]["id"]
    second = source(prefix, {"ada": "AD", "eve": "OW"}, ["ada", "eve"], team)
    found = plan(bench, *second)
    assert [str(change).replace(prefix, "P") for change in found.changes[-2:]] == [
        "- membership P Team, P-bob",
        "- user P-bob is_active=True -> False",
    ]
    found.apply()
    assert not plan(bench, *second)


def test_every_kind_of_value_is_compared_as_it_is_stored(bench: Any, prefix: str) -> None:
    grant = {
        "grant_number": f"{prefix} 1",
        "title": " a, b ",
        "agency": "NSF",
        "amount": "12.5",
        "team": f"{prefix} Team",
    }
    grant |= {"team": f"{prefix} Team", "start_date": "2026-1-5", "description": "é\n\u2028x"}
    cluster: Any = {"name": f"{prefix}-c", "access_mode": "WL", "access_teams": [f"{prefix} team"]}
    wanted = (
        Wanted("team", [{"name": f"{prefix} Team", "is_active": "yes"}]),
        Wanted("grant", [grant], key="grant_number"),
        Wanted("cluster", [cluster]),
    )
    assert len(plan(bench, *wanted).apply().done) == 3
    again = plan(bench, *wanted)
    assert (again.changes, again.faults, again.as_wanted) == ((), (), 3)


@pytest.mark.parametrize(
    ("seen", "since"), [("", "x"), (None, "x"), ("a, b", "a,b"), ("é", "É"), ("%", "_"), ("x", None)]
)
def test_what_has_changed_since_the_plan_is_refused_and_nothing_of_the_job_is_written(
    bench: Any, prefix: str, seen: Any, since: Any
) -> None:
    clusters = [bench.make("cluster", name=f"{prefix}-{number}", description=seen) for number in range(2)]
    rows = [{"name": cluster["name"], "description": "wanted"} for cluster in clusters]
    found = plan(bench, Wanted("cluster", rows))
    bench.client.update_cluster(clusters[1]["id"], {"description": since})

    with pytest.raises(PlanError) as caught:
        found.apply()

    assert isinstance(caught.value.__cause__, ChangedError)
    assert caught.value.failed == list(found.changes)
    now = [bench.client.retrieve_cluster(cluster["id"])["description"] for cluster in clusters]
    assert now == [seen, since]


def test_a_single_write_can_be_guarded(bench: Any, prefix: str) -> None:
    cluster = bench.make("cluster", name=prefix, enabled=True)
    bench.client.update_cluster(cluster["id"], {"enabled": False}, expect={"enabled": True, "name": prefix})
    with pytest.raises(ChangedError) as caught:
        bench.client.delete_cluster(cluster["id"], expect={"enabled": True})
    assert (caught.value.record or {})["enabled"] is False
    bench.client.delete_cluster(cluster["id"], expect={"enabled": False})
    with pytest.raises(ChangedError) as caught:
        bench.client.update_cluster(cluster["id"], {"enabled": False}, expect={"enabled": True})
    assert caught.value.record is None


def test_one_record_is_made_as_wanted(bench: Any, prefix: str) -> None:
    hows = [bench.client.ensure_cluster(name=prefix, enabled=enabled).how for enabled in (True, True, False)]
    assert hows == ["created", "as wanted", "changed"]


def test_what_cannot_be_deleted_is_known_before(bench: Any, prefix: str) -> None:
    user = bench.make("user", username=f"{prefix}-a", password="a long enough secret")
    team = bench.make("team", name=f"{prefix} Team")
    request = bench.make("request", title=prefix, description="d", submitter=user["id"], team=team["id"])
    ours = {"username__startswith": prefix}
    keep = [{"username": f"{prefix}-b", "password": "a long enough secret"}]
    found = plan(bench, Wanted("user", keep, scope=ours, **EVERYTHING))
    assert [fault.reason for fault in found.faults] == [
        f"it is the submitter of 1 request records ({request['id']}), and the server does not delete it"
    ]
    teams = plan(bench, Wanted("team", [{"name": f"{prefix} x"}], scope={"name__startswith": prefix}, **EVERYTHING))
    assert [dict(change.along) for change in teams.gone] == [{"request": 1}]


def test_true_and_one_are_told_apart_and_numbers_go_by_their_value(bench: Any, prefix: str) -> None:
    user = bench.make("user", username=f"{prefix}-a", password="a long enough secret")
    wanted = [[1, True], [True, 1], [1e16, 1.5, -0.0], {"b": [2.0], "a": False}]
    for value in wanted:
        row = {"user": user["username"], "request_expiry_thresholds": value}
        assert len(plan(bench, Wanted("preference", [row])).apply().done) == 1
        assert not plan(bench, Wanted("preference", [row]))


def test_the_server_takes_names_that_plans_and_ensure_refuse_as_twins(bench: Any, prefix: str) -> None:
    wide = prefix.translate({code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)})
    for before, name in ((f"{prefix}ss", f"{prefix}\xdf"), (f"{prefix}-\xdf", f"{prefix}-ss"), (wide, prefix)):
        cluster = bench.make("cluster", name=before)
        with pytest.raises(FieldError, match="differs only in looks"):
            bench.client.ensure_cluster(name=name)
        assert len(plan(bench, Wanted("cluster", [{"name": name}])).faults) == 1
        other = bench.client.create_cluster(name=name)
        bench.client.bulk_delete_cluster([cluster["id"], other["id"]])


def test_a_key_without_a_record_and_a_team_without_an_owner_are_known_before(bench: Any, prefix: str) -> None:
    user = bench.make("user", username=f"{prefix}-a", password="a long enough secret")
    team = bench.make("team", name=f"{prefix} Team")
    bench.make("membership", team=team["id"], user=user["id"], role="OW")
    missing = max(record["id"] for record in bench.client.retrieve_user(order="-id", limit=1)) + 10_000
    rows: Any = [
        {"team": team["id"], "user": user["id"], "role": "MB"},
        {"team": team["id"], "user": missing, "role": "OW"},
    ]
    found = plan(bench, Wanted("membership", rows))
    assert [(fault.label, fault.field) for fault in found.faults] == [(1, "user"), (0, "role")]
    assert not found
    with pytest.raises(ValidationError):  # what the plan refuses, the server refuses
        bench.client.create_membership(**rows[1])
    bench.client.update_membership(
        bench.client.retrieve_membership(filters={"team": team["id"]})[0]["id"], {"role": "MB"}
    )  # and this it takes


def test_names_that_rows_change_stand_for_their_records(bench: Any, prefix: str) -> None:
    bench.make("user", username=f"{prefix}-a", email=f"{prefix}@x.org", password="a long enough secret")
    new = {"email": f"{prefix}2@x.org", "username": f"{prefix}-c", "password": "a long enough secret"}
    people = Wanted("user", [{"email": f"{prefix}@x.org", "username": f"{prefix}-b"}, new], key="email")
    team = {"name": f"{prefix} Team"}
    members = [{"team": team["name"], "user": name, "role": "OW"} for name in (f"{prefix}-b", f"{prefix}2@x.org")]
    wanted = people, Wanted("team", [team]), Wanted("membership", members)
    found = plan(bench, *wanted)
    found.apply(dry_run=True)
    found.apply()
    assert not plan(bench, *wanted)
    former = plan(bench, people, Wanted("membership", [members[0] | {"user": f"{prefix}-a"}]))
    assert [fault.field for fault in former.faults] == ["user"]
