"""How answers are interpreted: as records, or as errors that state the cause and reveal no secret."""

import copy
import gzip
import json
import pickle
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from keystone_client import (
    AuthenticationError,
    BulkError,
    Change,
    ChangedError,
    ClosedError,
    DeadlineExceededError,
    DecodeError,
    FieldError,
    FilterError,
    InvalidCIDError,
    InvalidURLError,
    JobError,
    KeystoneError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    PlanError,
    ReferenceTokenError,
    RequestTimeoutError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    StatusError,
    ThrottledError,
    TransportError,
    ValidationError,
)

from .scripted import Reply, Scripted, answer, connect, cookies, failure, page

HTML = b"<!DOCTYPE html>\n<html><head><title>Welcome to\n nginx!</title></head><body>hello</body></html>"
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


def html(status: int = 200) -> Reply:
    return answer(status, HTML, content_type="text/html")


class _Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is decompressed while it is read, as from a network."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def zipped(*chunks: bytes, status: int = 200) -> Reply:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    return lambda request: httpx.Response(status, headers=headers, stream=_Chunks(*chunks), request=request)


NO_JSON = {
    "a page of a proxy": html(),
    "nothing": answer(200, b""),
    "cut": answer(200, b'{"id": 1, "na'),
    "deep": answer(200, b"[" * 200_000),
    "not text": answer(200, b"\xff\xfe\x00"),
    "two values": answer(200, b"{} {}"),
    "no content": answer(204, b""),
}
NO_RECORD = {
    "a list": answer(200, []),
    "null": answer(200, b"null"),
    "a text": answer(200, "ok"),
    "a number": answer(200, 5),
    "no id": answer(200, {"name": "x"}),
    "a page": page({"id": 1}),
}
NO_PAGE = {
    "a list": answer(200, [{"id": 1}]),
    "a record": answer(200, {"id": 1}),
    "null": answer(200, b"null"),
    "no count": answer(200, {"next": None, "results": []}),
    "no next": answer(200, {"count": 0, "results": []}),
    "no results": answer(200, {"count": 0, "next": None}),
    "a count of text": answer(200, {"count": "1", "next": None, "results": []}),
    "results that are null": answer(200, {"count": 1, "next": None, "results": None}),
    "results that are no records": answer(200, {"count": 2, "next": None, "results": [{"id": 1}, 2]}),
    "results without ids": answer(200, {"count": 1, "next": None, "results": [{"name": "x"}]}),
    "next that is no address": answer(200, {"count": 1, "next": 5, "results": [{"id": 1}]}),
}
RECORD_CALLS = {
    "retrieve": lambda client: client.retrieve_cluster(1),
    "create": lambda client: client.create_cluster(name="x"),
    "update": lambda client: client.update_cluster(1, {"name": "x"}),
    "whoami": lambda client: client.whoami(),
    "is_authenticated": lambda client: client.is_authenticated(),
    "login": lambda client: client.login("ada", "pw"),
}
PAGE_CALLS = {
    "list": lambda client: client.retrieve_cluster(),
    "ordered": lambda client: client.retrieve_cluster(order="name"),
    "iterate": lambda client: client.iterate_cluster(),
    "count": lambda client: client.count_cluster(),
    "feed": lambda client: client.retrieve_feed_entry(),
    "log": lambda client: client.retrieve_audit_log(),
}


def undecodable(colour: str, call: Any, reply: Reply) -> DecodeError:
    client = connect(colour, Scripted(reply))
    with pytest.raises(DecodeError) as caught:
        call(client)
    assert caught.value.cid == client.cid
    assert caught.value.response is not None
    return caught.value


@pytest.mark.parametrize("call", RECORD_CALLS.values(), ids=RECORD_CALLS)
@pytest.mark.parametrize("reply", [*NO_JSON.values(), *NO_RECORD.values()], ids=[*NO_JSON, *NO_RECORD])
def test_an_answer_that_is_not_a_record_raises(colour: str, call: Any, reply: Reply) -> None:
    undecodable(colour, call, reply)


