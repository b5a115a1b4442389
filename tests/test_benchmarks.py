"""The benchmarks of endurance keep their promises on a small scale: they end with status 0."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
SMALL = {
    "cancel.py": ["--calls", "60"],
    "outage.py": ["--seconds", "0.5", "--tasks", "20"],
    "soak.py": ["--calls", "400"],
}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="they ask Linux what a process holds")
@pytest.mark.parametrize("name", SMALL)
def test_nothing_leaks_hangs_or_fails(name: str) -> None:
    command = [sys.executable, "-W", "error", str(BENCHMARKS / name), *SMALL[name]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
