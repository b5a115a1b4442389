"""Authentication: logins, cookies, CSRF and tokens."""

import re
from collections.abc import Callable

import httpx
import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

NOBODY = {"detail": "Authentication credentials were not provided."}
TOKEN = "a" * 32


def reason(response: httpx.Response) -> str:
    assert response.status_code == 403
    return str(response.json()["detail"]).removeprefix("CSRF Failed: ")


def test_login_sets_both_cookies_and_answers_the_user(door: Session) -> None:
    response = door.login()
    assert (response.status_code, response.json()["username"]) == (200, "admin")
    csrf, session = response.headers.get_list("set-cookie")
    assert re.match(r"csrftoken=\w{32}; Max-Age=31449600; Path=/; SameSite=Lax$", csrf)
    assert re.match(r"sessionid=\w{32}; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax$", session)
    assert door("GET", "authentication/whoami/").json()["id"] == 1


def test_cookies_are_secure_when_so_configured() -> None:
    fake = FakeKeystone("https://keystone.test", secure_cookies=True)
    with httpx.Client(base_url=fake.url, transport=fake.transport) as client:
        response = client.post("authentication/login/", json={"username": "admin", "password": "quickstart"})
    assert all("; Secure" in cookie for cookie in response.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"username": "admin", "password": "wrong"}, {"non_field_errors": ["Invalid username or password."]}),
        ({"username": "ADMIN", "password": "quickstart"}, {"non_field_errors": ["Invalid username or password."]}),
        ({"username": "admin", "password": " quickstart"}, {"non_field_errors": ["Invalid username or password."]}),
        ({}, {"username": ["This field is required."], "password": ["This field is required."]}),
        ({"username": None, "password": ""}, {"username": ["This field may not be null."],
                                              "password": ["This field may not be blank."]}),
        ({"username": True, "password": []}, {"username": ["Not a valid string."],
                                              "password": ["Not a valid string."]}),
    ],
)  # fmt: skip
def test_a_refused_login_says_why_and_sets_no_cookie(anonymous: Session, body: object, errors: object) -> None:
    response = anonymous("POST", "authentication/login/", json=body)
    assert (response.status_code, response.json()) == (400, errors)
    assert "set-cookie" not in response.headers


def test_the_user_name_is_trimmed_at_login_and_the_password_on_write(admin: Session) -> None:
    admin("POST", "users/users/", json={"username": "bob", "password": "  long-enough  "})
    assert admin.login(" bob ", "long-enough").status_code == 200
    assert admin.login("bob", "  long-enough  ").status_code == 400


def test_logout_ends_this_session_only_and_keeps_the_csrf_cookie(fake: FakeKeystone, admin: Session) -> None:
    with httpx.Client(base_url=fake.url, transport=fake.transport) as client:
        other = Session(client)
        other.login()
        response = admin("POST", "authentication/logout/")
        assert (response.status_code, response.content) == (200, b"")
        assert admin.http.cookies.get("csrftoken")
        assert admin("GET", "authentication/whoami/").json() == NOBODY
        assert other("GET", "authentication/whoami/").status_code == 200


def test_a_new_login_rotates_the_csrf_token_and_keeps_the_session_of_the_same_user(admin: Session) -> None:
    before = dict(admin.http.cookies)
    admin("POST", "authentication/login/", json={"username": "admin", "password": "quickstart"})
    assert admin.http.cookies["sessionid"] == before["sessionid"]
    assert admin.http.cookies["csrftoken"] != before["csrftoken"]


def test_a_login_of_another_user_ends_the_session_before(fake: FakeKeystone, admin: Session) -> None:
    fake.add.user(username="bob")
    before = admin.http.cookies["sessionid"]
    login = {"username": "bob", "password": "quickstart"}
    assert admin("POST", "authentication/login/", json=login).json()["username"] == "bob"
    assert admin.http.cookies["sessionid"] != before
    with httpx.Client(base_url=fake.url, transport=fake.transport, cookies={"sessionid": before}) as old:
        assert old.get("authentication/whoami/").status_code == 401