@pytest.mark.parametrize("call", PAGE_CALLS.values(), ids=PAGE_CALLS)
@pytest.mark.parametrize("reply", [*NO_JSON.values(), *NO_PAGE.values()], ids=[*NO_JSON, *NO_PAGE])
def test_an_answer_that_is_not_a_page_raises(colour: str, call: Any, reply: Reply) -> None:
    undecodable(colour, call, reply)


@pytest.mark.parametrize("reply", [html(), answer(200, b'{"cut'), answer(200, b"OK")])
def test_a_delete_answered_by_a_proxy_raises(colour: str, reply: Reply) -> None:
    undecodable(colour, lambda client: client.delete_cluster(1), reply)


@pytest.mark.parametrize("reply", [answer(204, b""), answer(200, b""), answer(200, {})])
def test_a_delete_requires_only_a_success_status(colour: str, reply: Reply) -> None:
    wire = Scripted(reply)
    connect(colour, wire).delete_cluster(1)
    assert len(wire.requests) == 1


def test_a_logout_answered_by_a_proxy_raises(colour: str) -> None:
    """Otherwise the session would stay open on the server unnoticed."""
    client = connect(colour, Scripted(cookies("sessionid=a; Path=/"), html()))
    client.login("ada", "pw")
    with pytest.raises(DecodeError):
        client.logout()


@pytest.mark.parametrize(
    "chunks", [(b"garbage",), (gzip.compress(b'{"id": 1}')[:-12], b"\0" * 30)], ids=["garbage", "broken"]
)
@pytest.mark.parametrize("call", ["retrieve", "create"])
def test_a_body_that_cannot_be_decompressed_raises(colour: str, call: str, chunks: tuple[bytes, ...]) -> None:
    error = undecodable(colour, RECORD_CALLS[call], zipped(*chunks))
    assert "unpacked" in str(error)


@pytest.mark.parametrize("status", [201, 503])
def test_an_answer_that_cannot_be_decompressed_is_reported_with_its_own_status(colour: str, status: int) -> None:
    client = connect(colour, Scripted(zipped(b"garbage", status=status)), retry=None)
    with pytest.raises(DecodeError, match=f"^{status} .*packed as gzip") as caught:
        client.retrieve_cluster(1)
    assert caught.value.response is not None
    assert caught.value.response.status_code == status


@pytest.mark.parametrize(
    "reply",
    [html(201), zipped(b"garbage", status=201), answer(201, {"id": 1, "name": "x" * 200})],
    ids=["page", "zip", "large"],
)
@pytest.mark.parametrize("call", ["create", "update"])
def test_after_a_write_an_answer_that_cannot_be_read_leaves_in_doubt_whether_it_was_written(
    colour: str, call: str, reply: Reply
) -> None:
    client = connect(colour, Scripted(reply), max_response_size=100)
    with pytest.raises(DecodeError, match="whether it was written is unknown") as caught:
        RECORD_CALLS[call](client)
    assert "page_size" not in str(caught.value)


def test_a_compressed_body_is_decompressed(colour: str) -> None:
    packed = gzip.compress(b'{"id": 1, "name": "x"}')
    client = connect(colour, Scripted(zipped(packed[:10], packed[10:])))
    assert client.retrieve_cluster(1) == {"id": 1, "name": "x"}


def test_an_html_page_with_200_is_quoted_by_title_and_suggests_checking_the_base_url(colour: str) -> None:
    error = undecodable(colour, RECORD_CALLS["retrieve"], html())
    assert str(error).startswith("200 OK: GET /allocations/clusters/1/: the answer is not JSON (text/html, ")
    assert "Welcome to nginx!" in str(error)
    assert "base URL" in str(error)


def test_a_long_foreign_answer_is_shortened_in_the_message_and_kept_in_full(colour: str) -> None:
    error = undecodable(colour, RECORD_CALLS["retrieve"], answer(200, b"x" * 100_000))
    assert len(str(error)) < 500
    assert error.response is not None
    assert len(error.response.content) == 100_000


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


