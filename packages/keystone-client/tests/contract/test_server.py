"""Information about the server: settings, health, version, statistics, choices."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from keystone_client import FieldError, FilterError, RequestStatus
from keystone_client_core import server

from .conftest import DATABASE, LIVE
from .samples import request, team

ROOT = Path(__file__).resolve().parents[4]
LARGER = "max=2147483647 -> int {0} min=0 max=9223372036854775807"
AGREED = {
    "postgresql": "The facts agree with the document.\n",
    "sqlite": f"""\
allocation.awarded: int nullable min=0 {LARGER.format("nullable")}
allocation.final: int nullable min=0 {LARGER.format("nullable")}
allocation.requested: int required min=0 {LARGER.format("required")}
""",
}
"""What a comparison with the server's document prints. The table has the bounds of PostgreSQL, on which production
runs, and SQLite has larger integers: these three are all that may differ there."""


def test_the_settings_are_returned(bench: Any) -> None:
    config = bench.client.retrieve_config()

    assert set(server.ServerConfig.__annotations__) <= set(config)
    assert config["max_upload_size"] > 0
    assert "text/plain" in config["allowed_file_types"]


def test_health_and_version_need_no_login(bench: Any) -> None:
    anonymous = bench.connect()

    checks = anonymous.retrieve_health()

    assert "Database" in [check["check"] for check in checks]
    assert all(set(server.HealthCheck.__annotations__) == set(check) for check in checks)
    assert anonymous.retrieve_version() == bench.client.retrieve_config()["version"]


@pytest.mark.parametrize("kind", ["grant", "publication", "request", "notification"])
def test_statistics_have_the_fields_of_their_types(bench: Any, kind: str) -> None:
    stats = getattr(bench.client, f"retrieve_{kind}_stats")()

    assert set(stats) == set(getattr(server, f"{kind.title()}Stats").__annotations__)


def test_statistics_can_be_filtered(bench: Any) -> None:
    request(bench)

    mine = bench.client.retrieve_request_stats(filters={"team": team(bench)})

    assert (mine["request_count"], mine["request_pending_count"]) == (1, 1)
    with pytest.raises(FilterError, match="Did you mean 'title'"):
        bench.client.retrieve_request_stats(filters={"titel": "x"})
    with pytest.raises(FilterError, match="id__in"):
        bench.client.retrieve_request_stats(filters={"id__in": []})


def test_choices_are_codes_with_labels(bench: Any) -> None:
    assert set(bench.client.retrieve_choices("request", "status")) == set(RequestStatus)
    for name, field in (
        ("membership", "role"),
        ("review", "status"),
        ("cluster", "access_mode"),
        ("notification", "notification_type"),
    ):
        assert bench.client.retrieve_choices(name, field)
    with pytest.raises(FieldError, match="'access_mode'"):
        bench.client.retrieve_choices("cluster", "name")


@pytest.mark.skipif(not LIVE, reason="the document of the fake is made of the same table")
def test_the_resource_table_matches_the_server(bench: Any) -> None:
    command = [sys.executable, "codegen/rebuild.py", "--check", bench.door.url]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert run.stdout == AGREED[DATABASE]


def test_once_the_limits_are_known_larger_files_are_refused_before_sending(bench: Any) -> None:
    wanted = request(bench)
    most = bench.client.retrieve_config()["max_upload_size"]

    with pytest.raises(FieldError, match=f"1 to {most:,}"):
        bench.client.create_attachment(request=wanted, file=b"x" * (most + 1), filename="a.txt")
    with pytest.raises(FieldError, match="0 bytes"):
        bench.client.create_attachment(request=wanted, file=b"", filename="a.txt")
    with pytest.raises(FieldError, match="0 bytes"), bench.client.batch() as job:
        job.create_attachment(request=wanted, file=b"", filename="a.txt")
    for filename in ("setup.exe", "README", ".txt"):
        with pytest.raises(FieldError, match="text/plain"):
            bench.client.create_attachment(request=wanted, file=b"x", filename=filename)

    assert bench.client.count_attachment(filters={"request": wanted}) == 0
