"""The mutation run has every module it should have: one that was moved must not drop out of its sample in silence."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_sample_has_mutants_of_every_module_that_is_named() -> None:
    command = [sys.executable, "benchmarks/mutants.py", "--list", "--sample", "100"]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert run.returncode == 0, run.stderr
    assert "--- packages/keystone-client-core/src/keystone_client_core/_filters.py" in run.stdout
    assert "--- packages/keystone-client/src/keystone_client/_" in run.stdout
    assert run.stdout.count("--- packages/") == 100
