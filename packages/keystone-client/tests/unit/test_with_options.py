"""``with_options``: a copy of the client with other options that shares its session and connections."""

import gc
import os
import signal
from typing import Any

import httpx
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    ClosedError,
    DeadlineExceededError,
    FieldError,
    InvalidCIDError,
    KeystoneClient,
    RequestTimeoutError,
    RetryPolicy,
)
from keystone_client_testing import FakeKeystone

from .scripted import Player, Scripted, answer, connect, failure, page
from .threads import until

CID = "9d1b7a52-6c1e-4f6f-9f0a-0d6d4d1f8a11"


def with_options(client: Any, **options: Any) -> Any:
    """Return a copy of a scripted client with other options."""
    return Player(client.client.with_options(**options))


def test_a_timeout_holds_for_the_calls_made_through_the_copy_alone(colour: str) -> None:
    wire = Scripted(answer(200, {"id": 1}))
    client = connect(colour, wire)
    quick = with_options(client, timeout=0.5)
    quick.retrieve_team(1)
    client.retrieve_team(1)
    with_options(quick, timeout=None).retrieve_team(1)
    assert [request.extensions["timeout"]["read"] for request in wire.requests] == [0.5, 15.0, None]


def test_the_default_sentinel_of_httpx_keeps_the_timeout(colour: str) -> None:
    wire = Scripted(answer(200, {"id": 1}))
    with_options(connect(colour, wire), timeout=httpx.USE_CLIENT_DEFAULT).retrieve_team(1)
    assert wire.requests[0].extensions["timeout"]["read"] == 15.0


def test_headers_are_added_to_those_of_the_client_and_replace_the_ones_of_the_same_name(colour: str) -> None:
    wire = Scripted(page())
    client = connect(colour, wire, headers={"X-Tenant": "a", "Accept-Language": "de"})
    tenant = with_options(client, headers={"x-tenant": "b"})
    with_options(tenant, headers={"X-Portal": "p"}).retrieve_team(filters={"name": "x"})
    client.retrieve_team()
    (first, second) = wire.requests
    assert (first.headers["x-tenant"], first.headers["x-portal"], first.headers["accept-language"]) == ("b", "p", "de")
    assert second.headers["x-tenant"] == "a"
    assert "x-portal" not in second.headers


@pytest.mark.parametrize("name", ["X-KEYSTONE-CID", "Cookie", "Authorization", "Host"])
def test_reserved_headers_are_refused(name: str) -> None:
    with pytest.raises(FieldError, match=name):
        KeystoneClient("http://keystone.test").with_options(headers={name: "x"})


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"timeout": -1}, FieldError),
        ({"timeout": "5"}, FieldError),
        ({"retry": 3}, FieldError),
        ({"cid": "x"}, InvalidCIDError),
        ({"headers": {"a": "b\r\nc"}}, FieldError),
        ({"headers": ["a"]}, FieldError),
    ],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        KeystoneClient("http://keystone.test").with_options(**options)


def test_a_correlation_id_is_sent_logged_and_told_by_errors(colour: str, caplog: pytest.LogCaptureFixture) -> None:
    wire = Scripted(answer(404, {"detail": "gone"}))
    client = connect(colour, wire)
    request = with_options(client, cid=CID)
    assert request.client.cid == CID
    with caplog.at_level("INFO"), pytest.raises(Exception, match="404") as caught:
        request.retrieve_team(1, raise_not_exists=True)
    assert wire.requests[0].headers["x-keystone-cid"] == CID
    assert caught.value.cid == CID  # type: ignore[attr-defined]
    assert {record.__dict__["cid"] for record in caplog.records} == {CID}
    assert with_options(request, cid=None).client.cid not in (CID, client.client.cid)


def test_retries_can_be_switched_off_and_on(colour: str) -> None:
    wire = Scripted(failure(httpx.ReadTimeout))
    client = connect(colour, wire)
    with pytest.raises(RequestTimeoutError) as caught:
        with_options(client, retry=None).retrieve_team(1)
    assert caught.value.attempts == len(wire.requests) == 1
    with pytest.raises(RequestTimeoutError):
        with_options(client, retry=RetryPolicy(attempts=2)).retrieve_team(1)
    assert len(wire.requests) == 3


