"""What a delete in a plan takes along, and what keeps it from being made."""

from typing import Any

from keystone_client import Wanted

from .plan_world import ALL, LDAP, PEOPLE, centre, lines, people, reasons


def test_what_goes_along_is_counted(planned: Any) -> None:
    fake = centre()
    request = fake.add.request(team=1, submitter=1)
    fake.add.comment(request=request["id"], user=1)
    fake.add.grant(team=1)
    plan = planned(Wanted("team", [{"name": "Other"}], scope={}, gone="delete", most_gone=1), fake=fake)
    assert lines(plan.gone) == ["- team Physics (with 2 of membership, 1 of request, 1 of comment, 1 of grant)"]
    assert str(plan).endswith("1 to create, 0 to change, 1 to take out with 5 others, 0 as wanted")


def test_what_the_server_does_not_delete_is_refused(planned: Any) -> None:
    fake = centre()
    fake.add.request(team=1, submitter=4)
    plan = planned(Wanted("user", PEOPLE[:2], scope=LDAP, gone="delete", most_gone=1), fake=fake)
    assert plan.gone == []
    why = "it is the submitter of 1 request records (1), and the server does not delete it"
    assert [(fault.value, fault.reason) for fault in plan.faults] == [("eve", why)]


def test_a_record_whose_key_a_row_gives_is_not_deleted(planned: Any) -> None:
    fake = centre()
    fake.add.team(name="Kept")
    everything: dict[str, Any] = {"scope": {}, "gone": "delete", "most_gone": 1}
    plan = planned(
        Wanted("team", [{"name": "Kept"}], **everything),
        Wanted("membership", [{"team": 1, "user": "eve", "role": "MB"}]),
        fake=fake,
    )
    assert lines(plan.changes) == ["+ membership 1, eve role='MB'"]
    why = "the membership 1, eve, which rows want, points at it"
    assert [(fault.value, fault.reason) for fault in plan.faults] == [("Physics", why)]


def test_a_delete_takes_nothing_along_that_a_refused_row_names(planned: Any) -> None:
    row: Any = {"team": "Physics", "user": "bob", "role": "no such role"}
    plan = planned(Wanted("user", people("ada", "eve", "admin"), **ALL), Wanted("membership", [row]))
    assert plan.gone == []
    assert reasons(plan)[None] == "membership 2 would go along, and rows want it"


def test_a_delete_takes_nothing_along_that_rows_name_or_point_at(planned: Any) -> None:
    fake = centre()
    fake.add.team(name="Kept")
    cluster, request = fake.add.cluster(name="hpc")["id"], fake.add.request(title="R", team=1, submitter=1)["id"]
    fake.add.allocation(cluster=cluster, request=request, requested=1)
    teams = Wanted("team", [{"name": "Kept"}], **ALL)
    row = {"cluster": "hpc", "request": request, "requested": 1}
    for key in ("request", ("request", "requested")):
        for requested in (1, 2):
            plan = planned(teams, Wanted("allocation", [row | {"requested": requested}], key=key), fake=fake)
            assert plan.gone == []


def test_a_protected_record_does_not_go_along(planned: Any) -> None:
    fake = centre()
    fake.add.team(name="Kept")
    plan = planned(
        Wanted("team", [{"name": "Kept"}], **ALL),
        Wanted("membership", [{"team": "Kept", "user": "eve"}], protect=["Physics, bob"], **ALL),
        fake=fake,
    )
    assert plan.gone == []
    assert plan.faults[-1].reason == "membership 2 would go along, and it is protected"


def test_someone_whom_a_new_record_points_at_does_not_go(planned: Any) -> None:
    plan = planned(
        Wanted("user", people("ada", "bob", "admin"), **ALL),
        Wanted("request", [{"title": "R", "description": "d", "team": "Physics", "submitter": "eve"}], key="title"),
    )
    assert reasons(plan) == {None: "the request R, which rows want, points at it"}
    assert lines(plan.changes) == ["+ request R description='d' team='Physics' submitter='eve'"]


def test_what_a_stored_record_points_at_stays_while_a_row_wants_that_record(planned: Any) -> None:
    fake = centre()
    fake.add.request(title="R", team=1, submitter=1, assignees=[4])
    row: Any = {"title": "R", "assignees": ["eve"]}
    plan = planned(
        Wanted("user", people("ada", "bob", "admin"), **ALL), Wanted("request", [row], key="title"), fake=fake
    )
    assert (plan.gone, plan.faults[0].value, plan.as_wanted) == ([], "eve", 4)


def test_what_goes_along_with_an_earlier_delete_protects_nothing_and_is_counted_once(planned: Any) -> None:
    fake = centre()
    cluster, request = fake.add.cluster(name="old")["id"], fake.add.request(team=1, submitter=1)["id"]
    fake.add.allocation(cluster=cluster, request=request, requested=1)
    fake.add.team(name="Kept")
    row = {"title": "N", "description": "d", "team": "Kept", "submitter": "ada"}
    plan = planned(
        Wanted("cluster", [{"name": "new"}], **ALL),
        Wanted("request", [row], key="title", **ALL),
        Wanted("team", [{"name": "Kept"}], **ALL),
        fake=fake,
    )
    assert plan.faults == ()
    assert sum(change.along.get("allocation", 0) for change in plan.changes) == 1


def test_records_that_a_delete_only_unlinks_do_not_go_along(planned: Any) -> None:
    """The rows of the logs stay, without their user; nothing asks for them."""
    fake = centre()
    fake.add.audit_log(actor=4)
    fake.add.request_log(user=4)
    plan = planned(Wanted("user", PEOPLE[:2], scope=LDAP, gone="delete", most_gone=1), fake=fake)
    assert lines(plan.gone) == ["- user eve"]
    assert not [entry.path for entry in fake.journal if entry.path.startswith("/logs/")]
