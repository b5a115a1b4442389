"""Batch jobs: actions are collected without a request, sent in one request, and applied all or none."""

import io
import pickle
from typing import Any

import pytest
from keystone_client import ClosedError, FieldError, JobError, ReferenceTokenError, ServerError
from keystone_client_core import RESOURCES

from .samples import CHANGES, FIELDS, me, request, request_fields, team

NO_SUCH_KEY = 2**62


@pytest.mark.parametrize("resource", FIELDS)
def test_the_actions_of_each_resource_are_those_of_its_methods(bench: Any, resource: str) -> None:
    fields, change = FIELDS[resource](bench), CHANGES[resource]

    with bench.client.batch() as job:
        call = {verb: getattr(job, f"{verb}_{resource}") for verb in ("create", "retrieve", "update", "delete")}
        made = call["create"](**fields)
        found = call["retrieve"](made["id"])
        changed = call["update"](made["id"], change)
        call["delete"](made["id"])
    assert len(job) == 4

    pk = made.result["id"]
    assert found.result["id"] == changed.result["id"] == pk
    assert {name: changed.result[name] for name in change} == change
    assert getattr(bench.client, f"retrieve_{resource}")(pk) is None


@pytest.mark.parametrize("resource", [name for name, each in RESOURCES.items() if name not in FIELDS])
def test_a_job_lists_what_it_cannot_create(bench: Any, resource: str) -> None:
    with bench.client.batch() as job:
        page = getattr(job, f"retrieve_{resource}")(limit=1)

    assert page["count"] >= len(page["results"])


def test_later_actions_can_reference_results_of_earlier_ones(bench: Any) -> None:
    name = bench.name()

    with bench.client.batch() as job:
        physics = job.create_team(name=name)
        ada = job.create_user(username=name, password="a long enough secret")
        member = job.create_membership(team=physics["id"], user=ada["id"], role="OW")
        wanted = job.create_request(
            title=f"For {physics['name']}, team {physics['id']}",
            description="d",
            submitter=ada["id"],
            team=physics["id"],
            assignees=[ada["id"]],
        )
        found = job.retrieve_team(filters={"name": name}, limit=1)
        again = job.retrieve_team(found["results"][0]["id"])
        closed = job.update_team(physics["id"], {"is_active": False})
    bench.made("team", physics.result)
    bench.made("user", ada.result)
    bench.made("request", wanted.result)

    pk, user = physics.result["id"], ada.result["id"]
    assert (member.result["team"], member.result["user"]) == (pk, user)
    assert wanted.result["title"] == f"For {name}, team {pk}"
    assert wanted.result["assignees"] == [user]
    assert found.result["count"] == 1
    assert again["name"] == name
    assert closed["is_active"] is False
    assert job.results == [
        physics.result,
        ada.result,
        member.result,
        wanted.result,
        found.result,
        again.result,
        closed.result,
    ]
    assert bench.client.retrieve_team(pk)["is_active"] is False


def test_a_delete_in_a_job_has_no_result(bench: Any) -> None:
    name = bench.name()

    with bench.client.batch() as job:
        made = job.create_cluster(name=name)
        gone = job.delete_cluster(made["id"])

    assert gone.result is None
    assert bench.client.count_cluster(filters={"name": name}) == 0


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
def test_a_job_can_upload_files(bench: Any, tmp_path: Any, kind: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"some text")
    content = {"path": path, "bytes": b"some text", "file": io.BytesIO(b"some text")}[kind]

    with bench.client.batch() as job:
        wanted = job.create_request(**request_fields(bench))
        one = job.create_attachment(request=wanted["id"], file=content, filename="notes.txt")
        two = job.create_attachment(request=wanted["id"], file=b"more", name="Second", filename="more.txt")
    bench.made("request", wanted.result)

    assert one["name"] == "notes.txt"
    assert two["name"] == "Second"
    assert two["request"] == wanted["id"]
    assert [made["name"] for made in bench.client.retrieve_attachment(filters={"request": wanted["id"]})] == [
        "notes.txt",
        "Second",
    ]


def test_a_dry_run_returns_results_and_writes_nothing(bench: Any) -> None:
    name = bench.name()

    with bench.client.batch(dry_run=True) as job:
        made = job.create_cluster(name=name)

    assert made.result["name"] == name
    assert bench.client.count_cluster(filters={"name": name}) == 0


