"""Batch jobs of the fake: all or nothing, references, files, dry runs, and the server's message for every mistake."""

import json
from typing import Any

import pytest
from keystone_client_testing import FakeKeystone

NO_ROUTE = "No route matched: "


def get(path: str, **more: Any) -> dict[str, Any]:
    return {"method": "GET", "path": path, **more}


def post(path: str, payload: Any, **more: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "payload": payload, **more}


def team(name: str, **more: Any) -> dict[str, Any]:
    return post("/users/teams/", {"name": name}, **more)


@pytest.fixture
def send(admin: Any) -> Any:
    def send_job(*actions: Any, **options: Any) -> Any:
        return admin("POST", "batch/", json={"job": {"actions": list(actions), **options}})

    return send_job


def test_a_job_returns_the_answer_to_each_action(fake: FakeKeystone, send: Any) -> None:
    answer = send(team("Physics", ref="t"), get("/users/teams/@ref{t.id}/"), get("/version/"))

    first, second, third = answer.json()["results"]
    assert answer.status_code == 200
    assert {name: first[name] for name in ("ref", "index", "method", "path", "status")} == {
        "ref": "t",
        "index": 1,
        "method": "POST",
        "path": "/users/teams/",
        "status": 201,
    }
    assert second["path"] == f"/users/teams/{first['body']['id']}/"
    assert second["body"]["name"] == "Physics"
    assert third == {"ref": "", "index": 3, "method": "GET", "path": "/version/", "status": 200, "body": None}
    assert fake.world.store.has("team", "name", "Physics")


def test_a_reference_alone_keeps_its_type_and_inside_text_becomes_text(send: Any) -> None:
    cluster = {"name": "@ref{t.name}-@ref{t.id}", "access_teams": ["@ref{t.id}"], "enabled": "@ref{t.is_active}"}

    made = send(team("Physics", ref="t"), post("/allocations/clusters/", cluster)).json()["results"]

    pk = made[0]["body"]["id"]
    assert made[1]["body"]["name"] == f"Physics-{pk}"
    assert made[1]["body"]["access_teams"] == [pk]
    assert made[1]["body"]["enabled"] is True


def test_references_in_a_query_are_sent_on_as_text(send: Any) -> None:
    listed = send(team("Physics", ref="t"), get("/users/teams/", query_params={"name": "@ref{t.name}"}))
    in_path = send(team("Maths", ref="t"), get("/users/teams/?name=@ref{t.name}"))

    assert listed.json()["results"][1]["body"]["count"] == 0
    assert in_path.json()["results"][1]["body"]["count"] == 1


def test_a_failing_action_undoes_those_before_it(fake: FakeKeystone, send: Any) -> None:
    refused = send(team("Physics"), team(""))

    assert refused.status_code == 422
    assert refused.json() == {
        "detail": "Step #2 (POST /users/teams/) failed with status 400",
        "step": 2,
        "status": 400,
        "body": {"name": ["This field may not be blank."]},
    }
    assert not fake.world.store.has("team", "name", "Physics")


def test_a_dry_run_answers_like_a_real_run_and_keeps_nothing(fake: FakeKeystone, send: Any) -> None:
    tried = send(team("Physics"), dry_run=True).json()["results"][0]["body"]
    done = send(team("Physics")).json()["results"][0]["body"]

    assert (tried["id"], done["id"]) == (1, 2)
    assert tried["name"] == "Physics"
    assert len(fake.world.store.tables["team"]) == 1
    assert [row["action"] for row in fake.world.store.tables["audit_log"].values()].count(0) == 2  # admin and the team