def test_login_over_a_live_session_needs_the_token(admin: Session) -> None:
    response = admin.http.post("authentication/login/", json={"username": "admin", "password": "quickstart"})
    assert reason(response) == "CSRF token missing."


def test_a_changed_password_ends_every_session_of_the_user(admin: Session) -> None:
    assert admin("PATCH", "users/users/1/", json={"password": "quickstart"}).status_code == 200
    response = admin("GET", "authentication/whoami/")
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Token")
    assert 'sessionid=""' in response.headers["set-cookie"]


def test_a_session_ends_after_a_fortnight(fake: FakeKeystone, admin: Session) -> None:
    fake.clock.advance(14 * 86400 - 60)
    assert admin("GET", "authentication/whoami/").status_code == 200
    fake.clock.advance(120)
    assert admin("GET", "authentication/whoami/").status_code == 401


def test_an_inactive_user_is_anonymous_until_active_again(
    fake: FakeKeystone, admin: Session, as_user: Callable[[str], Session]
) -> None:
    bob = as_user("bob")
    admin("PATCH", "users/users/2/", json={"is_active": False})
    assert bob("GET", "authentication/whoami/").status_code == 401
    admin("PATCH", "users/users/2/", json={"is_active": True})
    assert bob("GET", "authentication/whoami/").status_code == 200


@pytest.mark.parametrize(
    ("cookie", "header", "expected"),
    [
        (TOKEN, None, "CSRF token missing."),
        (None, TOKEN, "CSRF cookie not set."),
        (TOKEN, "b" * 32, "CSRF token from the 'X-Csrftoken' HTTP header incorrect."),
        (TOKEN, "abc", "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length."),
        (TOKEN, "!" * 32, "CSRF token from the 'X-Csrftoken' HTTP header has invalid characters."),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_unsafe_request_needs_cookie_and_header_alike(
    admin: Session, method: str, cookie: str | None, header: str | None, expected: str
) -> None:
    admin.http.cookies.delete("csrftoken")
    if cookie:
        admin.http.cookies.set("csrftoken", cookie)
    response = admin.http.request(method, "users/teams/1/", json={}, headers={"X-CSRFToken": header} if header else {})
    assert reason(response) == expected


def test_any_pair_of_equal_tokens_passes_and_forms_may_carry_theirs(admin: Session) -> None:
    admin.http.cookies.delete("csrftoken")
    admin.http.cookies.set("csrftoken", TOKEN)
    assert admin("POST", "users/teams/", json={"name": "A"}, headers={"X-CSRFToken": TOKEN}).status_code == 201
    form = {"csrfmiddlewaretoken": TOKEN, "name": "B"}
    assert admin.http.post("users/teams/", data=form).status_code == 201
    assert admin.http.put("users/teams/1/", data=form).status_code == 403


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "Referer checking failed - no Referer."),
        ({"Referer": "garbage"}, "Referer checking failed - Referer is malformed."),
        ({"Referer": "http://keystone.test/"},
         "Referer checking failed - Referer is insecure while host is secure."),
        ({"Referer": "https://evil.com/"},
         "Referer checking failed - https://evil.com/ does not match any trusted origins."),
        ({"Origin": "https://evil.com"},
         "Origin checking failed - https://evil.com does not match any trusted origins."),
    ],
)  # fmt: skip
def test_over_https_a_write_must_name_its_origin(headers: dict[str, str], expected: str) -> None:
    fake = FakeKeystone("https://keystone.test")
    with httpx.Client(base_url=fake.url, transport=fake.transport) as client:
        session = Session(client)
        session.login()
        assert reason(session("POST", "users/teams/", json={"name": "A"}, headers=headers)) == expected
        good = {"Referer": fake.url}
        assert session("POST", "users/teams/", json={"name": "A"}, headers=good).status_code == 201


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (b"Token", "Invalid token header. No credentials provided."),
        (b"Token a b", "Invalid token header. Token string should not contain spaces."),
        (b"token abc", "Invalid token."),
        (b"Token \xc3\xa9", "Invalid token."),
        (b"Token \xe9", "Invalid token header. Token string should not contain invalid characters."),
    ],
)
def test_a_bad_token_is_401_even_where_no_login_is_needed(anonymous: Session, header: str | bytes, text: str) -> None:
    response = anonymous.http.get(
        "version/", headers=[(b"Authorization", header if isinstance(header, bytes) else header.encode())]
    )
    assert (response.status_code, response.json()) == (401, {"detail": text})


