"""Batch jobs: when a request is sent, and how answers without results are reported."""

import json
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    DecodeError,
    FieldError,
    KeystoneClient,
    TransportError,
    ValidationError,
)

from .scripted import URL, Scripted, answer, failure


def carry_out(colour: str, transport: Scripted, add: Any, **options: Any) -> Any:
    """Run a batch block with a sync or async client."""
    if colour == "sync":
        with KeystoneClient(URL, transport=transport, retry=None) as client, client.batch(**options) as job:
            add(job)
        return job

    async def run() -> Any:
        async with AsyncKeystoneClient(URL, transport=transport, retry=None) as client:
            async with client.batch(**options) as job:
                add(job)
            return job

    return anyio.run(run)


def results(*bodies: Any) -> Any:
    steps = [{"ref": "", "index": at, "status": 200, "body": body} for at, body in enumerate(bodies, 1)]
    return answer(200, {"results": steps})


def test_an_empty_block_sends_nothing(colour: str) -> None:
    transport = Scripted()

    job = carry_out(colour, transport, lambda job: None)

    assert transport.requests == []
    assert job.results == []


def test_a_job_is_one_request(colour: str) -> None:
    transport = Scripted(results({"id": 1}, None))

    job = carry_out(colour, transport, lambda job: (job.create_team(name="é"), job.delete_team(5)), dry_run=True)

    (sent,) = transport.requests
    said = json.loads(sent.content)["job"]
    assert (sent.method, sent.url.path) == ("POST", "/batch/")
    assert said["dry_run"] is True
    assert [(action["method"], action["path"]) for action in said["actions"]] == [
        ("POST", "/users/teams/"),
        ("DELETE", "/users/teams/5/"),
    ]
    assert job.results == [{"id": 1}, None]


def test_action_names_are_unique_across_jobs(colour: str) -> None:
    transport = Scripted(results({"id": 1}))

    for _ in range(2):
        carry_out(colour, transport, lambda job: job.create_team(name="x"))

    refs = {json.loads(sent.content)["job"]["actions"][0]["ref"] for sent in transport.requests}
    assert len(refs) == 2


@pytest.mark.parametrize("body", [b"cut", {"results": []}, {"results": [{"ref": ""}]}, [], {"results": None}])
def test_an_answer_without_the_results_is_a_decode_error(colour: str, body: Any) -> None:
    with pytest.raises(DecodeError):
        carry_out(colour, Scripted(answer(200, body)), lambda job: job.create_team(name="x"))


def test_a_job_whose_answer_was_lost_is_not_sent_again(colour: str) -> None:
    transport = Scripted(failure(httpx.ReadError))

    with pytest.raises(TransportError) as caught:
        carry_out(colour, transport, lambda job: job.create_team(name="x"))

    assert caught.value.outcome == "unknown"
    assert len(transport.requests) == 1


def test_a_job_with_a_malformed_action_names_the_action(colour: str) -> None:
    transport = Scripted(answer(400, {"actions": [{}, {"path": ["Too long."]}]}))

    with pytest.raises(ValidationError, match=r"action 2 of 2, delete_team\(5\)"):
        carry_out(colour, transport, lambda job: (job.create_team(name="x"), job.delete_team(5)))


def test_a_dropped_field_is_reported_although_the_job_succeeded(colour: str) -> None:
    transport = Scripted(results({"id": 7, "is_staff": False}))

    with pytest.raises(FieldError, match="is_staff") as caught:
        carry_out(colour, transport, lambda job: job.update_user(7, {"is_staff": True}))

    assert caught.value.position == 0
    assert caught.value.record == {"id": 7, "is_staff": False}


def test_passwords_are_in_no_message(colour: str) -> None:
    said = {"detail": "Step #1 (POST /users/users/) failed with status 400", "step": 1, "status": 400, "body": {}}

    with pytest.raises(Exception, match="create_user") as caught:
        carry_out(
            colour,
            Scripted(answer(422, said)),
            lambda job: job.create_user(username="ada", password="correct horse"),
        )

    assert "correct horse" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


def test_files_of_the_caller_stay_open_and_files_opened_by_the_client_are_closed(colour: str, tmp_path: Any) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")

    with path.open("rb") as file:
        job = carry_out(
            colour,
            Scripted(results({"id": 1}, {"id": 2})),
            lambda job: (job.create_attachment(request=1, file=file), job.create_attachment(request=1, file=path)),
        )
        assert not file.closed

    ours = [upload.file for upload in job._uploads.values()]
    assert [opened.closed for opened in ours] == [True, True]
