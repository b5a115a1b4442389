"""Hosts and endpoints: a request goes to the host that httpx would connect to, or is refused."""

from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keystone_client import AsyncKeystoneClient, InvalidURLError, KeystoneClient
from keystone_client_testing import FakeKeystone

from .scripted import Scripted, connect

SCRIPTS = "aZ1-._ßςſüÜİı\u0307éαאع٠中ナー한हि्\u200c\u200d·\u3002\uff0e\uff61\uff41\u2460☃\u00ad@%"


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("https://straße.uni-gießen.de", "xn--strae-oqa.xn--uni-gieen-m1a.de"),
        ("https://BÜCHER\u3002example:8443/api", "xn--bcher-kva.example"),
        ("http://127\uff0e0\uff0e0\uff0e1", "127.0.0.1"),
    ],
)
def test_an_internationalised_host_is_encoded_by_idna_2008(colour: str, typed: str, asked: str) -> None:
    wire = Scripted()
    client = connect(colour, wire, typed)
    client.http_get("version")
    client.http_get(f"{typed}/version")
    assert [request.url.host for request in wire.requests] == [httpx.URL(typed).host] * 2
    assert [request.url.raw_host.decode() for request in wire.requests] == [asked] * 2
    assert {request.headers["host"].partition(":")[0] for request in wire.requests} == {asked}


@pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])
@pytest.mark.parametrize(
    "url",
    [
        "https://☃.example",
        "https://\uff48\uff4f\uff53\uff54.example",
        "https://אa.example",  # right to left and left to right in one name
        "https://\u0301a.example",  # begins with a combining accent
        "https://xn--ü.example",
        "http://[fe80::1%25eth0]",
        "http://[fe80::1%eth0]:8000",
    ],
)
def test_a_host_that_httpx_rejects_or_cannot_encode_is_refused(kind: Any, url: str) -> None:
    with pytest.raises(InvalidURLError):
        kind(url)


@given(st.text(SCRIPTS, min_size=1, max_size=12).map(lambda host: f"https://{host}.example/api"))
@example("https://faß.example")
@example("https://i\u0307.example")
def test_any_host_is_sent_as_httpx_sends_it_or_refused(url: str) -> None:
    try:
        client = KeystoneClient(url)
    except InvalidURLError:
        return
    assert httpx.URL(client.base_url).raw_host == httpx.URL(url).raw_host


def test_slashes_in_a_row_below_the_base_url_count_as_one(colour: str) -> None:
    fake = FakeKeystone()
    client = connect(colour, fake.transport, f"{fake.url}/")
    client.login("admin", "quickstart")
    for endpoint in (f"{client.base_url}/users/users/", "users//users//", "/users///users"):
        assert client.http_get(endpoint).json()["count"] == 1
    assert client.base_url == fake.url


@pytest.mark.parametrize("endpoint", ["//elsewhere.example/version", "//version", "///version", "//"])
def test_an_endpoint_that_begins_with_two_slashes_is_refused(colour: str, endpoint: str) -> None:
    wire = Scripted()
    with pytest.raises(InvalidURLError, match="two slashes"):
        connect(colour, wire).http_get(endpoint)
    assert wire.requests == []
