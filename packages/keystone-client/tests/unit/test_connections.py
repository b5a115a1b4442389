"""Connections are reused, limited in number, always released and finally closed; TLS contexts and proxies."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import anyio
import httpx
import pytest
import trustme
from keystone_client import AsyncKeystoneClient, ClosedError, KeystoneClient, RequestTimeoutError, TransportError
from keystone_client._transport.tls_and_proxy import proxy_for
from keystone_client_testing import FakeKeystone

from .scripted import URL, Scripted, answer, connect
from .threads import in_threads

ENVIRONMENT = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"]


class Connection(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Replaces httpx's transports: a connection to a server whose answers the tests delay or break."""

    made: ClassVar[list["Connection"]] = []
    busy: ClassVar[int] = 0
    peak: ClassVar[int] = 0
    act: ClassVar[Callable[[], Awaitable[object]] | None] = None

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.closed = 0
        self._pool = SimpleNamespace()  # the client replaces it, and its network backend
        Connection.made.append(self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert not self.closed
        Connection.busy += 1
        Connection.peak = max(Connection.peak, Connection.busy)
        try:
            if Connection.act is not None:
                await Connection.act()
        finally:
            Connection.busy -= 1
        return answer(200, {"id": 1})(request)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return answer(200, {"id": 1})(request)

    async def aclose(self) -> None:
        self.closed += 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def _nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> type[Connection]:
    for name, value in {"made": list[Connection](), "busy": 0, "peak": 0, "act": None}.items():
        monkeypatch.setattr(Connection, name, value)
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", Connection)
    monkeypatch.setattr(httpx, "HTTPTransport", Connection)
    return Connection


def run(backend: str, test: Callable[[], Awaitable[object]]) -> None:
    async def in_time() -> None:
        with anyio.fail_after(60):
            await test()

    anyio.run(in_time, backend=backend)


async def both_permits_are_back(client: AsyncKeystoneClient) -> None:
    """Check that two calls can run at once; otherwise this would block."""
    arrived, go = [anyio.Event(), anyio.Event()], anyio.Event()
    waiting = list(arrived)

    async def hold() -> None:
        waiting.pop().set()
        await go.wait()

    Connection.act = hold
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(client.http_get, "version")
            group.start_soon(client.http_get, "version")
            for event in arrived:
                await event.wait()
            go.set()
    Connection.act = None
    assert all(connection.closed <= 1 for connection in Connection.made)


def two_at_once(**options: Any) -> AsyncKeystoneClient:
    limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
    return AsyncKeystoneClient(URL, limits=limits, retry=None, **options)


def test_cancelled_calls_release_their_permits_and_connections(backend: str, stub: type[Connection]) -> None:
    async def storm() -> None:
        async with two_at_once() as client:
            for turns in range(8):
                stub.act = anyio.sleep_forever
                async with anyio.create_task_group() as group:
                    for _ in range(6):
                        group.start_soon(client.http_get, "version")
                    for _ in range(turns):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
                assert stub.busy == 0
            await both_permits_are_back(client)
        assert all(connection.closed == 1 for connection in stub.made)
        assert stub.peak == 2

    run(backend, storm)


def test_calls_cancelled_while_others_finish_pass_their_permit_on(backend: str, stub: type[Connection]) -> None:
    async def storm() -> None:
        async with two_at_once() as client:
            stub.act = anyio.lowlevel.checkpoint

            async def call(steps: int) -> None:
                async with anyio.create_task_group() as group:
                    group.start_soon(client.http_get, "version")
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()

            async with anyio.create_task_group() as group:
                for number in range(60):
                    group.start_soon(call, number % 12)
            await both_permits_are_back(client)
        assert stub.peak == 2

    run(backend, storm)


@pytest.mark.parametrize(
    "error", [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.ConnectError("x"), RuntimeError("x")]
)
def test_failed_calls_release_their_permit_and_close_their_connection(
    backend: str, error: Exception, stub: type[Connection]
) -> None:
    async def fail() -> None:
        raise error

    async def test() -> None:
        async with two_at_once() as client:
            stub.act = fail
            for _ in range(5):
                with pytest.raises((TransportError, RuntimeError)):
                    await client.http_get("version")
            assert [connection.closed for connection in stub.made] == [1] * 5
            await both_permits_are_back(client)

    run(backend, test)


def test_a_connection_that_cannot_be_opened_releases_its_permit(
    backend: str, stub: type[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Connection, **options: Any) -> None:
        raise ValueError("no such proxy")

    async def test() -> None:
        async with two_at_once() as client:
            with monkeypatch.context() as patch:
                patch.setattr(Connection, "__init__", broken)
                for _ in range(5):
                    with pytest.raises(ValueError, match="no such proxy"):
                        await client.http_get("version")
            await both_permits_are_back(client)

    run(backend, test)


def test_an_async_pool_timeout_reports_that_nothing_was_sent(backend: str, stub: type[Connection]) -> None:
    async def test() -> None:
        async with two_at_once(timeout=httpx.Timeout(None, pool=0.01)) as client:
            stub.act = anyio.sleep_forever
            async with anyio.create_task_group() as group:
                group.start_soon(client.http_get, "version")
                group.start_soon(client.http_get, "version")
                while stub.busy < 2:
                    await anyio.lowlevel.checkpoint()
                with pytest.raises(RequestTimeoutError, match="every connection was in use") as caught:
                    await client.create_team(name="t")
                assert caught.value.outcome == "not sent"
                assert isinstance(caught.value.__cause__, httpx.PoolTimeout)
                group.cancel_scope.cancel()
            await both_permits_are_back(client)

    run(backend, test)


def test_a_pool_timeout_in_a_thread_reports_that_nothing_was_sent() -> None:
    def call() -> None:
        with contextlib.suppress(TransportError):
            client.http_get("version")

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        limits, timeout = httpx.Limits(max_connections=1), httpx.Timeout(None, pool=0.01)
        with KeystoneClient(url, limits=limits, timeout=timeout, retry=None, trust_env=False) as client:
            holder = threading.Thread(target=call, daemon=True)
            holder.start()
            connection, _ = server.accept()
            with pytest.raises(RequestTimeoutError, match="every connection was in use") as caught:
                client.create_team(name="t")
            assert caught.value.outcome == "not sent"
            connection.close()
            holder.join(30)
            assert not holder.is_alive()


def test_connections_are_reused_and_idle_ones_are_limited(backend: str, stub: type[Connection]) -> None:
    async def test() -> None:
        limits = httpx.Limits(max_connections=5, max_keepalive_connections=1)
        async with AsyncKeystoneClient(URL, limits=limits) as client:
            for _ in range(5):
                await client.http_get("version")
            assert len(stub.made) == 1
            stub.act = anyio.lowlevel.checkpoint
            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(client.http_get, "version")
            assert stub.peak == 5
            assert sum(not connection.closed for connection in stub.made) == 1
        assert all(connection.closed == 1 for connection in stub.made)

    run(backend, test)


@pytest.mark.parametrize(("expiry", "closed"), [(5.0, 4), (None, 0)])
def test_idle_async_connections_are_closed_after_the_expiry(
    backend: str, expiry: float | None, closed: int, stub: type[Connection]
) -> None:
    async def test() -> None:
        now = 100.0
        async with AsyncKeystoneClient(URL, limits=httpx.Limits(keepalive_expiry=expiry)) as client:
            stub.act = anyio.lowlevel.checkpoint
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(client.http_get, "version")
            idle = client._driver.here().pool.idle
            idle.clock = lambda: now
            idle.since = type(idle.since)((now, slot) for _, slot in idle.since)
            assert len(idle) == 5
            for _ in range(3):  # one stays in use
                now += 2.0
                await client.http_get("version")
            assert sum(connection.closed for connection in stub.made) == closed
            assert len(stub.made) == 5
            now += 6.0
            await client.http_get("version")
            assert len(stub.made) == (6 if expiry else 5)

    run(backend, test)


@pytest.mark.parametrize("end", ["cancelled", "timed out"])
def test_a_cancelled_tls_handshake_leaves_no_connection_open(backend: str, end: str) -> None:
    """httpcore 1.0.9 leaks the connection of a cancelled handshake."""
    limit = 0.02 if end == "timed out" else None

    async def test(url: str, taken: list[socket.socket]) -> None:
        async with AsyncKeystoneClient(
            url, verify=False, retry=None, timeout=httpx.Timeout(None, connect=limit)
        ) as client:
            for _ in range(5):
                async with anyio.create_task_group() as group:

                    async def call() -> None:
                        with contextlib.suppress(RequestTimeoutError):
                            await client.http_get("version")

                    group.start_soon(call)
                    assert await anyio.to_thread.run_sync(arrived.acquire, True, 30)
                    if end == "cancelled":
                        group.cancel_scope.cancel()
            for connection in taken:  # all but the ClientHello: the end
                while await anyio.to_thread.run_sync(connection.recv, 65536):
                    pass
                ended.append(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        taken: list[socket.socket] = []
        ended: list[socket.socket] = []

        def accept() -> None:
            while len(taken) < 5:
                connection, _ = server.accept()
                connection.settimeout(30)
                taken.append(connection)
                connection.recv(1, socket.MSG_PEEK)  # the ClientHello: before it, anyio may still hold the connection
                arrived.release()

        arrived = threading.Semaphore(0)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        run(backend, lambda: test(f"https://127.0.0.1:{server.getsockname()[1]}", taken))
        thread.join(30)
        assert not thread.is_alive()
        for connection in taken:
            connection.close()
    assert len(ended) == 5


def test_a_call_under_way_when_the_client_is_closed_closes_its_connection(backend: str, stub: type[Connection]) -> None:
    async def test() -> None:
        go = anyio.Event()
        stub.act = go.wait
        client = two_at_once()
        async with anyio.create_task_group() as group:
            group.start_soon(client.http_get, "version")
            while not stub.busy:
                await anyio.lowlevel.checkpoint()
            await client.close()
            go.set()
        assert [connection.closed for connection in stub.made] == [1]

    run(backend, test)


@pytest.mark.parametrize("turns", range(5))
def test_a_cancelled_close_still_closes_every_connection(turns: int, stub: type[Connection]) -> None:
    async def slowly(self: Connection) -> None:
        self.closed += 1
        await asyncio.sleep(0)

    async def test() -> None:
        client = two_at_once()
        await both_permits_are_back(client)
        closing = asyncio.create_task(client.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await closing
        await client.close()
        assert [connection.closed for connection in stub.made] == [1, 1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "aclose", slowly)
        asyncio.run(test())


def test_nothing_is_opened_before_the_first_request(stub: type[Connection]) -> None:
    with KeystoneClient(URL):
        assert stub.made == []
    AsyncKeystoneClient(URL)
    assert stub.made == []


@pytest.mark.parametrize(("expiry", "closed"), [(5.0, 4), (None, 0)])
def test_idle_sync_connections_are_closed_after_the_expiry(
    expiry: float | None, closed: int, stub: type[Connection]
) -> None:
    now = 100.0
    with KeystoneClient(URL, limits=httpx.Limits(keepalive_expiry=expiry)) as client:
        pool: Any = client._driver.connections
        pool.idle.clock = lambda: now
        for _ in range(5):
            assert pool.idle.put(stub())
        for _ in range(3):  # one stays in use
            now += 2.0
            client.http_get("version")
        assert sum(connection.closed for connection in stub.made) == closed
        assert len(stub.made) == 5
        now += 6.0
        client.http_get("version")
        assert len(stub.made) == (6 if expiry else 5)
    assert all(connection.closed == 1 for connection in stub.made)


def test_the_connection_limit_holds_across_threads(stub: type[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    """The server holds its answers back until it has so many requests that all other calls have given up."""
    asked, gave_up = threading.Semaphore(0), threading.Semaphore(0)
    go = threading.Event()

    def hold(self: Connection, request: httpx.Request) -> httpx.Response:
        asked.release()
        assert go.wait(30)
        return answer(200, {"id": 1})(request)

    def call() -> None:
        try:
            client.http_get("version")
        except RequestTimeoutError:
            gave_up.release()

    def let_go() -> None:
        for each in [asked] * 3 + [gave_up] * 5:
            assert each.acquire(timeout=30)
        go.set()

    monkeypatch.setattr(Connection, "handle_request", hold)
    limits, timeout = httpx.Limits(max_connections=3, max_keepalive_connections=2), httpx.Timeout(None, pool=0.01)
    with KeystoneClient(URL, limits=limits, timeout=timeout, retry=None) as client:
        in_threads(*[call] * 8, let_go)
        assert sum(not connection.closed for connection in stub.made) == 2
        in_threads(*[lambda: client.http_get("version")] * 3)
    assert all(connection.closed == 1 for connection in stub.made)


@pytest.mark.parametrize("error", [httpx.ReadError("x"), httpx.ConnectError("x"), RuntimeError("x")])
def test_a_failed_call_in_a_thread_releases_its_permit_and_closes_its_connection(
    error: Exception, stub: type[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Connection, request: httpx.Request) -> httpx.Response:
        raise error

    with KeystoneClient(URL, limits=httpx.Limits(max_connections=1), timeout=1, retry=None) as client:
        with monkeypatch.context() as patch:
            patch.setattr(Connection, "handle_request", fail)
            for _ in range(3):
                with pytest.raises((TransportError, RuntimeError)):
                    client.http_get("version")
        assert [connection.closed for connection in stub.made] == [1] * 3
        assert client.http_get("version").status_code == 200


CALLS: dict[str, Callable[[Any], object]] = {
    "http_get": lambda client: client.http_get("version"),
    "retrieve": lambda client: client.retrieve_team(1),
    "list": lambda client: client.retrieve_team(),
    "iterate": lambda client: client.iterate_team(),
    "count": lambda client: client.count_team(),
    "create": lambda client: client.create_team(name="t"),
    "login": lambda client: client.login("ada", "pw"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("own", [True, False], ids=["own transport", "network"])
def test_use_after_close_is_a_clear_error(colour: str, call: Callable[[Any], object], own: bool) -> None:
    wire = Scripted()
    client = connect(colour, wire if own else None)
    client.close()
    with pytest.raises(ClosedError, match="the client is closed: make a new one"):
        call(client)
    assert wire.requests == []


def test_closing_twice_is_allowed_and_closes_a_custom_transport_once(colour: str) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    client.http_get("version")
    client.close()
    client.close()
    assert wire.closed == 1


def test_a_client_that_was_never_used_can_be_closed(colour: str, stub: type[Connection]) -> None:
    client = connect(colour)
    client.close()
    client.close()
    with pytest.raises(ClosedError):
        client.http_get("version")
    assert stub.made == []


def test_leaving_the_block_closes_even_if_it_raises() -> None:
    wire = Scripted()
    with pytest.raises(KeyError), KeystoneClient(URL, transport=wire) as client:
        raise KeyError
    with pytest.raises(ClosedError):
        client.http_get("version")
    assert wire.closed == 1


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


def test_as_many_connections_are_kept_as_may_be_open(colour: str) -> None:
    client = connect(colour)
    limits = client.client._driver._options.limits
    assert (limits.max_connections, limits.max_keepalive_connections) == (100, 100)
