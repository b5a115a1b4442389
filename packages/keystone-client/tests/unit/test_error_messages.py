"""Each status raises its own error, which states the request, the reason of the server and what to do."""

import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from keystone_client import (
    AuthenticationError,
    FieldError,
    JobError,
    KeystoneError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
    StatusError,
    ThrottledError,
    ValidationError,
)

from .scripted import HTML, Scripted, answer, connect, html
from .test_answers import PAGE_CALLS, RECORD_CALLS

CLASSES: dict[int, type[StatusError]] = {
    300: StatusError,
    301: StatusError,
    302: StatusError,
    304: StatusError,
    307: StatusError,
    308: StatusError,
    400: ValidationError,
    401: AuthenticationError,
    402: StatusError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: StatusError,
    406: StatusError,
    409: StatusError,
    410: StatusError,
    413: StatusError,
    414: StatusError,
    415: StatusError,
    418: StatusError,
    422: JobError,
    429: ThrottledError,
    431: StatusError,
    500: ServerError,
    501: ServerError,
    502: ServerError,
    503: ServerError,
    504: ServerError,
    599: ServerError,
}


BODIES = [{"detail": "No."}, {"name": ["Bad."]}, ["Bad."], "text", None, HTML, b"", b"[" * 99_999]


REFUSED = [(name, {"detail": "No."}) for name in ("update", "list", "count")] + [("create", body) for body in BODIES]


@pytest.mark.parametrize("status", CLASSES)
def test_each_status_raises_its_error_class_whatever_the_body(colour: str, status: int) -> None:
    for name, body in REFUSED:
        client = connect(colour, Scripted(answer(status, body)), retry=None)
        with pytest.raises(StatusError) as caught:
            (RECORD_CALLS | PAGE_CALLS)[name](client)
        error = caught.value
        assert type(error) is CLASSES[status]
        assert isinstance(error, httpx.HTTPStatusError)
        assert isinstance(error, KeystoneError)
        assert error.status_code == error.response.status_code == status
        assert error.cid == client.cid
        assert str(error).startswith(str(status))


def test_a_call_without_a_session_is_told_to_log_in(colour: str) -> None:
    client = connect(colour, Scripted(answer(401, {"detail": "No."})))
    with pytest.raises(AuthenticationError, match="log in first, or the session has expired"):
        client.retrieve_cluster()


def test_a_status_below_200_is_not_a_success(colour: str) -> None:
    calls: list[Callable[[Any], object]] = [*RECORD_CALLS.values(), *PAGE_CALLS.values()]
    for call in calls:
        with pytest.raises(StatusError, match="101"):
            call(connect(colour, Scripted(answer(101, {"id": 1, "count": 0, "next": None, "results": []})), retry=None))


@pytest.mark.parametrize("status", [*CLASSES, 200, 204])
def test_http_methods_return_every_response_unchanged(colour: str, status: int) -> None:
    client = connect(colour, Scripted(answer(status, HTML)), retry=None)
    for method in ("http_get", "http_post", "http_put", "http_patch", "http_delete"):
        response = getattr(client, method)("version")
        assert response.status_code == status
        assert response.content == HTML
        assert response.request.headers["x-keystone-cid"] == client.cid
        assert response.elapsed.total_seconds() >= 0


LOOK = (
    "whether it was written is unknown: wait until the server cannot be at work on it any more, then look before you "
    "send it again"
)


SAID: list[tuple[int, object, str, str | None, dict[str, list[str]]]] = [
    (403, {"detail": "No."}, "403 Forbidden: POST /allocations/clusters/: No.", "No.", {}),
    (
        400,
        {"name": ["Required.", "Too short."], "enabled": ["Must be a boolean."]},
        "400 Bad Request: POST /allocations/clusters/: name: Required. Too short.; enabled: Must be a boolean.",
        None,
        {"name": ["Required.", "Too short."], "enabled": ["Must be a boolean."]},
    ),
    (
        400,
        {"actions": {"0": {"path": ["Bad."]}}, "list": [{}, {"x": ["Worse."]}], "one": "Text."},
        "400 Bad Request: POST /allocations/clusters/: actions.0.path: Bad.; list.1.x: Worse.; one: Text.",
        None,
        {"actions.0.path": ["Bad."], "list.1.x": ["Worse."], "one": ["Text."]},
    ),
    (
        400,
        ["One.", "Two."],
        "400 Bad Request: POST /allocations/clusters/: non_field_errors: One. Two.",
        None,
        {"non_field_errors": ["One.", "Two."]},
    ),
    (
        500,
        HTML,
        f"500 Internal Server Error: POST /allocations/clusters/: {LOOK}. The answer: Welcome to nginx!",
        None,
        {},
    ),
    (500, b"", f"500 Internal Server Error: POST /allocations/clusters/: {LOOK}", None, {}),
    (599, b"", f"599: POST /allocations/clusters/: {LOOK}", None, {}),
]


