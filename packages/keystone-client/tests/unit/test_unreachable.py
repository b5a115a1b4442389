"""Unreachable servers: the error says why and that nothing was sent; permanent failures are not retried."""

import contextlib
import datetime
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any, NoReturn

import anyio
import pytest
import trustme
from keystone_client import AsyncKeystoneClient, KeystoneClient, RetryPolicy, TransportError

from .sockets import serving

AGES_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
AUTHORITY = trustme.CA()
TRUSTED = ssl.create_default_context()
AUTHORITY.configure_trust(TRUSTED)


def failure_of(runner: str, url: str, **options: Any) -> TransportError:
    """Return the error of a create to an unreachable server, retried without waiting."""
    options = {"retry": RetryPolicy(backoff=0), "trust_env": False, **options}

    def create() -> None:
        with KeystoneClient(url, **options) as client:
            client.create_team(name="t")

    async def create_in_task() -> None:
        async with AsyncKeystoneClient(url, **options) as client:
            await client.create_team(name="t")

    with pytest.raises(TransportError) as caught:
        create() if runner == "sync" else anyio.run(create_in_task, backend=runner)
    assert caught.value.outcome == "not sent"
    return caught.value


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)


@pytest.mark.usefixtures("no_names")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_unresolvable_host_is_retried(runner: str, scheme: str) -> None:
    error = failure_of(runner, f"{scheme}://keystone.invalid", verify=TRUSTED)
    assert error.attempts == 4
    assert "Name or service not known" in str(error)
    assert "is the host name spelled right" in str(error)


def test_a_refused_connection_is_retried(runner: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = failure_of(runner, f"http://127.0.0.1:{port}")
    assert error.attempts == 4
    assert "is the server running" in str(error)


@contextlib.contextmanager
def greeting(certificate: trustme.LeafCert | None) -> Iterator[tuple[str, list[int]]]:
    """Serve TLS, or non-TLS data if there is no certificate; yield the URL and the peers of the connections."""
    came: list[int] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        certificate.configure_cert(context)

    def act(connection: socket.socket) -> None:
        came.append(connection.getpeername()[1])
        if certificate is None:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        else:
            context.wrap_socket(connection, server_side=True).close()

    with serving(act) as port:
        yield f"https://127.0.0.1:{port}", came


HOPELESS = {
    "another host": (AUTHORITY.issue_cert("elsewhere.example"), "verify failed.*is the host name of the URL"),
    "out of date": (
        AUTHORITY.issue_cert("127.0.0.1", not_before=AGES_AGO, not_after=AGES_AGO + datetime.timedelta(1)),
        "expired.*clock of this machine",
    ),
    "a stranger's": (trustme.CA().issue_cert("127.0.0.1"), "verify failed.*verify= takes a file of CA certificates"),
    "no TLS": (None, "is it http:// that the server speaks"),
}


@pytest.mark.parametrize(("certificate", "message"), HOPELESS.values(), ids=HOPELESS)
def test_a_permanent_tls_failure_is_not_retried(
    runner: str, certificate: trustme.LeafCert | None, message: str
) -> None:
    with greeting(certificate) as (url, came):
        error = failure_of(runner, url, verify=TRUSTED)
    assert error.attempts == len(came) == 1
    assert re.search(message, str(error))
