"""Dumps of a world as JSON: they load unchanged, and anything else is refused with the reason."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from keystone_client_testing import FakeKeystone


@pytest.fixture
def other() -> FakeKeystone:
    return FakeKeystone()


def fill(fake: FakeKeystone) -> None:
    request = fake.add.request(team=fake.add.team(name="Ä"), assignees=[1], active="2024-01-05")
    for resource in ("allocation", "attachment", "comment", "review", "grant", "publication", "notification"):
        getattr(fake.add, resource)(**({"request": request} if resource in ("attachment", "comment") else {}))
    fake.add.preference(request_expiry_thresholds={"$": ["date", "x"], "a": [{"$": 1}]})
    fake.add.user(username="bob", password="a long one")
    fake.add.task_result()


def test_a_loaded_world_answers_as_the_dumped_one(fake: FakeKeystone, other: FakeKeystone) -> None:
    fill(fake)
    fake.add_demo_data()
    other.load(fake.dump())
    assert other.dump() == fake.dump()
    with fake.client() as here, other.client() as there:
        for path in (
            "allocations/requests",
            "users/users",
            "research/grants",
            "notifications/preferences",
            "logs/audit",
        ):
            query = f"{path}/?_order=id&_limit=1000"
            assert there.http_get(query).json() == here.http_get(query).json()


def test_passwords_uploads_tokens_and_ids_survive(fake: FakeKeystone, other: FakeKeystone) -> None:
    fill(fake)
    token = fake.add.token("bob")
    team = fake.add.team()
    fake.world.store.remove("team", team["id"])
    text = fake.dump()
    assert "a long one" not in text
    other.load(text)
    with other.client("bob") as client:
        client.logout()
        client.login("bob", "a long one")
    assert other.world.store.files == fake.world.store.files
    assert other.world.sessions.tokens[token] == other.add.user_id("bob")
    assert other.add.team()["id"] == team["id"] + 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no dump of a fake Keystone"),
        ("[]", "no dump of a fake Keystone"),
        ('{"a": 1}', "no dump of a fake Keystone"),
        ('{"version": 99}', "has version 99; this package reads version 1"),
        ('{"version": 1, "tables": 5}', "damaged"),
        ('{"version": 1, "tables": {"$": ["decimal", "abc"]}}', "no dump of a fake Keystone"),
        ("[" * 100_000, "no dump of a fake Keystone"),
    ],
)
def test_anything_but_a_dump_is_refused_and_changes_nothing(fake: FakeKeystone, text: str, complaint: str) -> None:
    before = fake.dump()
    with pytest.raises(ValueError, match=complaint):
        fake.load(text)
    assert fake.dump() == before


def test_a_dump_has_its_version(fake: FakeKeystone) -> None:
    assert json.loads(fake.dump())["version"] == 1


def test_the_server_names_a_file_it_cannot_load(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text("{}", encoding="utf-8")
    command = [sys.executable, "-m", "keystone_client_testing", "--port", "0", "--world", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"cannot load {path}" in done.stderr
