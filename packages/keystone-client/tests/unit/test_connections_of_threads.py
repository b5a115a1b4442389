"""In threads, connections are reused, limited in number, and always released."""

import contextlib
import socket
import threading
from typing import Any

import httpx
import pytest
from keystone_client import KeystoneClient, RequestTimeoutError, TransportError

from .connection_stub import Connection
from .scripted import URL, answer, connect
from .threads import in_threads

pytestmark = pytest.mark.usefixtures("no_environment")


def test_a_pool_timeout_in_a_thread_reports_that_nothing_was_sent() -> None:
    def call() -> None:
        with contextlib.suppress(TransportError):
            client.http_get("version")

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        limits, timeout = httpx.Limits(max_connections=1), httpx.Timeout(30, pool=0.01)
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


def test_as_many_connections_are_kept_as_may_be_open(colour: str) -> None:
    client = connect(colour)
    limits = client.client._driver._options.limits
    assert (limits.max_connections, limits.max_keepalive_connections) == (100, 100)
