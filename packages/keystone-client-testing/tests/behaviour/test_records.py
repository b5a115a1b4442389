"""Creating, reading, changing and deleting records: the server's rules and messages."""

import re
from typing import Any

import pytest
from keystone_client_core import RESOURCES, SHAPES
from keystone_client_testing import FakeKeystone

from .conftest import Session

BAD_NAME = "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
REQUIRED = ["This field is required."]
BODIES: dict[str, dict[str, Any]] = {
    "user": {"username": "bob", "password": "long-enough"},
    "team": {"name": "Physics & Co"},
    "membership": {"user": 1, "team": 1, "role": "OW"},
    "cluster": {"name": "gpu"},
    "request": {"title": "T", "description": "D", "submitter": 1, "team": 1},
    "allocation": {"request": 1, "cluster": 1, "requested": 5},
    "review": {"request": 1, "status": "AP"},
    "comment": {"request": 1, "content": "C"},
    "grant": {"title": "T", "agency": "A", "amount": "12.5", "start_date": "2024-1-5", "team": 1},
    "publication": {"title": "T", "team": 1},
    "preference": {},
}


@pytest.fixture
def centre(fake: FakeKeystone) -> FakeKeystone:
    """One team, cluster and request, so that every key 1 exists."""
    fake.add.team(name="First")
    fake.add.cluster(name="first")
    fake.add.request(team=1)
    return fake


def path(resource: str) -> str:
    return RESOURCES[resource].path + "/"


@pytest.mark.parametrize("resource", BODIES)
def test_every_resource_can_be_created_read_changed_and_deleted(
    centre: FakeKeystone, admin: Session, resource: str
) -> None:
    created = admin("POST", path(resource), json=BODIES[resource])
    assert created.status_code == 201, created.text
    record = created.json()
    shown = [name for name, field in RESOURCES[resource].fields.items() if not field.hidden and not field.write_only]
    assert list(record) == shown
    here = f"{path(resource)}{record['id']}/"
    assert admin("GET", here).json() == record
    assert record["id"] in [row["id"] for row in admin("GET", path(resource)).json()["results"]]
    assert admin("PATCH", here, json={}).status_code == 200
    deleted = admin("DELETE", here)
    assert (deleted.status_code, deleted.content, "content-type" in deleted.headers) == (204, b"", False)
    missing = {"detail": f"No {RESOURCES[resource].model} matches the given query."}
    assert admin("DELETE", here).json() == admin("GET", here).json() == missing


@pytest.mark.parametrize("resource", [name for name in BODIES if name != "preference"])
def test_all_missing_fields_are_named_together(centre: FakeKeystone, admin: Session, resource: str) -> None:
    response = admin("POST", path(resource), json={})
    wanted = {name: REQUIRED for name, field in RESOURCES[resource].fields.items() if field.required}
    assert (response.status_code, response.json()) == (400, wanted)


