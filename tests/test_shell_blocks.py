"""The shell commands of the documentation name what exists: packages, scripts, options of the fake's command."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from keystone_client_testing.__main__ import _parser

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^ *```sh\n(?P<lines>.*?)^ *```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = {"pytest"}
"""Packages from elsewhere that a page installs."""


def commands(*start: str) -> Iterator[list[str]]:
    """Yield the arguments of each command of the pages that begins with these words."""
    for page in PAGES:
        for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
            for line in block["lines"].splitlines():
                words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=", word)]
                if tuple(words[: len(start)]) == start:
                    yield words[len(start) :]


def distributions() -> dict[str, str]:
    """Return the folder of each package of this repository by its name."""
    return {
        tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]: f"./packages/{path.parent.name}"
        for path in ROOT.glob("packages/*/pyproject.toml")
    }


def test_each_package_that_a_page_installs_exists() -> None:
    known = {*distributions(), *distributions().values(), *ELSEWHERE}
    named = {word for arguments in commands("pip", "install") for word in arguments}
    assert named
    assert named <= known


def test_the_options_of_the_fake_that_a_page_shows_are_those_of_its_command() -> None:
    shown = [*commands("python", "-m", "keystone_client_testing")]
    assert shown
    for arguments in shown:
        assert _parser().parse_args(arguments).port == 8000  # the address that the pages use


@pytest.mark.parametrize("arguments", [*commands("hatch", "run")], ids=" ".join)
def test_each_script_that_a_page_runs_exists(arguments: list[str]) -> None:
    environments = tomllib.loads((ROOT / "hatch.toml").read_text(encoding="utf-8"))["envs"]
    assert arguments[0] in environments["default"]["scripts"]