def test_files_are_sent_as_parts_and_can_be_read_once(fake: FakeKeystone, admin: Any) -> None:
    request = fake.add.request()["id"]
    attach = post("/allocations/attachments/", {"request": request, "file": "@file{up}"})

    def send(*actions: Any) -> Any:
        job = json.dumps({"actions": actions})
        return admin("POST", "batch/", data={"job": job}, files={"up": ("notes.txt", b"some text")})

    once, twice = send(attach), send(attach, attach)

    assert once.json()["results"][0]["body"]["name"] == "notes.txt"
    assert twice.json()["body"] == {"file": ["The submitted file is empty."]}
    assert (
        send(post("/allocations/attachments/", {"request": request, "file": "@file{up}", "name": None})).status_code
        == 500
    )


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("@ref{x.id}", 'Alias "x" has not been defined by a previous step'),
        ("@ref{t.nope}", 'Key "nope" not found in response'),
        ("@ref{t._membership.9}", 'Invalid list index "9"'),
        ("@ref{t._membership.x}", 'Invalid list index "x"'),
        ("@ref{t.id.x}", 'Cannot traverse into int with "x"'),
        ("@ref{v.id}", 'Cannot traverse into NoneType with "id"'),
        ("@ref{t}", "Reference labels may only contain letters, numbers, and underscores"),
        ("@ref{}", "Reference labels may only contain letters, numbers, and underscores"),
        ("@file{up}", 'File part "up" was not uploaded with this request'),
    ],
)
def test_a_token_that_leads_nowhere_fails_the_job(fake: FakeKeystone, send: Any, token: str, why: str) -> None:
    answer = send(team("Physics", ref="t"), get("/version/", ref="v"), team(f"a {token} b"))

    assert answer.status_code == 422
    assert answer.json() == {"detail": f'Cannot resolve reference "{token}": {why}', "token": token}
    assert not fake.world.store.tables["team"]


@pytest.mark.parametrize("path", ["/users/teams", "users/teams/", "http://keystone.test/users/teams/", "/nope/"])
def test_a_path_without_a_route_fails_the_job(send: Any, path: str) -> None:
    answer = send(get(path)).json()

    assert answer["status"] == 404
    assert answer["body"] == {"detail": NO_ROUTE + path}


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({}, {"actions": ["This field is required."]}),
        ({"actions": None}, {"actions": ["This field may not be null."]}),
        ({"actions": []}, {"actions": {"non_field_errors": ["This list may not be empty."]}}),
        ({"actions": "x"}, {"actions": {"non_field_errors": ['Expected a list of items but got type "str".']}}),
        (
            {"actions": [5, None, get("/version/")]},
            {
                "actions": [
                    {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]},
                    ["This field may not be null."],
                    {},
                ]
            },
        ),
        (
            {"dry_run": "maybe", "actions": [{"method": "get", "path": ""}, get("/version/")]},
            {
                "dry_run": ["Must be a valid boolean."],
                "actions": [{"method": ['"get" is not a valid choice.'], "path": ["This field may not be blank."]}, {}],
            },
        ),
        (
            {"actions": [{"ref": "a b", "payload": None, "query_params": []}]},
            {
                "actions": [
                    {
                        "ref": ["Reference aliases may only contain alphanumeric characters and underscores."],
                        "method": ["This field is required."],
                        "path": ["This field is required."],
                        "payload": ["This field may not be null."],
                        "query_params": ['Expected a dictionary of items but got type "list".'],
                    }
                ]
            },
        ),
        (
            {"actions": [get("/version/", ref="a"), get("/version/", ref="a")]},
            {"actions": ["Reference aliases must be unique within a job."]},
        ),
        (None, {"non_field_errors": ["No data provided"]}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        ("{", {"detail": "The `job` field is not valid JSON."}),
    ],
)
def test_a_job_of_the_wrong_shape_is_refused_with_the_servers_message(admin: Any, job: Any, said: Any) -> None:
    answer = admin("POST", "batch/", json={"job": job})

    assert answer.status_code == 400
    assert answer.json() == said


def test_a_job_may_be_sent_as_json_text(admin: Any) -> None:
    assert admin("POST", "batch/", json={"job": json.dumps({"actions": [get("/version/")]})}).status_code == 200


def test_a_body_that_is_not_an_object_is_answered_with_500(admin: Any) -> None:
    assert admin("POST", "batch/", json=["x"]).status_code == 500


def test_a_form_is_refused_as_a_job(admin: Any) -> None:
    assert admin("POST", "batch/", data={"job": "{}"}).status_code == 415


@pytest.mark.parametrize(
    "action", [post("/authentication/login/", {}), post("/authentication/logout/", {}), get("/users/"), get("/logs/")]
)
def test_an_action_that_raises_undoes_the_job_and_answers_a_page(fake: FakeKeystone, send: Any, action: Any) -> None:
    answer = send(team("Physics"), action)

    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert not fake.world.store.tables["team"]


