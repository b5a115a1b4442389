"""Errors as objects: they can be pickled and copied, have builtin bases, and carry no body and no credentials."""

import copy
import json
import pickle
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

from .scripted import Scripted, answer, connect, cookies


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


def test_an_error_carries_copies_without_body_and_credentials(colour: str) -> None:
    wire = Scripted(
        cookies("csrftoken=csrf-v4lue; Path=/"), cookies("sessionid=a; Path=/", status=403, body={"detail": "No."})
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
    assert "csrf-v4lue" in wire.requests[-1].headers["cookie"]


def test_the_response_of_an_error_has_no_transfer_encoding_header(colour: str) -> None:
    travelled = {"transfer_encoding": "chunked", "x_kept": "1"}
    with pytest.raises(PermissionDeniedError) as caught:
        connect(colour, Scripted(answer(403, {"detail": "No."}, **travelled))).create_cluster(name="x")
    assert "transfer-encoding" not in caught.value.response.headers
    assert caught.value.response.headers["x-kept"] == "1"


def test_the_repr_of_a_client_shows_no_secret(colour: str) -> None:
    client = connect(colour, Scripted(cookies("sessionid=s3ss10n; Path=/")), token="t0k3n-t0k3n")
    client.http_get("version")
    text = repr(client.client) + str(client.client)
    assert client.cid in text
    assert not [secret for secret in ("s3ss10n", "t0k3n-t0k3n") if secret in text]


def test_a_deadline_error_carries_the_correlation_id(colour: str) -> None:
    client = connect(colour, Scripted(answer(503)), retry=RetryPolicy(deadline=0.1, backoff=5))
    with pytest.raises(DeadlineExceededError, match=r"deadline of 0\.1 s") as caught:
        client.retrieve_cluster(1)
    assert caught.value.cid == client.cid
