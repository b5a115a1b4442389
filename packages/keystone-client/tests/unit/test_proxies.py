"""Proxies and TLS key logs: settings of the environment are used or ignored as configured, and named in errors."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from keystone_client import AsyncKeystoneClient, FieldError, KeystoneClient, KeystoneError, RetryPolicy, TransportError
from keystone_client_testing import FakeKeystone

from .sockets import serving

VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]


@pytest.fixture(autouse=True)
def _nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*VARIABLES, *map(str.upper, VARIABLES), "SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR"]:
        monkeypatch.delenv(name, raising=False)


def ask(colour: str, url: str, **options: Any) -> str:
    """Return the version of the server, requested with a client that is closed afterwards."""
    if colour == "sync":
        with KeystoneClient(url, **options) as client:
            return client.retrieve_version()

    async def once() -> str:
        async with AsyncKeystoneClient(url, **options) as client:
            return await client.retrieve_version()

    return anyio.run(once)


def failure_of(colour: str, url: str, **options: Any) -> KeystoneError:
    with pytest.raises(KeystoneError) as caught:
        ask(colour, url, **{"retry": RetryPolicy(backoff=0), **options})
    assert "hunter2" not in str(caught.value)
    return caught.value


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("variable", ["{}_proxy", "{}_PROXY", "ALL_PROXY"])
def test_a_proxy_that_does_not_answer_is_named_with_its_variable_and_without_its_password(
    colour: str, variable: str, scheme: str, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = variable.format(scheme.upper() if variable.isupper() else scheme)
    monkeypatch.setenv(name, f"http://ada:hunter2@127.0.0.1:{closed_port}")
    error = failure_of(colour, f"{scheme}://keystone.test")
    assert f"Connection refused, through the proxy http://127.0.0.1:{closed_port} ({name})" in str(error)
    assert "is the proxy right, and is it running? NO_PROXY" in str(error)
    assert "host name spelled" not in str(error)


def test_a_proxy_of_the_constructor_is_named_too(colour: str, closed_port: int) -> None:
    error = failure_of(colour, "http://keystone.test", proxy=f"http://ada:hunter2@127.0.0.1:{closed_port}")
    assert f"through the proxy http://127.0.0.1:{closed_port} (proxy=)" in str(error)


def test_without_a_proxy_none_is_named(colour: str, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test")
    monkeypatch.setenv("no_proxy", "127.0.0.0/8")
    error = failure_of(colour, f"http://127.0.0.1:{closed_port}")
    assert "proxy" not in str(error)
    assert "is the server running" in str(error)


@pytest.mark.parametrize("value", ["http://[bad", "socks4://host:1", "http://", "http://a b:3128", "http://host:99999"])
def test_an_invalid_proxy_variable_is_refused_by_its_name(
    colour: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", value)
    error = failure_of(colour, "http://keystone.test")
    assert isinstance(error, FieldError)
    assert str(error).startswith("HTTP_PROXY of the environment is not the URL of a proxy: give http, https, socks5")


def test_blank_variables_name_no_proxy(colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name.upper(), "  ")
    with FakeKeystone().serve() as url:
        assert ask(colour, url)


def test_a_network_in_no_proxy_is_reached_without_one(
    colour: str, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,127.0.0.0/8")
    with FakeKeystone().serve() as url:
        assert ask(colour, url)


@contextlib.contextmanager
def answering(reply: bytes) -> Iterator[tuple[int, list[int]]]:
    """A proxy that gives every request the same answer, and counts requests."""
    came: list[int] = []
    closing = reply.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)  # or a retry could use it while it closes

    def act(connection: socket.socket) -> None:
        came.append(len(connection.recv(65536)))
        connection.sendall(closing)

    with serving(act) as port:
        yield port, came


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a_proxy_that_refuses_is_named_and_asked_once(
    colour: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as (port, came):
        monkeypatch.setenv("https_proxy", f"http://ada:hunter2@127.0.0.1:{port}")
        error = failure_of(colour, "https://keystone.test")
    assert isinstance(error, TransportError)
    assert f"{status}, through the proxy http://127.0.0.1:{port} (https_proxy)" in str(error)
    assert len(came) == error.attempts == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [("407 Proxy Authentication Required", "a proxy asks for a login"), ("503 Unavailable", "got no answer from it")],
)
def test_an_answer_of_a_proxy_for_plain_http_names_it(
    colour: str, status: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(f"HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nNope".encode()) as (port, _):
        monkeypatch.setenv("http_proxy", f"http://ada:hunter2@127.0.0.1:{port}")
        error = failure_of(colour, "http://keystone.test")
    assert f"perhaps of the proxy http://127.0.0.1:{port} (http_proxy); " in str(error)
    assert said in str(error)


AUTHORITY = trustme.CA()


@pytest.fixture
def trusted(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


def test_a_key_log_that_cannot_be_written_is_named(
    colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nowhere" / "keys"))
    error = failure_of(colour, "https://keystone.test")
    assert isinstance(error, FieldError)
    assert str(error).startswith("SSLKEYLOGFILE names ")
    assert "No such file or directory; unset it, or give trust_env=False" in str(error)


@pytest.mark.parametrize("verify", [True, False, "file"])
@pytest.mark.parametrize("trust_env", [True, False])
@pytest.mark.parametrize("through", ["the server", "a proxy"])
def test_keys_are_written_only_where_the_environment_is_trusted(
    colour: str,
    through: str,
    trust_env: bool,
    verify: Any,
    tmp_path: Path,
    trusted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    with answering(b"") as (port, _):
        url = f"https://127.0.0.1:{port}"
        options: dict[str, Any] = {"proxy": url} if through == "a proxy" else {}
        options |= {"verify": trusted if verify == "file" else verify, "trust_env": trust_env, "retry": None}
        failure_of(colour, "http://keystone.test" if through == "a proxy" else url, **options)
    assert keys.exists() is trust_env


def test_certificates_that_cannot_be_read_are_named_with_their_variable(
    colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "garbage.pem"
    path.write_text("garbage")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    error = failure_of(colour, "https://keystone.test")
    assert f"{str(path)!r}, which SSL_CERT_FILE names" in str(error)