def test_a_failing_action_rolls_back_the_job_and_is_named(bench: Any) -> None:
    name = bench.name()
    with pytest.raises(JobError) as caught, bench.client.batch() as job:  # noqa: PT012 - the block is the job
        physics = job.create_team(name=name)
        job.create_grant(title="t", agency="a", amount=1, start_date="2026-01-01", team=NO_SUCH_KEY)

    error = caught.value
    assert (error.status_code, error.step, error.step_status) == (422, 2, 400)
    assert (error.action, error.method, error.path) == (2, "POST", "/research/grants/")
    assert error.call == "create_grant(title, agency, amount, start_date, team)"
    assert error.field_errors == {"team": [f'Invalid pk "{NO_SUCH_KEY}" - object does not exist.']}
    assert error.call in str(error)
    assert pickle.loads(pickle.dumps(error)).action == 2
    assert bench.client.count_team(filters={"name": name}) == 0
    with pytest.raises(ReferenceTokenError, match="not carried out"):
        print(physics.result)


def test_an_action_that_crashes_on_the_server_rolls_back_the_job(bench: Any) -> None:
    name = bench.name()
    unsure = pytest.raises(ServerError, match=r"whether it was written is unknown.*still refer to")
    with unsure, bench.client.batch() as job:
        job.create_cluster(name=name)
        job.delete_user(me(bench))  # the server answers 500 when users delete their own account

    assert bench.client.count_cluster(filters={"name": name}) == 0
    assert bench.client.is_authenticated()


def test_an_unresolvable_reference_names_its_action(bench: Any) -> None:
    with pytest.raises(JobError) as caught, bench.client.batch() as job:  # noqa: PT012 - the block is the job
        found = job.retrieve_team(filters={"name": bench.name()})
        job.update_team(found["results"][0]["id"], {"is_active": True})

    assert caught.value.action == 2
    assert str(caught.value.token).endswith(".results.0.id}")
    assert "Invalid list index" in str(caught.value)
    assert "['results'][0]['id'] of action 1, retrieve_team(name)" in str(caught.value)


def test_a_missing_record_fails_the_job(bench: Any) -> None:
    with pytest.raises(JobError) as caught, bench.client.batch() as job:
        job.retrieve_team(NO_SUCH_KEY)

    assert caught.value.step_status == 404
    assert "No Team matches" in str(caught.value)


def test_a_block_that_raises_sends_nothing(bench: Any) -> None:
    name = bench.name()
    with pytest.raises(KeyError), bench.client.batch() as job:  # noqa: PT012 - the block is the job
        job.create_cluster(name=name)
        raise KeyError("a mistake of the caller")

    assert bench.client.count_cluster(filters={"name": name}) == 0


def test_mistakes_are_found_before_anything_is_sent(bench: Any) -> None:
    name = bench.name()
    with bench.client.batch() as job:
        made = job.create_cluster(name=name)
        with pytest.raises(FieldError, match="enable"):
            job.create_cluster(name=name, enable=True)
        with pytest.raises(ReferenceTokenError, match="no escape"):
            job.create_cluster(name="@ref{a.b}")
        with pytest.raises(ReferenceTokenError, match="Did you mean"):
            job.update_cluster(made["idd"], {})
        with pytest.raises(FieldError, match="None"):
            job.delete_cluster(None)
        with pytest.raises(FieldError, match="pk"):
            job.retrieve_cluster(1, limit=1)
    bench.made("cluster", made.result)

    assert job.results == [made.result]


def test_a_reference_to_another_job_is_refused(bench: Any) -> None:
    with bench.client.batch() as first:
        kept = first.retrieve_team(team(bench))["id"]
    with bench.client.batch() as second, pytest.raises(ReferenceTokenError, match="another job"):
        second.update_team(kept, {"is_active": True})


def test_a_reference_outside_of_its_job_is_refused(bench: Any) -> None:
    with bench.client.batch() as job:
        pk = job.retrieve_request(request(bench))["id"]
        with pytest.raises(FieldError, match="belongs in a later action"):
            bench.client.create_comment(request=pk, content="x")


def test_adding_an_action_after_the_block_is_refused(bench: Any) -> None:
    with bench.client.batch() as job:
        pass

    with pytest.raises(ClosedError, match="inside its `with` block"):
        job.create_team(name="late")
