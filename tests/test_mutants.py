"""The mutation run covers every module it should, and runs the tests that can detect each mutant."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = """\
LIMIT = 3

def first(names, most=4):
    if len(names) > most:
        return names[
            5]
    return names
"""


def test_a_sample_has_mutants_of_every_module_that_is_named() -> None:
    command = [sys.executable, "benchmarks/mutants.py", "--list", "--sample", "100"]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert run.returncode == 0, run.stderr
    assert "--- packages/keystone-client-core/src/keystone_client_core/_filters.py" in run.stdout
    assert "--- packages/keystone-client/src/keystone_client/_" in run.stdout
    assert run.stdout.count("--- packages/") == 100


@pytest.mark.parametrize(
    ("changed", "lines"),
    [("3", []), ("4", [4, 5, 6, 7]), ("len(names) > most", [4]), ("5", [5, 6])],
    ids=["a constant of the module", "a default", "a condition", "a statement of two lines"],
)
def test_a_mutant_is_noticed_where_the_changed_statement_is_executed(
    changed: str, lines: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module("mutations")
    [mutation] = [each for each in module.mutations(SOURCE) if SOURCE[each.start : each.end] == changed]

    assert list(module.lines_run(SOURCE, mutation)) == lines
