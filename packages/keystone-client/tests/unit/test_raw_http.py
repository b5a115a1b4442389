"""The HTTP methods accept the arguments of httpx and send the same requests."""

import io
import os
import warnings
from typing import Any

import httpx
import pytest
from keystone_client import AsyncKeystoneClient, FieldError, KeystoneClient, UnknownParameterWarning
from keystone_client_testing import FakeKeystone

from .scripted import URL, Scripted, connect

NOTHING: list[Any] = [None, {}, []]
VALUES: list[Any] = [{"a": 1}, [1], "text", 0, False, *NOTHING]
ARGUMENTS: list[dict[str, Any]] = [
    *({"data": {"k": value}} for value in ("text", 1, 1.5, True, None, ["a", "b"], ("a", 1))),
    *({"data": {"k": value}, "files": {"f": b"x"}} for value in ("text", b"b", 1, True, None, ["a", "b"])),
    *({"data": {}, "files": nothing, "json": {"a": 1}} for nothing in NOTHING),
    *({"json": value} for value in VALUES),
    *({"params": value} for value in ("a=1&b=2", b"a=1", [("a", 1), ("a", 2)], (("a", True),), {"a": ["x", None]})),
    *({"params": value} for value in ["", httpx.QueryParams("a=1"), *NOTHING]),
    {"headers": {"X-A": "1"}},
    {"headers": [("X-A", "1"), ("x-a", "2")]},
    {"headers": {b"X-A": b"1"}},
    {"headers": [(b"X-A", b"1")]},
    {"headers": httpx.Headers({"x-a": "1"})},
    {"headers": [("accept", "text/plain"), ("Accept", "text/html")]},
    {"headers": []},
    *({"timeout": value} for value in (1, 2.5, None, (1, 2, 3, 4), (1, None, 3, None), httpx.USE_CLIENT_DEFAULT)),
    *({"timeout": value} for value in (httpx.Timeout(3), httpx.Timeout(3, read=None))),
    *({"files": {"f": part}} for part in (b"x", "text", (None, b"x"), ("a.txt", b"x"), ("a.pdf", "text"))),
    *({"files": {"f": ("a", b"x", "a/b", headers)}} for headers in ({}, {"X-H": "1"})),
    {"files": {"f": ("a", b"x", None, {"X-H": "1"})}},
    {"files": [("f", b"1"), ("f", ("b.txt", b"2", "text/plain"))]},
]


def sent(request: httpx.Request) -> object:
    watched = ("accept", "content-type", "content-length", "x-a")
    headers = [(name, value) for name, value in request.headers.multi_items() if name in watched]
    return str(request.url), sorted(headers), request.content, request.extensions["timeout"]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda arguments: str(arguments).partition(" object at")[0])
def test_arguments_of_httpx_are_sent_as_httpx_sends_them(
    colour: str, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)  # httpx generates multipart boundaries with it
    ours, theirs = Scripted(), Scripted()
    connect(colour, ours, timeout=9).http_post("x", **arguments)
    with httpx.Client(transport=theirs, timeout=9) as client:
        client.post(f"{URL}x/", **arguments)

    assert sent(ours.requests[0]) == sent(theirs.requests[0])


def test_a_file_object_is_taken_with_and_without_a_name(colour: str) -> None:
    wire = Scripted()
    connect(colour, wire).http_post("x", files=[("f", io.BytesIO(b"one")), ("g", ("a.txt", io.BytesIO(b"two")))])

    body = wire.requests[0].content
    assert b"one" in body
    assert b'filename="a.txt"' in body


@pytest.mark.parametrize("headers", [5, "X-A: 1", [("X-A",)], [("X-A", None)], [("Cookie", "a=b")], {b"Cookie": b"a"}])
def test_invalid_and_reserved_headers_are_refused(colour: str, headers: Any) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="header"):
        connect(colour, wire).http_get("version", headers=headers)

    assert wire.requests == []


@pytest.mark.parametrize("timeout", [0, (1, 2), (1, 2, 3, "4"), True, "5", httpx.Timeout(-1)])
def test_an_invalid_timeout_is_refused(colour: str, timeout: Any) -> None:
    with pytest.raises(FieldError, match="timeout="):
        connect(colour, Scripted()).http_get("version", timeout=timeout)


def test_the_accept_header_allows_any_type_unless_the_caller_sets_it(colour: str) -> None:
    wire = Scripted()
    client, other = connect(colour, wire), connect(colour, wire, headers={"Accept": "text/plain"})
    client.http_get("openapi/yaml")
    client.http_get("openapi/yaml", headers={"accept": "a/b"})
    other.http_get("openapi/yaml")
    client.retrieve_team(1)

    accepted = [request.headers.get_list("accept") for request in wire.requests]
    assert accepted == [["*/*"], ["a/b"], ["text/plain"], ["application/json"]]


def test_a_yaml_answer_can_be_requested(colour: str) -> None:
    fake = FakeKeystone(URL)

    assert connect(colour, fake.transport).http_get("openapi/yaml").status_code == 200


def test_json_can_be_passed_by_position_as_in_the_official_client(colour: str) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    for method in ("http_post", "http_put", "http_patch"):
        getattr(client, method)("x", {"a": 1})

    assert [request.content for request in wire.requests] == [b'{"a":1}'] * 3


@pytest.mark.parametrize(
    ("endpoint", "params", "message"),
    [
        ("allocations/requests", {"order": "-expire"}, "'order', which is no parameter .* Did you mean _order"),
        ("/allocations/requests/?order=-expire", None, "Did you mean _order"),
        ("allocations/requests", "limit=5", "Did you mean _limit"),
        ("users/teams", {"nam": "x"}, "Did you mean name"),
        ("users/teams", [("name", "")], "'name', which has an empty value"),
        ("users/teams", {"name": None}, "'name', which has an empty value"),
        ("users/teams", {"name": ["a", "b"]}, "'name', which is given once more behind it.* name__in"),
        ("users/teams", {"is_active": "yes"}, "neither true nor false"),
        ("users/teams", {"_order": "-nam"}, "names 'nam', which is no order.* Did you mean name"),
    ],
)
def test_an_ignored_listing_parameter_is_warned_about_at_the_call(
    colour: str, endpoint: str, params: Any, message: str
) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    with pytest.warns(UnknownParameterWarning, match=message) as caught:
        client.http_get(endpoint, params)

    assert len(caught) == 1
    assert len(wire.requests) == 1


async def test_the_warning_points_at_the_caller(anyio_backend: object) -> None:
    ignored = {"order": "id"}
    client, other = KeystoneClient(URL, transport=Scripted()), AsyncKeystoneClient(URL, transport=Scripted())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client.http_get("users/teams", ignored)
        await other.http_get("users/teams", ignored)
        client.http_iterate("users/teams", ignored)
        other.http_iterate("users/teams", ignored)

    assert [warning.filename for warning in caught] == [__file__] * 4


@pytest.mark.parametrize(
    ("endpoint", "params"),
    [
        (
            "allocations/requests",
            {"_order": "-expire", "_limit": 5, "_offset": 1, "team": 3, "expire__gt": "2026-01-01"},
        ),
        ("users/teams/1", {"order": "id"}),
        ("users/new", {"order": "id"}),
        ("users/teams", None),
    ],
)
def test_known_parameters_and_endpoints_without_listing_do_not_warn(colour: str, endpoint: str, params: Any) -> None:
    connect(colour, Scripted()).http_get(endpoint, params)
