"""What is sent: correlation ids, CSRF tokens, cookies, tokens, headers and content lengths."""

import datetime
import io
import json
from pathlib import Path
from typing import IO, Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import AuthenticationError, FieldError
from keystone_client_testing import FakeKeystone

from .scripted import URL, Scripted, answer, connect, cookies

METHODS = ["http_get", "http_post", "http_put", "http_patch", "http_delete"]
UNSAFE = METHODS[1:]
SESSION = ("csrftoken=first; Path=/", "sessionid=abc; Path=/; HttpOnly")


class Unsized(io.RawIOBase):
    """A file that cannot tell its length, as a pipe or a download."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._inner.read(min(size, 7) if size > 0 else 7)


class Streamed(Unsized):
    """A remote file whose ``seek()`` raises, as fsspec's does."""

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise ValueError("cannot seek in a stream")


def parts(request: httpx.Request) -> bytes:
    assert int(request.headers["content-length"]) == len(request.content)
    assert "transfer-encoding" not in request.headers
    return request.content


def test_every_request_carries_the_correlation_id_of_its_client(colour: str) -> None:
    wire = Scripted(cookies(*SESSION))
    client = connect(colour, wire)
    client.login("ada", "secret")
    for method in METHODS:
        getattr(client, method)("version")
    client.whoami()
    client.create_cluster(name="c")
    client.update_cluster(1, {"name": "d"})
    client.retrieve_cluster(1)
    client.delete_cluster(1)
    client.logout()
    assert {request.headers["x-keystone-cid"] for request in wire.requests} == {client.cid}
    assert len(wire.requests) == 12


def test_an_adopted_correlation_id_is_the_one_sent(colour: str) -> None:
    wire = Scripted()
    connect(colour, wire, cid="4F0C0F5E-7d3b-4a53-9d5c-0c1a3c1d8a11").http_get("version")
    assert wire.requests[0].headers["x-keystone-cid"] == "4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11"


def test_requests_accept_supported_encodings_and_record_requests_accept_json(colour: str) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    for method in METHODS:
        getattr(client, method)("version")
    assert {request.headers["accept"] for request in wire.requests} == {"*/*"}
    client.retrieve_team(1)
    assert wire.requests[-1].headers["accept"] == "application/json"
    assert {request.headers["accept-encoding"] for request in wire.requests} == {"gzip, deflate"}


@pytest.mark.parametrize("method", UNSAFE)
def test_unsafe_methods_carry_the_csrf_token_of_the_cookie_and_a_referer(colour: str, method: str) -> None:
    wire = Scripted(cookies(*SESSION))
    client = connect(colour, wire, "https://keystone.test:8443/api")
    client.http_get("version")
    getattr(client, method)("users/teams")
    sent = wire.requests[-1].headers
    assert sent["referer"] == "https://keystone.test:8443/api/"
    assert sent["x-csrftoken"] == "first"
    assert set(sent["cookie"].split("; ")) == {"csrftoken=first", "sessionid=abc"}


def test_safe_methods_carry_the_cookies_and_neither_csrf_token_nor_referer(colour: str) -> None:
    wire = Scripted(cookies(*SESSION))
    client = connect(colour, wire)
    client.http_get("version")
    client.http_get("version")
    sent = wire.requests[-1].headers
    assert "sessionid=abc" in sent["cookie"]
    assert "x-csrftoken" not in sent
    assert "referer" not in sent


def test_tokens_rotate_at_login(colour: str) -> None:
    wire = Scripted(cookies("csrftoken=first; Path=/"), cookies("csrftoken=second; Path=/", "sessionid=abc; Path=/"))
    client = connect(colour, wire)
    client.http_get("version")
    client.login("ada", "secret")
    client.http_post("users/teams", json={})
    assert [request.headers.get("x-csrftoken") for request in wire.requests] == [None, "first", "second"]