def test_a_deadline_of_the_copy_ends_its_calls_and_not_those_of_the_client(colour: str) -> None:
    wire = Scripted(answer(503))
    client = connect(colour, wire)
    with pytest.raises(DeadlineExceededError):
        with_options(client, retry=RetryPolicy(attempts=100, deadline=1)).retrieve_team(1)
    assert len(wire.requests) < 10


def test_every_kind_of_call_has_the_options(colour: str) -> None:
    fake = FakeKeystone()
    client = with_options(connect(colour, fake.transport, fake.url), cid=CID, headers={"X-Portal": "p"})
    client.login("admin", "quickstart")
    team = client.create_team(name="a")
    client.update_cluster(client.create_cluster(name="c")["id"], {"description": "x"})
    client.http_get("users/teams/")
    client.count_team()
    list(client.iterate_team())
    client.bulk_create_cluster([{"name": "b"}])
    client.follow_request_log()
    client.retrieve_version()
    client.retrieve_config()
    client.delete_team(team["id"])
    client.logout()
    assert len(fake.journal) >= 10
    for entry in fake.journal:
        assert entry.headers["x-keystone-cid"] == CID, entry
        assert entry.headers["x-portal"] == "p", entry


def test_login_and_logout_through_the_copy_hold_for_the_client(colour: str) -> None:
    fake = FakeKeystone()
    client = connect(colour, fake.transport, fake.url)
    copy = with_options(client, timeout=3)
    copy.login("admin", "quickstart")
    assert client.is_authenticated()
    client.logout()
    assert not copy.is_authenticated()


def test_closing_the_copy_closes_nothing_and_closing_the_client_closes_both(colour: str) -> None:
    wire = Scripted(answer(200, {"id": 1}))
    client = connect(colour, wire)
    copy = with_options(client, timeout=3)
    copy.close()
    client.retrieve_team(1)
    client.close()
    assert wire.closed == 1
    with pytest.raises(ClosedError):
        copy.retrieve_team(1)


def test_the_copy_uses_the_connections_of_the_client_and_keeps_it_alive() -> None:
    fake = FakeKeystone()
    with fake.serve() as url:
        client = KeystoneClient(url)
        client.retrieve_version()
        copy = client.with_options(timeout=3)
        del client
        gc.collect()  # dropping a client with open connections warns, and warnings are errors here
        assert copy.retrieve_version()
        pool: Any = copy._driver.connections
        assert len(pool.idle) == 1
        copy._driver.close()


def test_a_subclass_keeps_its_class_and_attributes() -> None:
    class Portal(KeystoneClient):
        def __init__(self, url: str) -> None:
            super().__init__(url)
            self.tenant = "a"

    copy = Portal("http://keystone.test").with_options(timeout=1)
    assert isinstance(copy, Portal)
    assert copy.tenant == "a"


def test_an_iteration_keeps_the_options_it_began_with(colour: str) -> None:
    fake = FakeKeystone()
    for number in range(3):
        fake.add.team(name=f"team {number}")
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    copy = with_options(client, cid=CID)
    assert len(list(copy.iterate_team(page_size=1))) == 3
    listed = [entry for entry in fake.journal if entry.path == "/users/teams/"]
    assert {entry.headers["x-keystone-cid"] for entry in listed} == {CID}


def status_of(child: int) -> int:
    """Wait for the end of a child and return its status; end one that deadlocks."""
    ended: list[int] = []

    def has_ended() -> bool:
        pid, status = os.waitpid(child, os.WNOHANG)
        ended.extend([status] * bool(pid))
        return bool(ended)

    try:
        until(has_ended)
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    return ended[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_the_copy_follows_its_client_through_a_fork() -> None:
    fake = FakeKeystone()
    with fake.serve() as url, KeystoneClient(url) as client:
        client.login("admin", "quickstart")
        copy = client.with_options(timeout=10)
        child = os.fork()
        if child == 0:
            os._exit(0 if copy.is_authenticated() and copy._driver is client._driver else 1)
        assert status_of(child) == 0
        assert copy.is_authenticated()


def test_the_repr_of_the_options_hides_headers() -> None:
    copy = AsyncKeystoneClient("http://keystone.test").with_options(headers={"X-Secret": "s3cr3t"})
    assert "s3cr3t" not in f"{copy!r} {vars(copy)!r}"
