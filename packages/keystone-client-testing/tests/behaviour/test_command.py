"""``python -m keystone_client_testing``: where it serves, what it prints, and how it ends."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client_testing import FakeKeystone
from keystone_client_testing.__main__ import main, say
from keystone_client_testing.doors.connections import NO_SOCKET

from .children import needs_ipv6, started

COMMAND = [sys.executable, "-m", "keystone_client_testing", "--port", "0"]


@contextmanager
def serving(*options: str) -> Iterator[str]:
    with started([*COMMAND, *options]) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        yield process.stdout.readline().split()[3]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


def log_in(url: str) -> str:
    with KeystoneClient(url, trust_env=False) as client:
        client.login("admin", "quickstart")
        client.create_team(name="Physics")
        return client.base_url


async def log_in_async(url: str) -> int:
    async with AsyncKeystoneClient(url, trust_env=False) as client:
        await client.login("admin", "quickstart")
        return await client.count_team()


@needs_ipv6
@pytest.mark.parametrize("host", ["::1", "[::1]", "0:0:0:0:0:0:0:1"])
def test_the_command_serves_on_ipv6(host: str) -> None:
    with serving("--host", host) as url:
        assert url.startswith("http://[")
        assert log_in(url) == url
        assert anyio.run(log_in_async, url) == 1


@needs_ipv6
def test_a_fake_serves_on_ipv6_with_links_that_lead_back_to_it(fake: FakeKeystone) -> None:
    with fake.serve(host="::1") as url:
        assert url.startswith("http://[::1]:")
        assert log_in(url) == url
        fake.add.team()
        with KeystoneClient(url, page_size=1, trust_env=False) as client:
            client.login("admin", "quickstart")
            assert [team["id"] for team in client.iterate_team()] == [1, 2]
        with fake.client() as client:
            assert {row["remote_address"] for row in client.retrieve_request_log()} == {"::1"}
        with FakeKeystone().mock():  # loopback passes through
            assert httpx.get(f"{url}version/", trust_env=False).text == "0.0.0"


@needs_ipv6
def test_a_server_on_all_ipv6_addresses_is_reached_by_the_ipv6_loopback(fake: FakeKeystone) -> None:
    with pytest.warns(UserWarning, match="listens on ::"), fake.serve(host="::") as url:
        assert httpx.get(f"{url}version/", trust_env=False).text == "0.0.0"


@needs_ipv6
def test_a_socket_fault_works_on_ipv6_too(fake: FakeKeystone) -> None:
    fake.fail("GET", "version", error="reset")
    with fake.serve(host="::1") as url, pytest.raises(httpx.TransportError):
        httpx.get(f"{url}version/", trust_env=False)


def test_an_address_this_machine_does_not_have_is_a_readable_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", "2001:db8::1", "--port", "8000"]) == 1
    assert "cannot serve on [2001:db8::1]:8000: " in capsys.readouterr().err
    assert main(["--host", "192.0.2.1", "--port", "8000"]) == 1
    assert "cannot serve on 192.0.2.1:8000: " in capsys.readouterr().err
    assert main(["--host", "no:address", "--port", "8000"]) == 1
    assert "cannot serve on [no:address]:8000: " in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--port", "65536"], ["--port", "-1"], ["--journal", "-1"], ["--journal", "x"]])
def test_an_invalid_number_is_a_readable_error(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(options)
    assert caught.value.code == 2
    assert "is no number from 0" in capsys.readouterr().err


def test_an_invalid_port_is_refused(fake: FakeKeystone) -> None:
    with pytest.raises(ValueError, match="port=65536 is none"), fake.serve(port=65_536):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_closed_output_pipe_is_no_error_when_the_server_stops(number: signal.Signals) -> None:
    """As in ``python -m keystone_client_testing | head -1``."""
    with started(COMMAND) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


def test_an_output_pipe_closed_from_the_start_does_not_keep_the_server_from_serving() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:
        say("Fake Keystone at ...", stream)
        say("stopped", stream)  # leaving the block flushes, as Python does at exit


def test_the_journal_of_a_server_is_bounded_unless_another_number_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []

    class Stop(Exception):
        pass

    def keep(world: object, host: str, port: int) -> None:
        kept.append(world)
        raise Stop

    monkeypatch.setattr("keystone_client_testing.__main__.Server", keep)
    for options, most in (([], 1000), (["--journal", "2"], 2)):
        with pytest.raises(Stop):
            main(options)
        journal = kept[-1].journal  # type: ignore[attr-defined]
        for number in range(most + 5):
            journal.append(number)
        assert len(journal) == most


def test_the_error_for_a_blocked_socket_says_how_to_allow_it(
    fake: FakeKeystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BlockedError(RuntimeError):
        """What pytest-socket raises."""

    def refuse(*_: object, **__: object) -> None:
        raise BlockedError

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(BlockedError) as caught, fake.serve():
        pass
    assert caught.value.__notes__ == [NO_SOCKET]