def test_logging_in_twice_sends_the_session_of_the_second_login(colour: str) -> None:
    wire = Scripted(
        cookies("csrftoken=a; Path=/", "sessionid=one; Path=/"), cookies("csrftoken=b; Path=/", "sessionid=two; Path=/")
    )
    client = connect(colour, wire)
    client.login("ada", "secret")
    client.login("bob", "secret")
    client.http_post("users/teams", json={})
    sent = wire.requests[-1].headers
    assert set(sent["cookie"].split("; ")) == {"csrftoken=b", "sessionid=two"}
    assert sent["x-csrftoken"] == "b"


@pytest.mark.parametrize(
    "line",
    [
        "spy=1; Domain=elsewhere.test; Path=/",
        "spy=1; Domain=.test; Path=/",
        "spy=1; Path=/media",
        "spy=1; Path=/; Secure",
        "spy=1; Path=/; Max-Age=0",
        "spy=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ],
)
def test_expired_cookies_and_cookies_for_other_hosts_are_not_sent(colour: str, line: str) -> None:
    wire = Scripted(cookies(line))
    client = connect(colour, wire)
    client.http_get("version")
    client.http_get("version")
    assert "cookie" not in wire.requests[-1].headers


@pytest.mark.parametrize(
    "url", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000", "https://a.b/c"]
)
def test_cookies_are_sent_back_to_any_kind_of_host(colour: str, url: str) -> None:
    wire = Scripted(cookies("sessionid=abc; Path=/"))
    client = connect(colour, wire, url)
    client.http_get("version")
    client.http_get("version")
    assert wire.requests[-1].headers["cookie"] == "sessionid=abc"


def test_a_cookie_deleted_by_the_server_is_no_longer_sent(colour: str) -> None:
    wire = Scripted(cookies(*SESSION), cookies("sessionid=; Path=/; Max-Age=0"))
    client = connect(colour, wire)
    for _ in range(3):
        client.http_get("version")
    assert wire.requests[-1].headers["cookie"] == "csrftoken=first"


def test_logout_forgets_the_cookies_even_if_the_server_fails(colour: str) -> None:
    wire = Scripted(cookies(*SESSION), answer(500), answer(200))
    client = connect(colour, wire)
    client.login("ada", "secret")
    with pytest.raises(Exception, match="500"):
        client.logout()
    client.http_get("version")
    assert "cookie" not in wire.requests[-1].headers


def test_a_token_is_sent_with_every_request_and_a_login_with_none(colour: str) -> None:
    wire = Scripted()
    client = connect(colour, wire, token="t0ken")
    client.http_get("version")
    client.create_team(name="t")
    with pytest.raises(FieldError, match="token"):
        client.login("ada", "secret")
    assert [request.headers["authorization"] for request in wire.requests] == ["Token t0ken"] * 2


@pytest.mark.parametrize("endpoint", ["version", "/version", "version/", "https://keystone.test/keystone/api/version"])
def test_endpoints_lie_below_the_path_of_the_base_url_and_end_in_a_slash(colour: str, endpoint: str) -> None:
    wire = Scripted()
    connect(colour, wire, "https://keystone.test/keystone/api").http_get(endpoint, params={"a": "b c"})
    assert str(wire.requests[0].url) == "https://keystone.test/keystone/api/version/?a=b%20c"


def test_parameters_join_those_of_the_endpoint(colour: str) -> None:
    wire = Scripted()
    connect(colour, wire).http_get("users/new?name=x", params={"id": [1, 2]})
    assert str(wire.requests[0].url) == f"{URL}users/new/?name=x&id=1&id=2"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "a\r\nX-B: b"},
        {"X-A": "a\n"},
        {"X-A": "a\0"},
        {"X-A": "é"},
        {"X-A": 1},
        {"X-A\r\nX-B": "a"},
        {"": "a"},
        {"X A": "a"},
        {"X-A:": "a"},
        {5: "a"},
        {"Authorization": "Token x"},
        {"COOKIE": "a=b"},
        {"X-CSRFToken": "a"},
        {"x-keystone-cid": "a"},
        {"Host": "elsewhere.test"},
        {"Content-Length": "0"},
        {"Transfer-Encoding": "chunked"},
    ],
)
def test_reserved_or_injecting_headers_are_refused(colour: str, headers: Any) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    for method in METHODS:
        with pytest.raises(FieldError, match="header"):
            getattr(client, method)("version", headers=headers)
    with pytest.raises(FieldError, match="header"):
        connect(colour, wire, headers=headers)
    assert wire.requests == []