def errors() -> list[KeystoneError]:
    """Return one error of each class, with all attributes set."""
    request = httpx.Request("POST", "http://keystone.test/x/")
    response = httpx.Response(400, json={"step": 1, "detail": "d"}, headers={"x-a": "b"}, request=request)
    asked: dict[str, Any] = {"request": request, "cid": "c"}
    throttled = ThrottledError("m", response=response, **asked)
    throttled.retry_after = 5.0
    deadline = DeadlineExceededError("m")
    deadline.cid = "c"
    statuses = [
        StatusError,
        ValidationError,
        AuthenticationError,
        PermissionDeniedError,
        NotFoundError,
        ChangedError,
        JobError,
    ]
    return [
        *(kind("m", response=response, detail="d", field_errors={"a": ["b"]}, **asked) for kind in statuses),
        ServerError("m", response=response, **asked),
        throttled,
        TransportError("m", outcome="unknown", attempts=3, **asked),
        RequestTimeoutError("m", outcome="not sent", attempts=4, **asked),
        DecodeError("m", response=response, cid="c"),
        ResponseTooLargeError("m", cid="c"),
        PaginationError("m", cid="c"),
        BulkError("m", completed=[1], failed=[2], unknown=[3], pending=[4], cid="c"),
        ClosedError("m"),
        deadline,
        FilterError("m", field="f", value=[1], matches=("a",), lookups=("in",)),
        FilterError("m", field="f", value=lambda: None),
        FieldError("m", field="f", position=2, record={"id": 1}, matches=("a",)),
        InvalidURLError("m"),
        InvalidCIDError("m"),
        PlanError("m", failed=[Change("create", "team", "Physics", new={"name": "Physics"}, alias="c1")], cid="c"),
        ReferenceTokenError("m"),
    ]


def facts(error: BaseException) -> dict[str, Any]:
    """Return all data of an error in a comparable form."""
    found: dict[str, Any] = {"type": type(error), "args": error.args, "str": str(error), "repr": repr(error)}
    for name, value in vars(error).items():
        if isinstance(value, httpx.Response):
            found[name] = (value.status_code, value.headers.multi_items(), value.content, str(value.request.url))
        elif isinstance(value, httpx.Request):
            found[name] = (value.method, str(value.url), value.headers.multi_items())
        else:
            found[name] = repr(value) if callable(value) else value
    return found


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_every_error_survives_pickling(error: KeystoneError) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert facts(pickle.loads(pickle.dumps(error, protocol))) == facts(error)


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_every_error_survives_copying(error: KeystoneError) -> None:
    assert facts(copy.copy(error)) == facts(error)
    assert facts(copy.deepcopy(error)) == facts(error)