def test_a_token_is_its_user_and_needs_no_csrf(fake: FakeKeystone, anonymous: Session) -> None:
    fake.add.user(username="bob", is_staff=True)
    headers = {"Authorization": f"Token {fake.add.token('bob')}"}
    assert anonymous("GET", "authentication/whoami/", headers=headers).json()["username"] == "bob"
    assert anonymous.http.post("users/teams/", json={"name": "A"}, headers=headers).status_code == 201
    assert anonymous("GET", "users/teams/", headers={"Authorization": "Bearer x"}).json() == NOBODY


def test_no_answer_contains_a_password(fake: FakeKeystone, admin: Session) -> None:
    admin("POST", "users/users/", json={"username": "bob", "password": "hush-hush-hush"})
    admin("PATCH", "users/users/2/", json={"password": "secret-secret"})
    read = [admin("GET", path).text for path in ("users/users/", "users/users/2/", "logs/audit/", "logs/feed/")]
    text = "".join(read) + repr(fake.journal) + repr(fake.world.store.tables)
    assert "hush-hush-hush" not in text
    assert "secret-secret" not in text
    assert {"**ne", "*" * 88} == set(admin("GET", "users/users/2/").json()["_history"][-1]["changes"]["password"])


def test_the_audit_log_names_the_user_of_a_session_and_none_for_a_token_alone(
    fake: FakeKeystone, anonymous: Session, admin: Session
) -> None:
    fake.add.user(username="bob", is_staff=True)
    headers = {"Authorization": f"Token {fake.add.token('bob')}"}
    both = admin("POST", "users/teams/", json={"name": "A"}, headers=headers).json()
    admin.http.cookies.clear()
    alone = anonymous("POST", "users/teams/", json={"name": "B"}, headers=headers).json()
    assert [both["_history"][0]["actor"], alone["_history"][0]["actor"]] == [1, None]


def test_the_audit_log_keeps_the_actors_address_without_its_port(admin: Session) -> None:
    admin("PATCH", "users/users/1/", json={"email": "a@b.co"})
    admin(
        "POST", "users/teams/", json={"name": "A"}, headers={"X-Forwarded-For": "10.1.2.3:99", "X-Forwarded-Port": "7"}
    )
    row = admin("GET", "logs/audit/?actor_email=a@b.co&_order=-id").json()["results"][0]
    assert (row["remote_addr"], row["remote_port"]) == ("10.1.2.3", 7)


@pytest.mark.parametrize("path", ["version/", "users/teams/", "no/such/path/"])
def test_an_invalid_csrf_cookie_is_replaced_by_any_answer(anonymous: Session, path: str) -> None:
    cookies = anonymous("GET", path, headers={"Cookie": "csrftoken=short"}).headers.get_list("set-cookie")
    assert [re.match(r"csrftoken=\w{32};", cookie) is not None for cookie in cookies] == [True]


def test_an_empty_csrf_cookie_is_a_malformed_one(admin: Session) -> None:
    session = admin.http.cookies["sessionid"]
    answer = admin("POST", "users/teams/", json={}, headers={"Cookie": f"sessionid={session}; csrftoken="})
    assert reason(answer) == "CSRF cookie has incorrect length."


def test_the_cookie_of_an_inactive_or_deleted_user_is_not_cleared(
    fake: FakeKeystone, admin: Session, as_user: Callable[[str], Session]
) -> None:
    for name, change in (("bob", {"is_active": False}), ("eve", None)):
        session = as_user(name)
        pk = session("GET", "authentication/whoami/").json()["id"]
        admin("PATCH", f"users/users/{pk}/", json=change) if change else admin("DELETE", f"users/users/{pk}/")
        answer = session("GET", "authentication/whoami/")
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
