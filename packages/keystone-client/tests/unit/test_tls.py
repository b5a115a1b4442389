"""Which servers behind TLS are trusted: by a file, a context or the environment; nothing is sent to any other."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
import trustme
from keystone_client import TransportError
from keystone_client_testing import FakeKeystone

from .scripted import connect


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Secure(NamedTuple):
    """A TLS server and its private CA."""

    url: str
    ca: trustme.CA
    ca_file: str


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are what is tested
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield Secure(f"https://127.0.0.1:{server.server_port}/", ca, str(path))
    server.shutdown()
    thread.join(30)
    assert not thread.is_alive()
    server.server_close()


def ask(colour: str, url: str, **options: Any) -> Any:
    """Send one request over a new connection."""
    client = connect(colour, None, url, retry=None, timeout=httpx.Timeout(30), **options).client
    if colour == "sync":
        with client:
            return client.http_get("version")

    async def once() -> Any:
        async with client:
            return await client.http_get("version")

    return anyio.run(once)


@pytest.mark.parametrize("way", ["file", "context", "environment", "unchecked"])
def test_a_server_behind_tls_is_trusted_by_file_context_or_environment(
    colour: str, way: str, secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify: Any = {"file": secure.ca_file, "unchecked": False}.get(way, True)
    if way == "context":
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        secure.ca.configure_trust(verify)
    if way == "environment":
        monkeypatch.setenv("SSL_CERT_FILE", secure.ca_file)
    assert ask(colour, secure.url, verify=verify).status_code == 200


@pytest.mark.parametrize("way", ["no trust", "foreign context", "environment not asked"])
def test_a_server_with_an_unknown_certificate_is_refused_and_nothing_is_sent(
    colour: str, way: str, secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {}
    if way == "foreign context":
        options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trustme.CA().configure_trust(options["verify"])
    if way == "environment not asked":
        monkeypatch.setenv("SSL_CERT_FILE", secure.ca_file)
        options["trust_env"] = False
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        ask(colour, secure.url, **options)
    assert caught.value.outcome == "not sent"


def test_the_certificate_must_be_for_the_host(colour: str, secure: Secure) -> None:
    with pytest.raises(TransportError, match=r"not valid for 'localhost'|Hostname mismatch"):
        ask(colour, secure.url.replace("127.0.0.1", "localhost"), verify=secure.ca_file)


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_https_to_a_server_without_it_asks_whether_http_was_meant(colour: str) -> None:
    with FakeKeystone().serve() as url, pytest.raises(TransportError, match="is it http:// that") as caught:
        ask(colour, url.replace("http:", "https:"))
    assert caught.value.outcome == "not sent"