@pytest.mark.parametrize(("status", "body", "message", "detail", "fields"), SAID)
def test_the_message_names_the_request_and_the_reason_of_the_server(
    colour: str, status: int, body: object, message: str, detail: str | None, fields: dict[str, list[str]]
) -> None:
    client = connect(colour, Scripted(answer(status, body)), "https://keystone.test/api", retry=None)
    with pytest.raises(StatusError) as caught:
        client.create_cluster(name="x")
    assert str(caught.value) == message
    assert caught.value.detail == detail
    assert caught.value.field_errors == fields


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_errors_of_reads_logins_and_deletes_do_not_speak_of_a_write(colour: str, status: int) -> None:
    client = connect(colour, Scripted(answer(status)), retry=None)
    calls = [client.retrieve_cluster, lambda: client.login("ada", "pw"), lambda: client.delete_cluster(1)]
    for call in calls:
        with pytest.raises(StatusError) as caught:
            call()
        assert "whether it was written" not in str(caught.value)


@pytest.mark.parametrize("status", [300, 301])
def test_a_redirect_error_names_its_location(colour: str, status: int) -> None:
    client = connect(colour, Scripted(answer(status, b"", location="https://keystone.test/api/")))
    with pytest.raises(StatusError, match=rf"^{status} M.*redirected to https://keystone.test/api/"):
        client.retrieve_cluster(1)


def test_a_missing_record_is_none_or_raises_if_asked(colour: str) -> None:
    client = connect(colour, Scripted(answer(404, {"detail": "No Cluster matches the given query."})))
    assert client.retrieve_cluster(1) is None
    client.delete_cluster(1)
    calls: list[Callable[[], object]] = [
        lambda: client.retrieve_cluster(1, raise_not_exists=True),
        lambda: client.delete_cluster(1, raise_not_exists=True),
        lambda: client.update_cluster(1, {"name": "x"}),
    ]
    for call in calls:
        with pytest.raises(NotFoundError, match=r"404 Not Found: .*No Cluster matches"):
            call()


@pytest.mark.parametrize("body", [HTML, b"", {"error": "x"}, [], b'{"detail": '])
@pytest.mark.parametrize("raise_not_exists", [True, False])
def test_any_other_404_raises_instead_of_meaning_a_missing_record(
    colour: str, body: object, raise_not_exists: bool
) -> None:
    client = connect(colour, Scripted(answer(404, body)))
    for call in (client.retrieve_cluster, client.delete_cluster):
        with pytest.raises(NotFoundError):
            call(1, raise_not_exists=raise_not_exists)


def test_a_404_of_html_asks_whether_the_url_is_right(colour: str) -> None:
    client = connect(colour, Scripted(html(404)))
    with pytest.raises(
        NotFoundError, match=r"is http://keystone.test/allocations/clusters/1/ below the right base URL\?"
    ):
        client.retrieve_cluster(1)


def test_is_authenticated_is_false_for_401_only(colour: str) -> None:
    assert connect(colour, Scripted(answer(401))).is_authenticated() is False
    assert connect(colour, Scripted(answer(401))).whoami() is None
    for status in sorted(set(CLASSES) - {401}):
        with pytest.raises(CLASSES[status]):
            connect(colour, Scripted(answer(status)), retry=None).is_authenticated()


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_login_is_an_authentication_error_that_says_so(colour: str, status: int) -> None:
    client = connect(colour, Scripted(answer(status, {"non_field_errors": ["Unable to log in."]})))
    with pytest.raises(AuthenticationError, match=r"the login was refused\. .*Unable to log in\.") as caught:
        client.login("ada", "pw")
    assert caught.value.status_code == status


def test_a_400_from_a_proxy_is_not_reported_as_a_refused_login(colour: str) -> None:
    """nginx answers 400 when plain HTTP arrives at its HTTPS port."""
    with pytest.raises(ValidationError, match="Welcome to nginx"):
        connect(colour, Scripted(html(400))).login("ada", "pw")


def test_fields_dropped_because_of_the_role_raise_an_error_with_the_record(colour: str) -> None:
    kept = {"id": 3, "is_staff": False}
    with pytest.raises(FieldError, match="ignored is_staff") as caught:
        connect(colour, Scripted(answer(200, kept))).update_user(3, {"is_staff": True})
    assert caught.value.record == kept


def test_a_job_error_has_the_step_status_token_and_body(colour: str) -> None:
    body = {"step": 2, "status": 400, "token": "t", "body": {"name": ["Bad."]}, "detail": "Step 2 failed."}
    client = connect(colour, Scripted(answer(422, body)))
    with pytest.raises(JobError, match=r"Step 2 failed\.") as caught:
        client.create_cluster(name="x")
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.step, error.step_status, error.token, error.body) == (2, 400, "t", {"name": ["Bad."]})


def test_a_throttled_call_says_how_long_to_wait(colour: str) -> None:
    client = connect(colour, Scripted(answer(429, {"detail": "Slow."}, retry_after="59")), retry=None)
    with pytest.raises(ThrottledError) as caught:
        client.create_cluster(name="x")
    assert caught.value.retry_after == 59
