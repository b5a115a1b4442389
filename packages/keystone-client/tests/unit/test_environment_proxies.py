"""The proxies of the environment: which one is used for which URL, as other programs read the same variables."""

import asyncio
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client._transport.tls_and_proxy import proxy_for
from keystone_client_testing import FakeKeystone

from .connection_stub import Connection
from .scripted import URL, connect

pytestmark = pytest.mark.usefixtures("no_environment")


PROXIES: list[tuple[dict[str, str], str, str | None]] = [
    ({}, "http://keystone.test/", None),
    ({"http_proxy": "http://p:1"}, "http://keystone.test/", "http://p:1"),
    ({"HTTP_PROXY": "http://p:1"}, "http://keystone.test/", "http://p:1"),
    ({"http_proxy": "http://p:1"}, "https://keystone.test/", None),
    ({"HTTPS_PROXY": "http://p:1", "http_proxy": "http://q:1"}, "https://keystone.test/", "http://p:1"),
    ({"ALL_PROXY": "http://p:1"}, "https://keystone.test/", "http://p:1"),
    ({"all_proxy": "http://p:1", "https_proxy": "http://q:1"}, "https://keystone.test/", "http://q:1"),
    ({"http_proxy": "p:1"}, "http://keystone.test/", "http://p:1"),
    ({"http_proxy": ""}, "http://keystone.test/", None),
    ({"http_proxy": "http://p:1", "NO_PROXY": "keystone.test"}, "http://keystone.test/", None),
    ({"http_proxy": "http://p:1", "no_proxy": "keystone.test:8000"}, "http://keystone.test:8000/", None),
    ({"http_proxy": "http://p:1", "no_proxy": "keystone.test:8000"}, "http://keystone.test:9000/", "http://p:1"),
    ({"http_proxy": "http://p:1", "no_proxy": ".test"}, "http://keystone.test/", None),
    ({"http_proxy": "http://p:1", "no_proxy": "test"}, "http://keystone.test/", None),
    ({"http_proxy": "http://p:1", "no_proxy": "a.b, keystone.test ,c"}, "http://keystone.test/", None),
    ({"http_proxy": "http://p:1", "no_proxy": "one.test"}, "http://keystone.test/", "http://p:1"),
    ({"http_proxy": "http://p:1", "no_proxy": "*"}, "http://keystone.test/", None),
    ({"http_proxy": "http://p:1", "no_proxy": "127.0.0.1,localhost"}, "http://127.0.0.1:8000/", None),
    *[
        ({"http_proxy": "http://p:1", "no_proxy": listed}, url, None if exempt else "http://p:1")
        for listed, url, exempt in [
            ("127.0.0.0/8", "http://127.3.2.1:8000/", True),
            ("10.0.0.0/8, 127.0.0.0/8", "http://127.0.0.1/", True),
            ("127.0.0.1/8", "http://127.9.9.9/", True),
            ("10.0.0.0/8", "http://127.0.0.1/", False),
            ("10.0.0.0/8", "http://ten.test/", False),
            ("::1/128", "http://[::1]:8000/", True),
            ("fd00::/8", "http://[fd12::1]/", True),
            ("[::1]", "http://[::1]/", True),
            ("[::1]:8000", "http://[::1]:8000/", True),
            ("[::1]:8000", "http://[::1]:9000/", False),
            ("127.0.0.1:8000", "http://127.0.0.1:8000/", True),
            ("keystone.test:80", "http://keystone.test/", True),
            ("127.0.0.0/99, keystone.test/8, :8000, [bad, ,", "http://127.0.0.1/", False),
            ("a.test keystone.test", "http://keystone.test/", True),
            ("*.test", "http://keystone.test/", True),
            ("KEYSTONE.Test.", "http://keystone.test/", True),
            ("keystone.test", "http://keystone.test./", True),
            ("stone.test", "http://keystone.test/", False),
            ("keystone.test", "http://my.keystone.test/", True),
            ("straße.test", "http://xn--strae-oqa.test/", True),
            ("  ", "http://keystone.test/", False),
        ]
    ],
    ({"HTTP_PROXY": "  "}, "http://keystone.test/", None),
    ({"http_proxy": "", "HTTP_PROXY": "http://p:1"}, "http://keystone.test/", None),
    ({"http_proxy": " http://p:1 "}, "http://keystone.test/", "http://p:1"),
    ({"HTTP_PROXY": "", "ALL_PROXY": "http://p:1"}, "http://keystone.test/", "http://p:1"),
    ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://keystone.test/", None),
    ({"http_proxy": "http://p:1", "no_proxy": "", "NO_PROXY": "*"}, "http://keystone.test/", "http://p:1"),
]


@pytest.mark.parametrize(("environment", "url", "proxy"), PROXIES)
def test_the_proxies_of_the_environment_are_honoured(
    environment: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url, None, True).proxy == proxy
    assert proxy_for(url, None, False).proxy is None
    assert proxy_for(url, "http://mine:1", True).proxy == "http://mine:1"


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_all_connections_of_a_client_use_the_proxy_settings_of_the_first(
    colour: str, stub: type[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://p:1")
    limits = httpx.Limits(max_keepalive_connections=0)

    async def ask_in_tasks() -> None:
        async with AsyncKeystoneClient(URL, limits=limits) as client:
            await client.http_get("version")
            monkeypatch.setenv("http_proxy", "http://q:1")
            await client.http_get("version")

    if colour == "async":
        asyncio.run(ask_in_tasks())
    else:
        with KeystoneClient(URL, limits=limits) as client:
            client.http_get("version")
            monkeypatch.setenv("http_proxy", "http://q:1")
            client.http_get("version")
    assert [connection.options["proxy"] for connection in stub.made] == ["http://p:1"] * 2


def test_the_connections_go_through_the_proxy(
    colour: str, stub: type[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://p:1")
    ways: list[tuple[dict[str, Any], str | None]] = [({}, "http://p:1"), ({"trust_env": False}, None)]
    ways.append(({"proxy": "http://q:1"}, "http://q:1"))
    for options, expected in ways:
        stub.made.clear()
        client = connect(colour, None, **options)
        client.http_get("version")
        client.close()
        assert stub.made[0].options["proxy"] == expected


def test_a_real_proxy_receives_the_absolute_url(colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake acts as the proxy: a request that reaches it was sent through the proxy."""
    fake = FakeKeystone()
    with fake.serve() as url:
        monkeypatch.setenv("http_proxy", url)
        client = connect(colour, None, "http://keystone.test/", retry=None).client
        if colour == "sync":
            with client:
                client.http_get("version")
        else:

            async def once() -> None:
                async with client:
                    await client.http_get("version")

            anyio.run(once)
    assert len(fake.journal) == 1
