"""Answers from other servers than Keystone: the error starts with their probable cause and has a limited length."""

from typing import Any

import httpx
import pytest
from keystone_client import AuthenticationError, DecodeError, KeystoneError, StatusError
from keystone_client_testing import FakeKeystone

from .scripted import Reply, Scripted, answer, connect, cookies

NONE_KEPT = httpx.Limits(max_keepalive_connections=0)


def web_page(title: str, text: str = "") -> bytes:
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title><style>p {{ color: red }}</style></head>"
        f"<body><h1>{title}</h1><p>{text}</p><hr>nginx</body></html>"
    ).encode()


def refusal(colour: str, reply: Reply, call: str = "login", url: str = "https://host.example/wrong") -> StatusError:
    """Return the error of a call with this answer; its message must be short, whatever the answer is."""
    client = connect(colour, Scripted(reply), url, retry=None)
    with pytest.raises(StatusError) as caught:
        client.login("ada", "pw") if call == "login" else client.create_team(name="t")
    assert len(str(caught.value)) < 800
    assert caught.value.field_errors == {}
    return caught.value


@pytest.mark.parametrize("body", [web_page("Oops"), b"Not here", b"<html>no title</html>"])
@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 409, 410, 415, 418, 422, 501])
def test_an_answer_that_is_not_json_suggests_checking_the_base_url(colour: str, status: int, body: bytes) -> None:
    error = refusal(colour, answer(status, body, content_type="text/html"))
    assert error.status_code == status
    asked = "https://host.example/wrong/authentication/login/"
    assert f"login/: this is not an answer of the API: is {asked} below the right base URL?" in str(error)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_an_unexpectedly_empty_answer_suggests_checking_the_base_url(colour: str, status: int) -> None:
    assert "below the right base URL?" in str(refusal(colour, answer(status, b"")))


def test_a_json_answer_does_not_suggest_checking_the_base_url(colour: str) -> None:
    error = refusal(colour, answer(405, {"detail": 'Method "POST" not allowed.'}))
    assert str(error) == '405 Method Not Allowed: POST /authentication/login/: Method "POST" not allowed.'


TLS_PORTS = {
    "nginx": web_page("400 The plain HTTP request was sent to HTTPS port"),
    "go": b"Client sent an HTTP request to an HTTPS server.\n",
    "apache": web_page("400 Bad Request", "Reason: You're speaking plain HTTP to an SSL-enabled server port."),
}


@pytest.mark.parametrize("body", TLS_PORTS.values(), ids=TLS_PORTS)
@pytest.mark.parametrize("call", ["login", "create"])
def test_plain_http_to_a_tls_port_suggests_https(colour: str, call: str, body: bytes) -> None:
    error = refusal(colour, answer(400, body), call, "http://host.example:8443")
    assert "/: this port speaks TLS: write https:// in the base URL" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (413, web_page("413 Request Entity Too Large"), "client_max_body_size"),
        (413, b"", ""),
        (403, web_page("403 Forbidden", "CSRF verification failed. Request aborted."), "pass on Host"),
        (403, web_page("Forbidden", "Referer checking failed - https://a/ does not match"), "pass on Host"),
        (403, b'{"detail": "CSRF Failed: Referer checking failed - https://a/ does not match"}', "pass on Host"),
        (400, web_page("Bad Request (400)"), "is host.example one of the server's ALLOWED_HOSTS"),
        (400, web_page("400 Request Header Or Cookie Too Large"), "length of the headers"),
        (401, web_page("401 Authorization Required"), "a login of its own"),
        (414, web_page("414 Request-URI Too Large"), "length of the URL"),
        (429, web_page("429 Too Many Requests"), "fewer requests than Keystone"),
        (502, web_page("502 Bad Gateway"), "got no answer from it"),
    ],
)
@pytest.mark.parametrize("call", ["login", "create"])
def test_errors_of_a_front_end_web_server_are_explained(
    colour: str, call: str, status: int, body: bytes, expected: str
) -> None:
    assert expected in str(refusal(colour, answer(status, body), call))


def test_styles_and_tags_of_a_page_without_a_title_are_not_quoted(colour: str) -> None:
    page = b"<html><style>p { color: red }</style><script>alert(1)</script><p>Gone <b>away</b></p></html>"
    assert str(refusal(colour, answer(410, page))).endswith("The answer: Gone away")


def test_a_web_page_with_200_suggests_checking_the_base_url_before_quoting_it(colour: str) -> None:
    with pytest.raises(DecodeError, match=r"a web page: is the base URL that of the API.*The answer: Sign in$"):
        connect(colour, Scripted(answer(200, web_page("Sign in")))).login("ada", "pw")


def test_a_login_whose_cookie_was_dropped_says_so_and_not_who_has_logged_in(colour: str) -> None:
    with FakeKeystone().client() as admin:
        user = {**admin.retrieve_user()[0], "email": "private@host.example"}
    with pytest.raises(AuthenticationError) as caught:
        connect(colour, Scripted(answer(200, user))).login("ada", "pw")
    error = caught.value
    assert str(error) == (
        "200 OK: POST /authentication/login/: the answer set no session cookie: does a proxy remove it?"
    )
    assert (error.field_errors, error.detail) == ({}, None)


def test_an_error_about_a_dropped_cookie_does_not_quote_the_user_record(colour: str) -> None:
    reply = cookies("sessionid=a; Path=/; Secure", body={"id": 1, "email": "private@host.example", "detail": "x"})
    with pytest.raises(AuthenticationError, match=r"use https$") as caught:
        connect(colour, Scripted(reply)).login("ada", "pw")
    assert caught.value.detail is None


@pytest.mark.parametrize("body", [{f"field_{n}": ["Wrong. " * 50] for n in range(50)}, {"detail": "x" * 100_000}])
def test_the_message_is_limited_and_the_error_keeps_the_full_answer(colour: str, body: Any) -> None:
    client = connect(colour, Scripted(answer(400, body)))
    with pytest.raises(StatusError) as caught:
        client.create_team(name="t")
    assert len(str(caught.value)) < 1100
    assert caught.value.response.json() == body
    assert len(caught.value.field_errors) == (50 if "field_1" in body else 0)


def test_the_message_is_the_same_over_a_socket(colour: str) -> None:
    fake = FakeKeystone("http://127.0.0.1/keystone")
    with fake.serve() as url:
        client = connect(colour, None, url.replace("/keystone", "/elsewhere"), limits=NONE_KEPT)
        with pytest.raises(KeystoneError, match=r"below the right base URL\?"):
            client.login("admin", "quickstart")
        client.close()


def test_the_copied_response_of_an_error_has_the_right_status(colour: str) -> None:
    error = refusal(colour, answer(413, web_page("413 Request Entity Too Large")))
    assert isinstance(error, httpx.HTTPStatusError)
    assert error.response.status_code == 413


@pytest.mark.parametrize("ask", ["whoami", "is_authenticated", "logout"])
def test_a_401_that_is_a_web_page_does_not_say_who_is_logged_in(colour: str, ask: str) -> None:
    wire = Scripted(cookies("sessionid=a; Path=/"), answer(401, web_page("401 Authorization Required")))
    client = connect(colour, wire)
    client.login("ada", "pw")
    with pytest.raises(AuthenticationError, match="a login of its own"):
        getattr(client, ask)()
