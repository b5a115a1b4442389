"""The files of the page on syncing, as a reader saves them: one run at a time, and no sync with half of a directory."""

import fcntl
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from keystone_client_testing import FakeKeystone

PAGE = Path(__file__).resolve().parent.parent / "docs" / "sync.md"
FILE = re.compile(r'^```\w+ title="(?P<name>[\w.]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
PYTHON = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
SEARCH = '#!/bin/sh\ncat found.ldif\nexit "$(cat status)"\n'
"""Stands for ``ldapsearch``: prints a file, and exits with the status in another one."""

pytestmark = pytest.mark.skipif(shutil.which("flock") is None, reason="the script needs flock, a part of util-linux")


@pytest.fixture
def fake() -> FakeKeystone:
    return FakeKeystone()


@pytest.fixture
def folder(fake: FakeKeystone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for file in FILE.finditer(PAGE.read_text(encoding="utf-8")):
        (tmp_path / file["name"]).write_text(file["text"], encoding="utf-8")
    (tmp_path / "people.ldif").rename(tmp_path / "found.ldif")
    (tmp_path / "status").write_text("0")
    program(tmp_path / ".venv" / "bin" / "python", PYTHON)
    program(tmp_path / "bin" / "ldapsearch", SEARCH)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    with fake.serve() as url:
        login = f"KEYSTONE_URL={url}\nKEYSTONE_USERNAME=admin\nKEYSTONE_PASSWORD='quickstart'\n"
        (tmp_path / "keystone.env").write_text(login)
        yield tmp_path


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o755)


def night(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(folder / "nightly.sh"), *options]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, timeout=120)


def test_the_first_night_brings_the_people_and_the_second_has_nothing_to_tell(fake: FakeKeystone, folder: Path) -> None:
    tried = night(folder, "--dry-run")
    assert (tried.returncode, fake.client().count_user()) == (0, 1)
    first = night(folder)
    assert (first.returncode, first.stdout) == (0, tried.stdout)
    assert fake.client().count_membership() == 2
    second = night(folder)
    assert (second.returncode, second.stdout + second.stderr) == (0, "")


def test_a_run_beside_another_one_touches_nothing(fake: FakeKeystone, folder: Path) -> None:
    (folder / "people.ldif").write_text("the file that the other run reads")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = night(folder)
    assert (ended.returncode, ended.stderr) == (3, "another sync is still running\n")
    assert (folder / "people.ldif").read_text() == "the file that the other run reads"
    assert fake.client().count_user() == 1


def test_a_search_that_is_not_complete_ends_the_run_before_anything_is_written(
    fake: FakeKeystone, folder: Path
) -> None:
    (folder / "status").write_text("4")
    assert night(folder).returncode == 4
    assert fake.client().count_user() == 1


def test_a_row_that_is_refused_shows_in_the_status_and_the_others_are_applied(fake: FakeKeystone, folder: Path) -> None:
    with (folder / "found.ldif").open("a") as file:
        file.write("\ndn: uid=no name,ou=people,dc=example,dc=org\nuid: no name\n")
    ended = night(folder)
    assert ended.returncode == 1
    assert "! user" in ended.stdout
    assert fake.client().count_user() == 3


def test_a_login_that_is_refused_shows_in_the_status_and_its_password_nowhere(folder: Path) -> None:
    login = (folder / "keystone.env").read_text()
    (folder / "keystone.env").write_text(login.replace("quickstart", "hunter2"))
    ended = night(folder)
    assert ended.returncode == 2
    assert "hunter2" not in ended.stdout + ended.stderr
