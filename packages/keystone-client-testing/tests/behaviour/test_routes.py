"""Paths, methods, formats and the small endpoints."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

BAD_OBJECT = "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
BAD_NUMBER = "Out of range float values are not JSON compliant: 'NaN'"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_missing_slash_is_a_redirect_before_anything_is_checked(anonymous: Session, method: str) -> None:
    response = anonymous(method, "users/users?a=1")
    assert (response.status_code, response.headers["location"]) == (301, "/users/users/?a=1")
    assert response.content == b""


@pytest.mark.parametrize("path", ["nope", "nope/", "users/users//", "users/users/1/x/", "config.json", "media/x.txt"])
def test_an_unknown_path_is_a_page(admin: Session, path: str) -> None:
    response = admin("GET", path)
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("key", "text"),
    [("99", "No User matches the given query."), ("0", "No User matches the given query."),
     ("9" * 25, "No User matches the given query."), ("abc", "Not found."), ("1.5", "Not found."),
     ("%00", "Not found.")],
)  # fmt: skip
def test_a_missing_record_is_json(admin: Session, key: str, text: str) -> None:
    response = admin("GET", f"users/users/{key}/")
    assert response.status_code == 404
    if key != "1.5":
        assert response.json() == {"detail": text}


@pytest.mark.parametrize("key", ["01", "1%20", "%D9%A1"])
def test_keys_are_read_as_python_reads_integers(admin: Session, key: str) -> None:
    assert admin("GET", f"users/users/{key}/").json()["id"] == 1


def test_records_also_answer_at_json_addresses(admin: Session) -> None:
    assert admin("GET", "users/users.json").json()["count"] == 1
    assert admin("GET", "users/users/1.json").json()["id"] == 1
    assert admin("GET", "users/users.xml").json() == {"detail": "Not found."}
    assert admin("GET", "users/users/?format=xml").json() == {"detail": "Not found."}


@pytest.mark.parametrize(
    ("accept", "status"),
    [("*/*", 200), ("application/*", 200), ("text/html, application/json;q=0.1", 200), ("text/html", 406), ("", 406)],
)
def test_only_json_can_be_accepted(admin: Session, accept: str, status: int) -> None:
    response = admin("GET", "users/teams/", headers={"Accept": accept})
    assert response.status_code == status
    if status == 406:
        assert response.json() == {"detail": "Could not satisfy the request Accept header."}


@pytest.mark.parametrize(
    ("content", "kind", "status", "text"),
    [
        (b"x", "text/plain", 415, 'Unsupported media type "text/plain" in request.'),
        (b"x", "", 415, 'Unsupported media type "" in request.'),
        (b"{", "application/json", 400, f"JSON parse error - {BAD_OBJECT}"),
        (b'{"a": NaN}', "application/json", 400, f"JSON parse error - {BAD_NUMBER}"),
        (b"--x", "multipart/form-data", 400, "Multipart form parse error - Invalid boundary in multipart: None"),
    ],
)  # fmt: skip
def test_an_unreadable_body_is_refused_with_the_reason(
    admin: Session, content: bytes, kind: str, status: int, text: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    response = admin("POST", "users/teams/", content=content, headers=headers)
    assert (response.status_code, response.json()) == (status, {"detail": text})


def test_a_body_without_a_length_is_ignored(admin: Session) -> None:
    response = admin(
        "POST", "users/teams/", content=iter([b'{"name": "A"}']), headers={"Content-Type": "application/json"}
    )
    assert response.json() == {"name": ["This field is required."]}


def test_the_checks_come_in_the_servers_order(anonymous: Session) -> None:
    broken: Any = {"content": b"{", "headers": {"Content-Type": "application/json"}}
    assert anonymous("PATCH", "users/users/99/", **broken).status_code == 401
    anonymous.login()
    assert anonymous("PATCH", "users/users/99/", **broken).status_code == 404
    assert anonymous("PUT", "users/users/", **broken).status_code == 405
    assert anonymous.http.put("users/users/").status_code == 403


def test_unknown_methods_are_not_allowed(admin: Session) -> None:
    assert admin("FOO", "users/users/").json() == {"detail": 'Method "FOO" not allowed.'}


def test_head_is_get_without_a_body(admin: Session) -> None:
    got, head = admin("GET", "users/users/1/"), admin("HEAD", "users/users/1/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("path", ["version/", "health/", "health/json/", "health/prom/", ""])
def test_public_endpoints_need_no_login(anonymous: Session, path: str) -> None:
    assert anonymous("GET", path).status_code == 200


def test_the_version_is_plain_text(anonymous: Session) -> None:
    response = anonymous("GET", "version/")
    assert (response.text, response.headers["content-type"]) == ("0.0.0", "text/plain")


def test_choices_config_and_indexes(admin: Session) -> None:
    assert admin("GET", "users/membership-choices/role/").json() == {"OW": "Owner", "AD": "Admin", "MB": "Member"}
    assert admin("GET", "config/").json()["max_upload_size"] == 2_621_440
    logs = {name: f"http://keystone.test/logs/{name}/" for name in ("audit", "requests", "tasks")}
    assert admin("GET", "logs/").json() == logs


def test_a_fake_may_live_below_a_path() -> None:
    fake = FakeKeystone("https://host:8443/keystone/api")
    with httpx.Client(transport=fake.transport) as client:
        assert fake.url == "https://host:8443/keystone/api/"
        assert client.get(fake.url + "version/").text == "0.0.0"
        assert client.get("https://host:8443/version/").status_code == 404


@pytest.mark.parametrize("url", ["keystone.test", "ftp://x/", "http://", "http://x/?a=1"])
def test_a_bad_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no base URL"):
        FakeKeystone(url)


@pytest.mark.parametrize("path", ["", "nope/", "users/users", "users/users/?format=xml", "users/users/1.5/"])
def test_pages_outside_the_api_are_logged_under_the_sessions_user(
    fake: FakeKeystone, admin: Session, path: str
) -> None:
    admin("GET", path)
    assert fake.journal[-1].user == "admin"
    last = admin("GET", "logs/requests/?_order=-id&_limit=1").json()["results"][0]
    assert (last["endpoint"], last["user"]) == (f"/{path}", 1)


def test_the_request_log_and_links_show_the_path_encoded_anew(admin: Session) -> None:
    assert admin("GET", "users/teams/%ff").headers["location"] == "/users/teams/%EF%BF%BD/"
    for path in ("users/teams/%2F/", 'users/teams/%31/?_search="a\\b"', "users/teams/?_limit=1"):
        admin("GET", path)
    rows = admin("GET", "logs/requests/?_order=-id&_limit=3").json()["results"]
    assert [row["endpoint"] for row in rows][1:] == ["/users/teams/1/?_search=%22a%5Cb%22", "/users/teams///"]


def test_reading_a_log_needs_staff_but_no_method_is_hidden(as_user: Callable[[str], Session]) -> None:
    session = as_user("bob")
    assert session("GET", "logs/audit/").status_code == 403
    assert session("TRACE", "logs/audit/").status_code == 405


def test_headers_of_one_name_are_joined(admin: Session) -> None:
    twice = [("Authorization", "Token a"), ("Authorization", "Basic b"), ("Accept", "text/html"), ("Accept", "*/*")]
    answer = admin.http.get("users/teams/", headers=twice)
    assert answer.json() == {"detail": "Invalid token header. Token string should not contain spaces."}


@pytest.mark.parametrize(
    ("name", "accept", "media"),
    [
        ("json", "*/*", "application/vnd.oai.openapi+json"),
        ("json", "application/json", "application/json"),
        ("json", "application/*", "application/vnd.oai.openapi+json"),
        ("json", "text/html, application/json;q=0.9, */*;q=0.8", "application/json"),
        ("yaml", "*/*", "application/vnd.oai.openapi; charset=utf-8"),
        ("yaml", "application/yaml", "application/yaml; charset=utf-8"),
    ],
)
def test_the_document_comes_in_the_type_that_is_accepted(
    anonymous: Session, name: str, accept: str, media: str
) -> None:
    for method, status in (("GET", 200), ("OPTIONS", 200), ("POST", 405)):
        answer = anonymous(method, f"openapi/{name}/", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (status, media)
        assert answer.headers["vary"] == "Accept, Cookie, origin"
        shown = f'inline; filename="Keystone API.{name}"' if method == "GET" else None
        assert answer.headers.get("content-disposition") == shown


def test_what_cannot_be_accepted_is_refused_in_the_preferred_type(anonymous: Session) -> None:
    answer = anonymous("GET", "openapi/json/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/vnd.oai.openapi+json")


@pytest.mark.parametrize("path", ["version/", "users/users/", "health/json/", "", "nope/", "users/users", "batch/"])
def test_every_other_answer_varies_with_cookie_and_origin(admin: Session, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        assert admin(method, path).headers["vary"] == "Cookie, origin"


def test_the_prometheus_text_has_a_charset(anonymous: Session) -> None:
    assert anonymous("GET", "health/prom/").headers["content-type"] == "text/plain; charset=utf-8"
    assert anonymous("GET", "version/").headers["content-type"] == "text/plain"