@pytest.mark.parametrize("token", ["", "a b", "a\n", "a\r\nX-B: b", "é", 5, b"t"])
def test_an_invalid_token_is_refused_without_repeating_it(colour: str, token: Any) -> None:
    with pytest.raises(FieldError, match="the token must be") as caught:
        connect(colour, token=token)
    assert token in ("", 5) or repr(token) not in str(caught.value)


def test_headers_of_the_user_go_along_and_win_for_one_request(colour: str) -> None:
    wire = Scripted()
    client = connect(colour, wire, headers={"X-Trace": "a", "User-Agent": "mine"})
    client.http_get("version")
    client.http_post("version", json={}, headers={"x-trace": "b"})
    assert [request.headers["x-trace"] for request in wire.requests] == ["a", "b"]
    assert {request.headers["user-agent"] for request in wire.requests} == {"mine"}


@pytest.mark.parametrize("method", UNSAFE)
def test_a_json_body_is_utf8_and_has_its_length(colour: str, method: str) -> None:
    wire = Scripted()
    getattr(connect(colour, wire), method)("users/teams", json={"name": "Zoë", "n": [1, None]})
    sent = wire.requests[0]
    assert json.loads(parts(sent)) == {"name": "Zoë", "n": [1, None]}
    assert sent.headers["content-type"] == "application/json"


@pytest.mark.parametrize("body", [None, False, 0, [], "", {}])
def test_falsy_json_bodies_are_sent(colour: str, body: object) -> None:
    wire = Scripted()
    connect(colour, wire).http_post("users/teams", json=body)
    assert json.loads(parts(wire.requests[0]) or b"null") == body


@pytest.mark.parametrize("body", [{1, 2}, float("nan"), float("inf"), object(), "\ud800", b"x"])
def test_what_json_cannot_hold_is_refused_before_anything_is_sent(colour: str, body: object) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="cannot be sent as JSON"):
        connect(colour, wire).http_post("users/teams", json={"a": body})
    assert wire.requests == []


@pytest.mark.parametrize("method", ["http_post", "http_put", "http_patch"])
def test_a_form_has_its_length_and_so_has_no_body_at_all(colour: str, method: str) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    getattr(client, method)("users/teams", data={"a": "b c"})
    getattr(client, method)("users/teams")
    assert [parts(request) for request in wire.requests] == [b"a=b+c", b""]


@pytest.mark.parametrize("data", [iter([b"a", b"b"]), b"raw", "raw", 5, ["a"]])
def test_data_that_is_no_form_is_refused(colour: str, data: Any) -> None:
    """A generator would be sent in chunks, and the server ignores chunked bodies."""
    wire = Scripted()
    with pytest.raises(FieldError, match="data"):
        connect(colour, wire).http_post("users/teams", data=data)
    assert wire.requests == []


