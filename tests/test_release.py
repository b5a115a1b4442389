"""A release is refused with what to do about it, and a version is written everywhere at once."""

import importlib
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = "# Changelog\n\n## 1.2.0 (2026-05-04)\n\n### Fixed\n\n- It.\n\n## 1.1.0 (2026-01-02)\n"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "release")
    return importlib.import_module("checks")


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "codegen")
    return importlib.import_module("versions")


def test_what_is_ready_has_no_faults(checks: ModuleType) -> None:
    assert checks.version_faults("1.2.0", "1.2.0") == []
    assert checks.changelog_faults("1.2.0", CHANGELOG, []) == []
    assert checks.tree_faults("") == []
    assert checks.tag_faults("1.2.0", "v1.1.0\nv1.2.0rc1\n", "origin") == []


@pytest.mark.parametrize("wanted", ["1.2", "v1.2.0", "1.2.0-rc1", "1.2.0.dev1", "", "next"])
def test_what_is_no_version_is_refused(versions: ModuleType, wanted: str) -> None:
    with pytest.raises(SystemExit, match="is no version"):
        versions.choose(wanted)


def test_another_version_is_refused_with_the_command_that_writes_it(checks: ModuleType) -> None:
    [fault] = checks.version_faults("1.3.0", "1.2.0")
    assert "hatch run prepare 1.3.0" in fault


@pytest.mark.parametrize("wanted", ["1.3.0", "1.1.0"])
def test_the_changelog_must_begin_with_the_version(checks: ModuleType, wanted: str) -> None:
    [fault] = checks.changelog_faults(wanted, CHANGELOG, [])
    assert f"an entry of {wanted}" in fault


def test_a_fragment_that_is_in_no_entry_is_named(checks: ModuleType) -> None:
    [fault] = checks.changelog_faults("1.2.0", CHANGELOG, ["+more.fixed.md"])
    assert "+more.fixed.md" in fault


def test_what_is_not_committed_is_named(checks: ModuleType) -> None:
    assert checks.tree_faults(" M VERSION\n?? notes.txt\n") == ["not committed: VERSION, notes.txt"]


def test_a_tag_that_is_taken_is_named_with_its_place(checks: ModuleType) -> None:
    [fault] = checks.tag_faults("1.2.0", "abc v1.2.0\n", "origin")
    assert "origin has a tag v1.2.0" in fault


def test_an_entry_that_is_there_gets_the_date_of_the_release(checks: ModuleType) -> None:
    again = checks.dated("1.2.0", CHANGELOG, date(2026, 5, 9))
    assert again == CHANGELOG.replace("## 1.2.0 (2026-05-04)", "## 1.2.0 (2026-05-09)")


@pytest.mark.parametrize("wanted", ["1.3.0", "1.1.0"])
def test_only_the_entry_on_top_is_one_of_the_version_to_come(checks: ModuleType, wanted: str) -> None:
    assert checks.dated(wanted, CHANGELOG, date(2026, 5, 9)) is None


def test_fragments_that_came_after_the_entry_are_named_with_what_to_do(checks: ModuleType) -> None:
    [fault] = checks.late_faults("1.2.0", ["+more.fixed.md"])
    assert "+more.fixed.md" in fault
    assert "git rm" in fault
    assert checks.late_faults("1.2.0", []) == []


def test_the_place_of_the_repository_is_asked_for_until_it_is_told(checks: ModuleType) -> None:
    assert "lacks Source, Changelog, Issues" in checks.url_notes("[project.urls]\n")[0]
    assert checks.url_notes('Source = "a"\nChangelog = "b"\nIssues = "c"\n') == []


def test_links_that_an_index_page_cannot_follow_are_named(checks: ModuleType) -> None:
    [note] = checks.link_notes("[Install](../../docs/install.md), [Keystone](https://example.org), [top](#top)")
    assert "links to ../../docs/install.md:" in note
    assert checks.link_notes("[Keystone](https://example.org)") == []


@pytest.mark.parametrize("text", ["Not published yet: [install it](x).", "pip install ./packages/keystone-client-core"])
def test_a_text_that_calls_the_packages_unpublished_is_named(checks: ModuleType, text: str) -> None:
    assert len(checks.unpublished_notes(text)) == 1
    assert checks.unpublished_notes("pip install keystone-api-client") == []


@pytest.mark.parametrize("script", ["prepare", "release"])
def test_the_version_is_handed_only_to_what_takes_one(script: str) -> None:
    # hatch gives the arguments of a script to each script that it names, so `docs {args}` would be given the version.
    scripts = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))["envs"]["dev"]["scripts"]
    named = [scripts[line.split()[0]] for line in scripts[script] if line.split()[0] in scripts]
    assert [line for line in named if "{args}" in str(line)] == []


def test_the_command_refuses_the_wrong_version_of_this_very_repository() -> None:
    command = [sys.executable, "release/ready.py", "0.0.1"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 1
    assert "hatch run prepare 0.0.1" in run.stderr
    assert "git tag" not in run.stdout


def test_a_version_is_written_wherever_it_is_carried(versions: ModuleType) -> None:
    carrier = (
        '__version__ = "1.0.0"\n'
        '  "keystone-client-core>=1.0.0,<1.1",\n'
        '  "keystone-api-client==1.0.0",  # with a reason\n'
        '  "httpx>=0.28,<1",\n'
    )
    assert versions.render(carrier, "2.3.4rc1") == (
        '__version__ = "2.3.4rc1"\n'
        '  "keystone-client-core>=2.3.4rc1,<2.4",\n'
        '  "keystone-api-client==2.3.4rc1",  # with a reason\n'
        '  "httpx>=0.28,<1",\n'
    )