@pytest.mark.parametrize(
    ("resource", "field", "value", "message"),
    [
        ("team", "name", None, "This field may not be null."),
        ("team", "name", " ", "This field may not be blank."),
        ("team", "name", [], "Not a valid string."),
        ("team", "name", True, "Not a valid string."),
        ("team", "name", "x" * 256, "Ensure this field has no more than 255 characters."),
        ("team", "name", "a\0b", "Null characters are not allowed."),
        ("team", "name", "First", "team with this name already exists."),
        ("team", "name", "FIRST!", "A team with this name already exists."),
        ("team", "is_active", "maybe", "Must be a valid boolean."),
        ("team", "is_active", {}, "Must be a valid boolean."),
        ("user", "username", "admin", "user with this username already exists."),
        ("user", "username", "a b", BAD_NAME),
        ("user", "email", "nobody", "Enter a valid email address."),
        ("user", "groups", [1], 'Invalid pk "1" - object does not exist.'),
        ("cluster", "name", "first", "cluster with this name already exists."),
        ("cluster", "access_mode", "XX", '"XX" is not a valid choice.'),
        ("cluster", "access_mode", "", '"" is not a valid choice.'),
        ("cluster", "access_teams", "1", 'Expected a list of items but got type "str".'),
        ("cluster", "access_teams", ["a"], "Incorrect type. Expected pk value, received str."),
        ("cluster", "access_teams", [None], 'Invalid pk "None" - object does not exist.'),
        ("grant", "team", 99, 'Invalid pk "99" - object does not exist.'),
        ("grant", "team", True, "Incorrect type. Expected pk value, received bool."),
        ("grant", "team", "", "This field may not be null."),
        ("grant", "start_date", "2024-01-05T00:00",
         "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
        ("grant", "amount", "x", "A valid number is required."),
        ("grant", "amount", "NaN", "A valid number is required."),
        ("grant", "amount", "1" * 1001, "String value too large."),
        ("grant", "amount", "1.234", "Ensure that there are no more than 2 decimal places."),
        ("grant", "amount", "1234567890123", "Ensure that there are no more than 12 digits before the decimal point."),
        ("grant", "amount", "123456789012345", "Ensure that there are no more than 14 digits in total."),
        ("allocation", "requested", "5.5", "A valid integer is required."),
        ("allocation", "requested", "1" * 1001, "String value too large."),
        ("allocation", "requested", -1, "Ensure this value is greater than or equal to 0."),
        ("allocation", "awarded", 2**31, f"Ensure this value is less than or equal to {2**31 - 1}."),
        ("review", "status", "PD", '"PD" is not a valid choice.'),
        ("preference", "request_expiry_thresholds", None, "This field may not be null."),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_with_the_servers_message(
    centre: FakeKeystone, admin: Session, resource: str, field: str, value: Any, message: str
) -> None:
    response = admin("POST", path(resource), json={**BODIES[resource], field: value})
    assert (response.status_code, response.json()) == (400, {field: [message]})


@pytest.mark.parametrize(
    ("resource", "field", "value", "stored"),
    [
        ("grant", "team", "1", 1),
        ("grant", "team", 1.5, 1),
        ("grant", "amount", " 1e3 ", "1000.00"),
        ("grant", "amount", -3, "-3.00"),
        ("grant", "end_date", "20240101", "2024-01-01"),
        ("grant", "end_date", "2024-W01-1", "2024-01-01"),
        ("grant", "title", 5, "5"),
        ("grant", "title", " x ", "x"),
        ("grant", "pi", "", ""),
        ("cluster", "enabled", "off", False),
        ("cluster", "access_teams", [1, "1"], [1]),
        ("allocation", "requested", "5.0", 5),
        ("user", "email", "A@b.co", "A@b.co"),
        ("preference", "request_expiry_thresholds", {"any": ["json"]}, {"any": ["json"]}),
    ],
)
def test_the_servers_leniencies_hold(
    centre: FakeKeystone, admin: Session, resource: str, field: str, value: Any, stored: Any
) -> None:
    response = admin("POST", path(resource), json={**BODIES[resource], field: value})
    assert (response.status_code, response.json().get(field)) == (201, stored)


@pytest.mark.parametrize(
    ("password", "errors"),
    [
        ("123", ["This password is too short. It must contain at least 8 characters.",
                 "This password is too common.", "This password is entirely numeric."]),
        ("password", ["This password is too common."]),
        ("91827364554", ["This password is entirely numeric."]),
    ],
)  # fmt: skip
def test_weak_passwords_are_refused(admin: Session, password: str, errors: list[str]) -> None:
    response = admin("POST", "users/users/", json={"username": "bob", "password": password})
    assert (response.status_code, response.json()) == (400, {"non_field_errors": errors})


@pytest.mark.parametrize(
    ("body", "text"),
    [([], "Invalid data. Expected a dictionary, but got list."),
     ("x", "Invalid data. Expected a dictionary, but got str."), (None, "No data provided")],
)  # fmt: skip
def test_a_body_that_is_no_object_is_refused(admin: Session, body: Any, text: str) -> None:
    content = {"content": b"null", "headers": {"Content-Type": "application/json"}} if body is None else {"json": body}
    assert admin("POST", "users/teams/", **content).json() == {"non_field_errors": [text]}


def test_a_duplicate_of_a_unique_pair_is_refused(centre: FakeKeystone, admin: Session) -> None:
    admin("POST", "users/memberships/", json=BODIES["membership"])
    expected = {"non_field_errors": ["The fields user, team must make a unique set."]}
    assert admin("POST", "users/memberships/", json=BODIES["membership"]).json() == expected
    assert admin("PUT", "users/memberships/1/", json={**BODIES["membership"], "role": "MB"}).status_code == 200


def test_read_only_and_unknown_fields_are_ignored(centre: FakeKeystone, admin: Session) -> None:
    body = {"name": "A", "id": 77, "slug": "other", "users": [1], "nonsense": 1}
    record = admin("POST", "users/teams/", json=body).json()
    assert (record["id"], record["slug"], record["users"]) == (2, "a", [])


def test_a_teams_name_cannot_change_and_an_empty_put_reactivates_it(centre: FakeKeystone, admin: Session) -> None:
    record = admin("PATCH", "users/teams/1/", json={"name": "Second", "is_active": False}).json()
    assert (record["name"], record["is_active"]) == ("First", False)
    assert admin("PUT", "users/teams/1/", json={}).json()["is_active"] is True


def test_put_requires_the_required_fields_and_keeps_the_others(centre: FakeKeystone, admin: Session) -> None:
    admin("POST", "research/grants/", json={**BODIES["grant"], "pi": "Curie"})
    assert set(admin("PUT", "research/grants/1/", json={}).json()) == {
        "title",
        "agency",
        "amount",
        "start_date",
        "team",
    }
    assert admin("PUT", "research/grants/1/", json=BODIES["grant"]).json()["pi"] == "Curie"
    assert admin("PATCH", "research/grants/1/", json={"pi": None}).json()["pi"] is None


def test_forms_cannot_leave_a_boolean_out(admin: Session) -> None:
    assert admin("POST", "allocations/clusters/", data={"name": "a"}).json()["enabled"] is False
    assert admin("POST", "allocations/clusters/", json={"name": "b"}).json()["enabled"] is True
    assert admin("POST", "users/teams/", data={"name": "c"}).json()["is_active"] is True


def test_the_reviewer_is_always_the_caller(centre: FakeKeystone, admin: Session) -> None:
    centre.add.user(username="bob")
    assert admin("POST", "allocations/reviews/", json=BODIES["review"]).json()["reviewer"] == 1
    refused = admin("POST", "allocations/reviews/", json={**BODIES["review"], "reviewer": 2})
    assert refused.json() == {"reviewer": ["Reviewer cannot be set to a different user than the submitter."]}


def test_nested_and_computed_fields_follow_their_records(centre: FakeKeystone, admin: Session) -> None:
    centre.add.user(username="ada", first_name="Ada", last_name="Byron")
    centre.add.membership(user="ada", team=1, role="OW")
    centre.add.allocation(request=1, cluster=1)
    centre.add.comment(request=1, content="Hello")
    team, request = admin("GET", "users/teams/1/").json(), admin("GET", "allocations/requests/1/").json()
    assert team["users"] == [2]
    assert team["_membership"][0]["_user"]["display_name"] == "Ada Byron"
    assert team["_membership"][0]["_user"]["abbreviation"] == "AB"
    assert request["_allocations"][0]["_cluster"] == {"id": 1, "name": "first", "enabled": True}
    assert request["_comments"][0]["content"] == "Hello"
    assert list(request["_team"]) == list(SHAPES["TeamSummary"])


def test_publications_and_grants_are_read_by_title_and_answered_as_they_come(
    centre: FakeKeystone, admin: Session
) -> None:
    centre.add.grant(title="Zebra", team=1)
    centre.add.grant(title="Ape", team=1)
    written = admin("PATCH", "allocations/requests/1/", json={"grants": [2, 1]}).json()
    read = admin("GET", "allocations/requests/1/").json()
    assert (set(written["grants"]), read["grants"]) == ({1, 2}, [2, 1])
    assert [grant["title"] for grant in read["_grants"]] == ["Ape", "Zebra"]


def test_the_history_shows_who_changed_what(centre: FakeKeystone, admin: Session) -> None:
    admin("POST", "research/grants/", json=BODIES["grant"])
    admin("PATCH", "research/grants/1/", json={"amount": 13, "title": "T"})
    admin("PATCH", "research/grants/1/", json={"amount": "13.00"})
    newest, oldest = admin("GET", "research/grants/1/").json()["_history"]
    assert (newest["action"], newest["changes"]) == ("update", {"amount": ["12.50", "13.00"]})
    assert (oldest["action"], oldest["actor"], oldest["_actor"]["username"]) == ("create", 1, "admin")
    assert oldest["changes"]["team"] == ["None", "1"]
    assert "pi" not in oldest["changes"]


def test_deleting_a_team_deletes_everything_that_belongs_to_it(centre: FakeKeystone, admin: Session) -> None:
    for resource in ("membership", "grant", "publication", "allocation", "review", "comment"):
        getattr(centre.add, resource)(**{"team": 1} if "team" in RESOURCES[resource].fields else {"request": 1})
    admin("PATCH", "allocations/clusters/1/", json={"access_teams": [1]})
    assert admin("DELETE", "users/teams/1/").status_code == 204
    for resource in ("membership", "request", "grant", "publication", "allocation", "review", "comment"):
        assert admin("GET", path(resource)).json()["count"] == 0
    assert admin("GET", "allocations/clusters/1/").json()["access_teams"] == []


def test_what_others_depend_on_cannot_be_deleted(centre: FakeKeystone, admin: Session) -> None:
    centre.add.user(username="bob")
    centre.add.comment(request=1, user="bob")
    centre.add.allocation(request=1, cluster=1)
    for here in ("users/users/2/", "allocations/clusters/1/", "users/users/1/"):
        response = admin("DELETE", here)
        assert (response.status_code, response.headers["content-type"]) == (500, "text/html; charset=utf-8")
        assert admin("GET", here).status_code == 200


def test_ids_are_never_used_again(admin: Session) -> None:
    admin("POST", "users/teams/", json={"name": "A"})
    admin("DELETE", "users/teams/1/")
    assert admin("POST", "users/teams/", json={"name": "B"}).json()["id"] == 2


def test_uploads_are_taken_by_their_extension(centre: FakeKeystone, admin: Session) -> None:
    def upload(name: str, content: bytes = b"x") -> Any:
        return admin("POST", "allocations/attachments/", data={"request": "1"}, files={"file": (name, content)}).json()

    first, second = upload("a b.txt"), upload("a b.txt")
    assert (first["file"], first["name"]) == ("allocations/a_b.txt", "a b.txt")
    assert second["file"].startswith("allocations/a_b_")
    assert upload("a.tar.txt")["file"] == "allocations/a.tar.txt"
    assert re.fullmatch(r"allocations/a_\w{7}\.tar\.txt", upload("a.tar.txt")["file"])
    assert upload("d") == upload(".txt") == {"file": ["File type could not be resolved."]}
    assert upload("x.json") == {"file": ["File type 'application/json' is not allowed."]}
    assert upload("x.txt", b"") == {"file": ["The submitted file is empty."]}
    assert upload("x.txt", b"x" * 2_621_441) == {"file": ["File size should not exceed 2.50 MB."]}
    binary = bytes(range(256)) * 4 + b"\r\n--x\r\n\n\r"
    stored = upload("../../b.png", binary)["file"]
    assert (stored, centre.world.store.files[stored]) == ("allocations/b.png", binary)
    missing = admin("POST", "allocations/attachments/", json={"request": 1}).json()
    assert missing == {"file": ["No file was submitted."]}


def test_notifications_can_be_read_and_marked_by_their_owner_only(fake: FakeKeystone, admin: Session) -> None:
    fake.add.user(username="bob")
    fake.add.notification(user="admin")
    fake.add.notification(user="bob")
    assert admin("PATCH", "notifications/notifications/1/", json={"read": True, "subject": "x"}).json()["read"] is True
    assert admin("GET", "notifications/notifications/2/").status_code == 403
    for method, where in (("POST", ""), ("PUT", "1/"), ("DELETE", "1/")):
        response = admin(method, f"notifications/notifications/{where}", json={})
        assert (response.status_code, response.json()) == (405, {"detail": f'Method "{method}" not allowed.'})


def test_a_cascade_is_logged_in_the_servers_order(fake: FakeKeystone, admin: Session) -> None:
    request = fake.add.request(team=fake.add.team())
    for resource in ("comment", "comment", "attachment", "review", "allocation"):
        getattr(fake.add, resource)(request=request)
    before = admin("GET", "logs/audit/").json()["count"]
    admin("DELETE", f"users/teams/{request['team']}/")
    rows = admin("GET", f"logs/audit/?_order=id&_offset={before}").json()["results"]
    kinds = ["ResourceAllocation", "AllocationReview", "Attachment", "Comment", "Comment", "AllocationRequest", "Team"]
    assert [row["record_name"].rpartition(" ")[2] for row in rows] == kinds
    assert [row["record_id"] for row in rows if row["record_name"].endswith("Comment")] == [2, 1]


def test_a_form_with_an_empty_caller_crashes_as_on_the_server(centre: FakeKeystone, admin: Session) -> None:
    form = {"request": "1", "status": "AP", "reviewer": ""}
    assert admin("POST", "allocations/reviews/", data=form).status_code == 500
    assert admin("POST", "allocations/reviews/", json=form).json() == {"reviewer": ["This field may not be null."]}
    assert admin("POST", "notifications/preferences/", data={"user": ""}).status_code == 500
    del form["reviewer"]
    assert admin("POST", "allocations/reviews/", data=form).json()["reviewer"] == 1


@pytest.mark.parametrize("value", [True, [], {}, "x"])
def test_anything_but_an_email_address_gets_the_same_error(admin: Session, value: object) -> None:
    answer = admin("PATCH", "users/users/1/", json={"email": value})
    assert answer.json() == {"email": ["Enter a valid email address."]}


def test_the_audit_log_composes_the_letters_of_a_title(fake: FakeKeystone, admin: Session) -> None:
    body = {"title": "Cafe\u0301", "team": fake.add.team()["id"]}
    assert admin("POST", "research/publications/", json=body).json()["title"] == "Cafe\u0301"
    rows = admin("GET", "logs/audit/?object_repr__contains=Publication").json()["results"]
    feed = admin("GET", "logs/feed/?record_type=audit&_limit=1").json()["results"]
    assert (len(rows), feed[0]["summary"]) == (1, "Publication #1 - Caf\u00e9")
