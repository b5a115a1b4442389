"""The tour runs on the fake, touches a real server only with permission, and fails if a step fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from keystone_client_testing import FakeKeystone

ROOT = Path(__file__).resolve().parent.parent


def tour(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KEYSTONE_")}
    command = [sys.executable, "-W", "error", "demo"]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def server_settings() -> dict[str, str]:
    return {"KEYSTONE_USERNAME": "admin", "KEYSTONE_PASSWORD": "quickstart"}


def test_the_tour_runs_on_the_fake_and_reports_it() -> None:
    run = tour()
    assert run.returncode == 0, run.stdout + run.stderr
    assert "on a fake Keystone at http://127.0.0.1:" in run.stdout
    assert run.stdout.endswith("Every step went as it should.\n")


def test_the_tour_does_not_touch_a_server_unless_writing_is_allowed(server_settings: dict[str, str]) -> None:
    fake = FakeKeystone()
    with fake.serve() as url:
        run = tour(KEYSTONE_URL=url, **server_settings)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "a fake Keystone" in run.stdout
    assert len(fake.journal) == 0


def test_with_writes_allowed_the_tour_runs_on_the_server_and_removes_its_records(
    server_settings: dict[str, str],
) -> None:
    fake = FakeKeystone()
    with fake.serve() as url:
        run = tour(KEYSTONE_URL=url, KEYSTONE_ALLOW_WRITES="1", **server_settings)
        assert run.returncode == 0, run.stdout + run.stderr
        with fake.client() as client:
            assert client.count_team() == client.count_cluster() == client.count_request() == 0
            assert client.count_audit_log() > 0


def test_an_aborted_tour_fails_and_removes_its_records(server_settings: dict[str, str]) -> None:
    fake = FakeKeystone()
    fake.fail("PATCH", "/allocations/requests/", status=500, times=100)
    with fake.serve() as url:
        run = tour(KEYSTONE_URL=url, KEYSTONE_ALLOW_WRITES="1", **server_settings)
        assert run.returncode == 1, run.stdout + run.stderr
        assert "The tour broke off: ServerError: 500" in run.stderr
        with fake.client() as client:
            assert client.count_team() == client.count_cluster() == client.count_request() == 0


def test_writes_allowed_without_a_login_are_an_error() -> None:
    run = tour(KEYSTONE_ALLOW_WRITES="1", KEYSTONE_URL="http://127.0.0.1:9")
    assert run.returncode == 1
    assert "KEYSTONE_USERNAME, KEYSTONE_PASSWORD" in run.stderr
