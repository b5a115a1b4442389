"""Which TLS context connections use: one for the whole process, or that of the user."""

import ssl
from typing import Any

import pytest
import trustme

from .connection_stub import Connection
from .scripted import connect

pytestmark = pytest.mark.usefixtures("no_environment")


def context_of(client: Any) -> ssl.SSLContext:
    """Return the TLS context of a client's connections."""
    Connection.made.clear()
    player = connect("sync", None, **client) if isinstance(client, dict) else client
    player.http_get("version")
    player.close()
    context: ssl.SSLContext = Connection.made[0].options["verify"]
    return context


def test_all_clients_of_a_process_share_a_tls_context(
    stub: type[Connection], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    secure = "https://keystone.test"
    first = context_of({"url": secure})
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert first.check_hostname
    assert context_of({"url": "https://elsewhere.test"}) is first
    assert context_of(connect("async", None, secure)) is first
    assert context_of({"url": secure, "verify": False}) is not first
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert context_of({"url": secure}) is not first
    assert context_of({"url": secure, "trust_env": False}) is first


def test_a_file_of_certificates_that_was_renewed_is_read_again(stub: type[Connection], tmp_path: Any) -> None:
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    file.write_bytes(authority.cert_pem.bytes())
    settings = {"url": "https://keystone.test", "verify": str(file)}
    first = context_of(settings)
    assert context_of(settings) is first

    file.write_bytes(trustme.CA().cert_pem.bytes())

    assert context_of(settings).get_ca_certs() != first.get_ca_certs()


def test_an_ssl_context_of_the_user_is_used_unchanged(stub: type[Connection]) -> None:
    mine = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert context_of({"url": "https://keystone.test", "verify": mine}) is mine
    assert context_of(connect("async", None, "https://keystone.test", verify=mine)) is mine


def test_without_verification_nothing_is_checked(stub: type[Connection]) -> None:
    context = context_of({"url": "https://keystone.test", "verify": False})
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


def test_over_plain_http_the_tls_context_trusts_no_certificate(stub: type[Connection]) -> None:
    """It is not needed there; if it were used, verification would fail."""
    context = context_of({"url": "http://keystone.test"})
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.get_ca_certs() == []
