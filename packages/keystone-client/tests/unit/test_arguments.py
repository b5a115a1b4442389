"""Arguments of constructors and HTTP methods are validated immediately, not when they are first used."""

import ssl
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from keystone_client import AsyncKeystoneClient, FieldError, KeystoneClient, RetryPolicy

from .scripted import URL, Scripted, connect, page

np: Any = pytest.importorskip("numpy")  # a dependency of the documentation examples

UNFIT: list[dict[str, Any]] = [
    {"proxy": "foo"},
    {"proxy": "ftp://host:21"},
    {"proxy": "socks5://host:1080"},
    {"proxy": 7},
    {"limits": 5},
    {"verify": "/no/such/file.pem"},
    {"verify": 7},
    {"headers": [("a", "b")]},
    {"headers": {"Cookie": "sessionid=stolen"}},
    {"headers": {"X-Good": "one\r\nX-Evil: two"}},
    {"retry": 3},
    {"timeout": 0},
    {"timeout": "5"},
    {"token": "two words"},
    {"token": ""},
]


@pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])
@pytest.mark.parametrize("options", UNFIT, ids=str)
def test_a_constructor_refuses_invalid_options(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as caught:
        kind(URL, **options)

    assert caught.value.field == next(iter(options))


class Speechless:
    """An object whose repr raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("value", [-(10**5000), Speechless(), ["a"] * 5000], ids=["number", "object", "list"])
@pytest.mark.parametrize("name", ["limits", "max_response_size", "retry", "timeout", "verify"])
def test_any_invalid_option_is_refused_in_a_message_of_limited_length(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value}

    with pytest.raises(FieldError, match=name) as caught:
        KeystoneClient(URL, **options)

    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [-(10**5000), Speechless(), ["a"] * 5000], ids=["number", "object", "list"])
def test_any_invalid_argument_is_refused_in_a_message_of_limited_length(value: Any) -> None:
    wire = Scripted()
    client = connect("sync", wire)
    for call in (
        lambda: RetryPolicy(backoff=value),
        lambda: client.create_attachment(request=1, file=value),
        lambda: client.create_attachment(request=1, file=b"x", filename="x", on_progress=value),
        lambda: client.download_attachment(1, value),
        lambda: client.retrieve_choices(value, value),
        lambda: client.http_get("version", timeout=value),
    ):
        with pytest.raises(FieldError) as caught:
            call()
        assert len(str(caught.value)) < 600
    assert wire.requests == []


def test_a_transport_of_the_other_colour_is_refused() -> None:
    for kind, transport in (
        (KeystoneClient, httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))),
        (AsyncKeystoneClient, httpx.HTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))),
    ):
        client_of: Any = kind
        with pytest.raises(FieldError, match="other client"):
            client_of(URL, transport=transport)


def test_a_password_in_an_invalid_proxy_url_is_not_repeated() -> None:
    with pytest.raises(FieldError) as caught:
        KeystoneClient(URL, proxy="gopher://me:hunter2@host")

    assert "hunter2" not in str(caught.value)


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")

    with KeystoneClient("https://127.0.0.1:1", verify=empty) as client, pytest.raises(FieldError, match=r"empty\.pem"):
        client.http_get("version")


@pytest.mark.parametrize(
    "policy",
    [
        {"attempts": 0},
        {"attempts": 2.5},
        {"attempts": True},
        {"attempts": "3"},
        {"backoff": -1},
        {"max_backoff": float("nan")},
        {"max_retry_after": float("inf")},
        {"max_retry_after": 1e10},
        {"deadline": 0},
        {"deadline": float("inf")},
        {"deadline": 1e10},
    ],
    ids=str,
)
def test_an_invalid_retry_policy_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(FieldError, match=next(iter(policy))):
        RetryPolicy(**policy)


def test_a_copy_of_a_policy_with_other_numbers_is_checked_as_well() -> None:
    assert RetryPolicy(backoff=2)._replace(attempts=7) == RetryPolicy(attempts=7, backoff=2)
    with pytest.raises(FieldError, match="attempts=0"):
        RetryPolicy()._replace(attempts=0)


@pytest.mark.parametrize(
    ("method", "options", "field"),
    [
        ("http_post", {"json": {}, "data": {"a": "b"}}, "json"),
        ("http_post", {"json": {}, "files": {"file": b""}}, "json"),
        ("http_post", {"json": {"a": object()}}, "json"),
        ("http_get", {"params": 5}, "params"),
        ("http_get", {"headers": {"Host": "evil"}}, "headers"),
    ],
)
def test_an_http_method_refuses_unsupported_options(
    colour: str, method: str, options: dict[str, Any], field: str
) -> None:
    wire = Scripted()
    client = connect(colour, wire)

    with pytest.raises(FieldError) as caught:
        getattr(client, method)("version", **options)

    assert caught.value.field == field
    assert wire.requests == []


@pytest.mark.parametrize(
    ("method", "option"), [("http_get", "cookies"), ("http_get", "json"), ("http_post", "content")]
)
def test_an_http_method_names_an_option_that_it_does_not_have(colour: str, method: str, option: str) -> None:
    with pytest.raises(TypeError, match=rf"KeystoneClient\.{method}\(\) got an unexpected keyword argument '{option}'"):
        getattr(connect(colour, Scripted()), method)("version", **{option: {}})


def test_headers_of_the_constructor_replace_those_of_the_client(colour: str) -> None:
    wire = Scripted()
    client = connect(colour, wire, headers={"user-agent": "portal/1", "X-Team": "physics"})

    client.http_get("version")

    sent = wire.requests[0].headers
    assert sent.get_list("user-agent") == ["portal/1"]
    assert sent["x-team"] == "physics"


TWO_LOOPS = """
import asyncio
from keystone_client import AsyncKeystoneClient
from keystone_client_testing import FakeKeystone

with FakeKeystone().serve() as url:
    client = AsyncKeystoneClient(url)
    for _ in range(2):
        print(asyncio.run(client.http_get("version")).status_code)
"""


def test_one_async_client_serves_one_event_loop_after_another() -> None:
    # in a separate process: asyncio warns about the connection that the first loop left open
    done = subprocess.run([sys.executable, "-c", TWO_LOOPS], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.split() == ["200", "200"]


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_numpy_numbers_are_accepted_like_python_numbers(colour: str, kind: Any) -> None:
    wire = Scripted(page({"id": 1}))
    client = connect(colour, wire, page_size=kind(7), max_response_size=kind(200), retry=RetryPolicy(attempts=kind(2)))

    client.retrieve_team(limit=kind(1))
    client.retrieve_team(page_size=kind(5))

    assert [request.url.params["_limit"] for request in wire.requests] == ["1", "5"]
    policy = RetryPolicy(attempts=kind(2), backoff=kind(1), max_backoff=np.float32(1.5), deadline=np.float64(9))
    assert policy == RetryPolicy(2, 1, 1.5, 120, 9)
    assert [type(number) for number in policy] == [int, int, float, int, float]


@pytest.mark.parametrize("timeout", [np.float64(2.5), np.float32(2.5), Decimal("2.5"), Fraction(5, 2)])
def test_a_timeout_may_be_any_real_number(colour: str, timeout: Any) -> None:
    wire = Scripted()

    connect(colour, wire, timeout=timeout).http_get("version")
    connect(colour, wire).http_get("version", timeout=timeout)

    for request in wire.requests:
        assert set(request.extensions["timeout"].values()) == {2.5}


@pytest.mark.parametrize(
    "value", [np.nan, np.float64("nan"), np.datetime64("NaT", "D"), np.True_, np.array([1, 2]), "1", {}]
)
def test_a_value_that_is_not_a_number_is_refused_for_a_numeric_argument(colour: str, value: Any) -> None:
    for name in ("attempts", "backoff", "max_backoff", "max_retry_after", "deadline"):
        with pytest.raises(FieldError, match=f"RetryPolicy\\({name}="):
            RetryPolicy(**{name: value})
    for options in ({"timeout": value}, {"max_response_size": value}):
        with pytest.raises(FieldError, match=next(iter(options))):
            connect(colour, Scripted(), **options)


@pytest.mark.parametrize(
    ("value", "text"),
    [(np.int64(5), "5"), (np.float32(100.1), "100.1"), (np.True_, "true"), (np.datetime64("2024-01-31"), "2024-01-31")],
)
def test_http_methods_write_numbers_of_numpy_like_those_of_python(colour: str, value: object, text: str) -> None:
    wire = Scripted()
    connect(colour, wire).http_get("version", params={"a": value, "b": [value]})
    connect(colour, wire).http_post("version", data={"a": value})
    assert wire.requests[0].url.params.multi_items() == [("a", text), ("b", text)]
    assert wire.requests[1].content.decode() == f"a={text}"


def test_http_methods_take_scalars_of_numpy_in_json(colour: str) -> None:
    wire = Scripted()
    connect(colour, wire).http_post("version", json={"a": np.int64(5), "b": [np.True_], "c": np.float32(0.1)})
    assert wire.requests[0].content == b'{"a":5,"b":[true],"c":0.1}'


@pytest.mark.parametrize("value", [float("nan"), np.float64("nan"), Decimal("nan")])
@pytest.mark.parametrize("argument", ["params", "data"])
def test_http_methods_write_no_nan(colour: str, argument: str, value: object) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="'a': it is a missing value"):
        connect(colour, wire).http_post("version", **{argument: {"a": value}})
    assert wire.requests == []


@pytest.mark.parametrize("argument", ["params", "data", "json"])
def test_http_methods_call_a_missing_value_missing(colour: str, argument: str) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="missing value"):
        connect(colour, wire).http_post("version", **{argument: {"a": np.datetime64("NaT", "D")}})
    assert wire.requests == []
