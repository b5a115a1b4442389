"""The loopback server survives malformed requests, and clients that send too much, too slowly, or nothing."""

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from keystone_client_testing import FakeKeystone
from keystone_client_testing.doors import connections
from keystone_client_testing.doors.connections import Connections
from keystone_client_testing.doors.server import MAX_BODY

from .children import needs_ipv6, started


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        yield connection


def said(url: str, *pieces: bytes) -> bytes:
    """Send bytes and return everything the server answers before it closes the connection."""
    with connected(url) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65_536):
                answer += chunk
    return answer


def works(url: str) -> bool:
    return httpx.get(f"{url}version/", trust_env=False).status_code == 200


def token_of_admin(fake: FakeKeystone) -> dict[str, str]:
    return {"Authorization": f"Token {fake.add.token()}"}


HEAD = b"POST /users/teams/ HTTP/1.1\r\nHost: x\r\n"
NONSENSE: dict[str, tuple[bytes, bytes]] = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\r\n\r\n", b""),
    "a long address": (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b" 414 "),
    "a long header": (HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n", b" 431 "),
    "many headers": (HEAD + b"X: x\r\n" * 200 + b"\r\n", b" 431 "),
    "a huge body": (HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1), b" 413 "),
    "a body without end": (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b" 413 "),
    "a negative length": (HEAD + b"Content-Length: -1\r\n\r\n", b" 400 "),
    "a length in other digits": (HEAD + b"Content-Length: \xb2\r\n\r\n", b" 400 "),
    "a chunk of no size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", b" 400 "),
    "a chunk of a negative size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", b" 400 "),
    "a chunk too large": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffff\r\nx", b" 400 "),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_and_the_next_client_is_served(name: str, fake: FakeKeystone) -> None:
    sent, status = NONSENSE[name]
    with fake.serve() as url:
        assert status in said(url, sent).partition(b"\r\n")[0] + b" "
        assert works(url)
    assert [entry for entry in fake.journal if entry.method == "POST"] == []


def test_a_request_that_breaks_off_is_not_acted_on(fake: FakeKeystone) -> None:
    token = fake.add.token().encode()
    body = b"--x\r\nContent-Disposition: form-data; name=name\r\n\r\nHalf\r\n--x--"
    head = HEAD + b"Authorization: Token " + token + b"\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with fake.serve() as url:
        assert said(url, head, b"Content-Length: %d\r\n\r\n" % (len(body) + 10), body) == b""
        assert works(url)
    assert fake.world.store.tables["team"] == {}


def test_slow_clients_do_not_delay_others_and_are_closed_when_too_many_connect(
    fake: FakeKeystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST", 10)
    with fake.serve() as url, contextlib.ExitStack() as slow:
        for _ in range(25):
            slow.enter_context(connected(url)).sendall(b"GET /version/ HTTP/1.1\r\nX: ")
            assert works(url)
        assert len([each for each in threading.enumerate() if "process_request" in each.name]) <= 12


def test_clients_that_never_read_their_answers_do_not_delay_others(
    fake: FakeKeystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST", 5)
    for number in range(100):
        fake.add.grant(title=f"grant {number}", description="x" * 20_000)
    token = fake.add.token().encode()
    request = b"GET /research/grants/ HTTP/1.1\r\nHost: x\r\nAuthorization: Token " + token + b"\r\n\r\n"
    with fake.serve() as url, contextlib.ExitStack() as deaf:
        for _ in range(15):
            deaf.enter_context(connected(url)).sendall(request * 10)  # more than the buffers of a connection hold
            assert works(url)


def test_a_request_that_does_not_arrive_in_time_ends_its_connection(
    fake: FakeKeystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT", 0.05)
    with fake.serve() as url, connected(url) as silent, connected(url) as slow:
        slow.sendall(b"GET /version/ HTTP/1.1\r\n")
        assert (silent.recv(1), slow.recv(1)) == (b"", b"")


def test_an_answered_connection_neither_times_out_nor_counts_as_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 2)
    now = [0.0]
    known = Connections(lambda: now[0])
    pairs = [socket.socketpair() for _ in range(4)]
    for _, theirs in pairs:
        theirs.settimeout(30)
    first, second, third, fourth = (pair[0] for pair in pairs)
    assert known.admit(first)
    assert known.admit(second)
    known.answer(first)
    now[0] = connections.REQUEST_TIMEOUT * 2
    known.shut_late()
    assert pairs[1][1].recv(1) == b""
    assert known.admit(third)
    known.answer(third)
    assert not known.admit(fourth)
    known.wait_for(first)
    assert known.admit(fourth)
    assert pairs[0][1].recv(1) == b""
    for pair in pairs:
        pair[0].close()
        pair[1].close()


def test_stopping_ends_the_connections_and_their_threads(fake: FakeKeystone) -> None:
    before = set(threading.enumerate())
    fake.fail("GET", "version/", error="timeout")
    with contextlib.ExitStack() as clients, fake.serve() as url:
        for text in (b"", b"GET /vers", HEAD + b"Content-Length: 9\r\n\r\n", b"GET /version/ HTTP/1.1\r\n\r\n"):
            clients.enter_context(connected(url)).sendall(text)
    assert set(threading.enumerate()) <= before


def test_a_mistake_of_the_fake_reaches_the_test(fake: FakeKeystone, capfd: pytest.CaptureFixture[str]) -> None:
    del fake.world.store.tables["cluster"]  # whatever makes the engine fail

    def use(url: str) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url}allocations/clusters/", headers=token_of_admin(fake), trust_env=False)
        assert works(url)

    with pytest.raises(RuntimeError, match="the fake failed") as caught, fake.serve() as url:
        use(url)
    assert isinstance(caught.value.__cause__, KeyError)
    assert "KeyError: 'cluster'" in capfd.readouterr().err


def test_a_failure_of_the_test_itself_is_not_replaced_by_a_mistake_of_the_fake(
    fake: FakeKeystone, capfd: pytest.CaptureFixture[str]
) -> None:
    del fake.world.store.tables["cluster"]
    with pytest.raises(httpx.RemoteProtocolError), fake.serve() as url:
        httpx.get(f"{url}allocations/clusters/", headers=token_of_admin(fake), trust_env=False)
    assert "KeyError: 'cluster'" in capfd.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "", pytest.param("::", marks=needs_ipv6)])
def test_an_address_beyond_loopback_is_warned_of(fake: FakeKeystone, host: str) -> None:
    with pytest.warns(UserWarning, match="anyone who can reach this machine") as caught, fake.serve(host=host) as url:
        assert works(url)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.9.10", pytest.param("::1", marks=needs_ipv6)])
def test_loopback_needs_no_warning(fake: FakeKeystone, host: str) -> None:
    with fake.serve(host=host) as url:
        assert works(url)


def test_the_command_warns_loudly_of_an_address_beyond_loopback() -> None:
    command = [sys.executable, "-W", "error", "-m", "keystone_client_testing", "--host", "0.0.0.0", "--port", "0"]
    with started(command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline().startswith("WARNING: the fake Keystone listens on 0.0.0.0: ")
        assert "http://127.0.0.1:" in process.stdout.readline()
        process.terminate()
        assert process.wait(10) == 0