@pytest.mark.parametrize("wrap", [lambda f: {"file": f}, lambda f: {"file": ("a.txt", f)}, lambda f: [("file", f)]])
@pytest.mark.parametrize("kind", [Unsized, Streamed, io.BytesIO])
def test_a_file_of_unknown_length_is_sent_whole_and_with_its_length(colour: str, kind: Any, wrap: Any) -> None:
    wire = Scripted()
    connect(colour, wire).http_post("x", files=wrap(kind(b"line\n" * 1000)), data={"name": "n"})
    body = parts(wire.requests[0])
    assert b"line\n" * 1000 + b"\r\n" in body
    assert b'name="name"' in body


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file", "unsized"])
def test_an_attachment_is_sent_from_anything_that_holds_bytes(colour: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "cv.pdf"
    path.write_bytes(b"%PDF" * 500)
    content: Any = {
        "path": path,
        "text": str(path),
        "bytes": path.read_bytes(),
        "file": io.BytesIO(path.read_bytes()),
        "unsized": Unsized(path.read_bytes()),
    }[kind]
    wire = Scripted(answer(201, {"id": 5, "request": 3}))
    seen: list[tuple[int, int]] = []
    connect(colour, wire).create_attachment(
        request=3, file=content, filename="cv.pdf", on_progress=lambda done, total: seen.append((done, total))
    )
    body = parts(wire.requests[0])
    assert b'filename="cv.pdf"' in body
    assert b"\r\n\r\n" + b"%PDF" * 500 + b"\r\n" in body
    assert seen[-1] == (2000, 2000)


@pytest.mark.parametrize("content", [b"bytes", io.StringIO("text"), 5, None])
def test_an_attachment_without_a_name_or_bytes_is_refused(colour: str, content: Any) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="file"):
        connect(colour, wire).create_attachment(request=3, file=content)
    assert wire.requests == []


def test_a_file_of_the_user_stays_open_and_one_that_was_opened_for_them_is_closed(
    colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cv.pdf"
    path.write_bytes(b"%PDF")
    opened: list[Any] = []
    really_open = Path.open

    def watched(self: Path, mode: str) -> Any:
        opened.append(really_open(self, mode))
        return opened[-1]

    monkeypatch.setattr(Path, "open", watched)
    wire = Scripted(answer(201, {"id": 5}))
    client = connect(colour, wire)
    mine = io.BytesIO(b"%PDF")
    client.create_attachment(request=3, file=mine, filename="cv.pdf", on_progress=lambda *_: None)
    client.create_attachment(request=3, file=path)
    with pytest.raises(FieldError):
        client.create_attachment(request=0, file=path)
    assert not mine.closed
    assert [file.closed for file in opened] == [True, True]


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_arrives_unchanged(content: bytes) -> None:
    wire = Scripted(answer(201, {"id": 5}))
    file = cast("IO[bytes]", Unsized(content))
    connect("sync", wire).create_attachment(request=3, file=file, filename="a.txt")
    assert b"\r\n\r\n" + content + b"\r\n--" in parts(wire.requests[0])


def test_over_https_a_whole_session_works_with_secure_cookies(colour: str) -> None:
    """Django refuses every write over https without a Referer of its own host."""
    fake = FakeKeystone("https://keystone.test/", secure_cookies=True)
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    team = client.create_team(name="Physics")
    client.delete_team(team["id"])
    assert client.is_authenticated()
    client.logout()
    assert not client.is_authenticated()


def test_secure_cookies_over_plain_http_make_the_login_an_error_that_says_why(colour: str) -> None:
    fake = FakeKeystone(secure_cookies=True)
    client = connect(colour, fake.transport, fake.url)
    with pytest.raises(AuthenticationError, match=r"Secure.*use https"):
        client.login("admin", "quickstart")


def test_a_failed_login_keeps_the_existing_session(colour: str) -> None:
    fake = FakeKeystone()
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    with pytest.raises(AuthenticationError) as caught:
        client.login("admin", "wrong")
    assert caught.value.status_code == 400
    assert client.whoami()["username"] == "admin"


def test_cookie_expiry_uses_the_real_clock(colour: str) -> None:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    wire = Scripted(cookies(f"sessionid=abc; Path=/; Expires={soon:%a, %d %b %Y %H:%M:%S} GMT"))
    client = connect(colour, wire)
    client.http_get("version")
    client.http_get("version")
    assert wire.requests[-1].headers["cookie"] == "sessionid=abc"