def test_every_error_class_is_covered_by_these_tests() -> None:
    def below(kind: type[KeystoneError]) -> set[type[KeystoneError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    public = {kind for kind in below(KeystoneError) if not kind.__name__.startswith("_")}
    assert public == {type(error) for error in errors()} | {KeystoneError}


def test_the_errors_derive_from_builtin_and_httpx_errors() -> None:
    assert issubclass(StatusError, httpx.HTTPStatusError)
    assert issubclass(TransportError, httpx.TransportError)
    assert issubclass(RequestTimeoutError, httpx.TimeoutException)
    assert issubclass(DeadlineExceededError, TimeoutError)
    for kind in (FilterError, FieldError, InvalidURLError, InvalidCIDError, ReferenceTokenError):
        assert issubclass(kind, ValueError)


PASSWORD, TOKEN, SESSION_ID, CSRF = SECRETS = ("pa55-w0rd", "t0k3n-t0k3n", "s3ss10n", "csrf-v4lue")
"""Do not repeat these literals elsewhere: a traceback quotes source lines of the tests."""


def everything(error: BaseException | None) -> str:
    """Return all text reachable from an error: its chain, its attributes, its pickle."""
    texts: list[str] = []
    while error is not None:
        texts += [str(error), repr(error), str(vars(error)), "".join(traceback.format_exception(error))]
        for name in ("request", "response"):
            carried = getattr(error, "_request", None) if name == "request" else getattr(error, "response", None)
            if carried is not None:
                texts += [str(carried.headers.raw), str(carried.content)]
                texts.append(str(getattr(getattr(carried, "_request", None), "headers", httpx.Headers()).raw))
        if isinstance(error, KeystoneError):
            texts.append(str(pickle.dumps(error)))
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


FAILURES: dict[str, Reply] = {
    **{
        str(status): cookies(f"sessionid={SESSION_ID}; Path=/", status=status, body={"detail": "No."})
        for status in (301, 400, 401, 403, 404, 422, 429, 500)
    },
    "read": failure(httpx.ReadError),
    "timeout": failure(httpx.ReadTimeout),
    "connect": failure(httpx.ConnectError),
    "protocol": failure(httpx.RemoteProtocolError),
    "html": html(),
    "unpacked": zipped(b"garbage"),
}


@pytest.mark.parametrize("failed", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("way", ["session", "token"])
def test_no_error_holds_a_secret(colour: str, way: str, failed: Reply) -> None:
    wire = Scripted(cookies(f"csrftoken={CSRF}; Path=/", f"sessionid={SESSION_ID}; Path=/"), failed)
    client = connect(colour, wire, retry=None, token=TOKEN if way == "token" else None)
    if way == "session":
        client.login("ada", PASSWORD)
    else:
        client.whoami()
    calls = [
        lambda: client.login("ada", PASSWORD),
        lambda: client.create_user(username="b", password=PASSWORD, first_name="B", last_name="B", email="b@c.de"),
        lambda: client.update_user(1, {"password": PASSWORD}),
        lambda: client.retrieve_cluster(1, raise_not_exists=True),
        lambda: client.delete_cluster(1, raise_not_exists=True),
        client.retrieve_cluster,
    ]
    for call in calls[way == "token" :]:
        with pytest.raises(KeystoneError) as caught:
            call()
        assert [secret for secret in SECRETS if secret in everything(caught.value)] == []
    assert any(SESSION_ID in request.headers.get("cookie", "") for request in wire.requests)


def test_an_error_carries_copies_without_body_and_credentials(colour: str) -> None:
    wire = Scripted(
        cookies(f"csrftoken={CSRF}; Path=/"), cookies("sessionid=a; Path=/", status=403, body={"detail": "No."})
    )
    client = connect(colour, wire, headers={"X-Trace": "kept", "Proxy-Authorization": "Basic YWRhOnB3"})
    client.http_get("version")
    with pytest.raises(PermissionDeniedError) as caught:
        client.create_cluster(name="x")
    error = caught.value
    assert error.request.content == b""
    assert not {"cookie", "x-csrftoken", "authorization", "proxy-authorization"} & set(error.request.headers)
    assert error.request.headers["x-trace"] == "kept"
    assert error.request.headers["x-keystone-cid"] == client.cid
    assert "set-cookie" not in error.response.headers
    assert error.response.headers["content-type"] == "application/json"
    assert error.response.json() == {"detail": "No."}
    assert error.response.request.content == b""
    assert json.loads(wire.requests[-1].content) == {"name": "x"}
    assert CSRF in wire.requests[-1].headers["cookie"]


def test_the_response_of_an_error_has_no_transfer_encoding_header(colour: str) -> None:
    travelled = {"transfer_encoding": "chunked", "x_kept": "1"}
    with pytest.raises(PermissionDeniedError) as caught:
        connect(colour, Scripted(answer(403, {"detail": "No."}, **travelled))).create_cluster(name="x")
    assert "transfer-encoding" not in caught.value.response.headers
    assert caught.value.response.headers["x-kept"] == "1"


def test_the_repr_of_a_client_shows_no_secret(colour: str) -> None:
    client = connect(colour, Scripted(cookies(f"sessionid={SESSION_ID}; Path=/")), token=TOKEN)
    client.http_get("version")
    text = repr(client.client) + str(client.client)
    assert client.cid in text
    assert not [secret for secret in SECRETS if secret in text]


def test_a_deadline_error_carries_the_correlation_id(colour: str) -> None:
    client = connect(colour, Scripted(answer(503)), retry=RetryPolicy(deadline=0.1, backoff=5))
    with pytest.raises(DeadlineExceededError, match=r"deadline of 0\.1 s") as caught:
        client.retrieve_cluster(1)
    assert caught.value.cid == client.cid
