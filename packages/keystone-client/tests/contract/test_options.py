"""Clients with other options, clients from the environment, and downloads, through each transport."""

import io
from typing import Any

import pytest
from keystone_client import NotFoundError

from .samples import FIELDS


def test_a_copy_with_other_options_shares_the_session_and_sends_its_own_headers(bench: Any) -> None:
    cid = "12345678-1234-5678-1234-567812345678"
    copy = bench.client.with_options(cid=cid, timeout=20)

    made = bench.made("team", copy.create_team(name=bench.name()))

    assert copy.whoami()["username"] == bench.door.username
    assert [row["cid"] for row in copy.retrieve_audit_log(filters={"cid": cid, "object_id": str(made["id"])})] == [cid]


def test_a_client_from_the_environment_logs_in_by_itself(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "URL": bench.door.url,
        "USERNAME": bench.door.username,
        "PASSWORD": bench.door.password,
    }.items():
        monkeypatch.setenv(f"KEYSTONE_{name}", value)
    client = bench.connect(from_env=True)

    assert client.retrieve_user(filters={"username": bench.door.username})[0]["username"] == bench.door.username
    assert client.whoami()["username"] == bench.door.username


def test_a_download_says_that_the_server_itself_gives_out_no_files(bench: Any) -> None:
    made = bench.make("attachment", **FIELDS["attachment"](bench))
    target = io.BytesIO()

    with pytest.raises(NotFoundError, match="does a web server in front of it publish media/"):
        bench.client.download_attachment(made["id"], target)

    assert target.getvalue() == b""
