"""Misuses are type errors in mypy (strict) and in pyright; correct uses are not."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
USES = ROOT / "tests/typing"
FILES = [str(path) for path in USES.glob("*.py")]
MISUSE = re.compile(r"# ([a-z -]+) / ([a-zA-Z ]+)$")

Findings = dict[str, set[str]]
"""Error codes by ``file:line``."""


def expected(checker: int) -> Findings:
    lines = (USES / "misuses.py").read_text(encoding="utf-8").splitlines()
    marks = ((number, MISUSE.search(line)) for number, line in enumerate(lines, start=1))
    return {f"misuses.py:{number}": set(mark[checker].split()) for number, mark in marks if mark}


def mypy() -> Findings:
    command = [sys.executable, "-m", "mypy", "--strict", "--output=json", "--no-error-summary", *FILES]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert run.stdout.startswith("{"), run.stdout + run.stderr
    found: Findings = defaultdict(set)
    for line in run.stdout.splitlines():
        error = json.loads(line)
        if error["severity"] == "error":
            found[f"{Path(error['file']).name}:{error['line']}"].add(error["code"])
    return found


def test_the_former_names_are_marked_as_deprecated() -> None:
    lines = (USES / "former_names.py").read_text(encoding="utf-8").splitlines()
    marked = [number for number, line in enumerate(lines, start=1) if line.endswith("# deprecated")]
    command = [sys.executable, "-m", "mypy", "--strict", "--enable-error-code=deprecated", "--output=json"]
    run = subprocess.run(
        [*command, str(USES / "former_names.py")], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    errors = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]

    assert [error["line"] for error in errors if error["code"] == "deprecated"] == marked
    assert all("end with 2.0" in error["message"] or "ends with 2.0" in error["message"] for error in errors)


def pyright() -> Findings:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", *FILES]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert run.stdout.startswith("{"), run.stdout + run.stderr
    found: Findings = defaultdict(set)
    for error in json.loads(run.stdout)["generalDiagnostics"]:
        if error["severity"] == "error":
            found[f"{Path(error['file']).name}:{error['range']['start']['line'] + 1}"].add(error["rule"])
    return found


def test_the_list_of_misuses_is_read() -> None:
    assert len(expected(1)) > 40


@pytest.mark.parametrize(("check", "column"), [(mypy, 1), (pyright, 2)], ids=["mypy", "pyright"])
def test_each_misuse_is_an_error_and_nothing_else_is(check: Callable[[], Findings], column: int) -> None:
    assert check() == expected(column)