def test_each_action_counts_against_the_throttle_and_stays_counted(fake: FakeKeystone, send: Any) -> None:
    fake.throttle(user="5/min")

    refused = send(*[team(f"T{number}") for number in range(5)])

    assert refused.status_code == 422
    assert "retry-after" not in refused.headers
    assert {name: refused.json()[name] for name in ("step", "status")} == {"step": 5, "status": 429}
    assert "Expected available in 60 seconds" in refused.json()["body"]["detail"]
    assert send(team("T")).status_code == 429
    fake.clock.advance(60)
    assert send(*[team(f"T{number}") for number in range(4)]).status_code == 200


def test_actions_have_the_permissions_of_the_caller(as_user: Any) -> None:
    refused = as_user("eve")(
        "POST", "batch/", json={"job": {"actions": [post("/allocations/clusters/", {"name": "x"})]}}
    )

    assert refused.json()["status"] == 403


def test_a_job_without_a_login_is_refused(anonymous: Any) -> None:
    assert anonymous("POST", "batch/", json={"job": {"actions": [get("/version/")]}}).status_code == 401


def test_the_audit_log_names_the_correlation_id_of_the_job(fake: FakeKeystone, admin: Any) -> None:
    cid = "4fb17fc9-7d0a-4b0e-9a4c-0c6a3a8b7f11"

    admin("POST", "batch/", json={"job": {"actions": [team("Physics")]}}, headers={"X-KEYSTONE-CID": cid})

    assert [row["cid"] for row in fake.world.store.tables["audit_log"].values()][-1] == cid
    assert [row["endpoint"] for row in fake.world.store.tables["request_log"].values()][-1] == "/batch/"


def test_a_job_within_a_job_is_carried_out_and_its_answer_is_lost(fake: FakeKeystone, send: Any) -> None:
    def job(*actions: Any, **options: Any) -> dict[str, Any]:
        return post("/batch/", {"job": {"actions": list(actions), **options}})

    rows = send(team("A"), job(team("B")), job(team("C"), dry_run=True), team("D", ref="d")).json()["results"]
    assert [(row["status"], row["body"]) for row in rows[1:3]] == [(200, None), (200, None)]
    assert [row["name"] for row in fake.world.store.tables["team"].values()] == ["A", "B", "D"]
    assert rows[3]["body"]["id"] == 4
    failed = send(job(team("A")))
    assert (failed.status_code, failed.json()["status"], failed.json()["body"]) == (422, 422, None)
    assert send(job()).json()["body"] == {"actions": {"non_field_errors": ["This list may not be empty."]}}


def test_an_action_is_looked_up_as_its_path_is_written(send: Any) -> None:
    answer = send(get("/users/users/%31/"))
    assert (answer.status_code, answer.json()["body"]) == (422, {"detail": "Not found."})


@pytest.mark.parametrize("ref", ["_", "__"])
def test_an_alias_needs_a_letter_or_a_digit(send: Any, ref: str) -> None:
    assert "Reference aliases" in send(get("/version/", ref=ref)).json()["actions"][0]["ref"][0]


def test_a_file_token_refers_to_all_parts_of_that_name(fake: FakeKeystone, admin: Any) -> None:
    payload = {"request": fake.add.request()["id"], "file": "@file{up}", "name": []}
    job = {"actions": [post("/allocations/attachments/", payload)]}
    files = [("up", ("a.txt", b"1")), ("up", ("b.txt", b"2"))]
    answer = admin("POST", "batch/", data={"job": json.dumps(job)}, files=files)
    assert answer.json()["results"][0]["body"]["name"] == "b.txt"
    nested = {"actions": [post("/allocations/attachments/", {**payload, "file": ["@file{up}"]})]}
    answer = admin("POST", "batch/", data={"job": json.dumps(nested)}, files=files)
    assert "not a file" in answer.json()["body"]["file"][0]


def test_a_login_breaks_a_job_but_a_get_of_the_login_page_does_not(send: Any) -> None:
    assert send(get("/authentication/login/")).json()["status"] == 405
    assert send(post("/authentication/login/", {})).status_code == 500


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/"])
def test_the_pages_for_administrators_break_a_job(send: Any, path: str) -> None:
    assert send(get(path)).status_code == 500
