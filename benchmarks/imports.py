"""Measures importing the packages against importing httpx, each in a new interpreter.

    python benchmarks/imports.py

The first turns compile the modules into a temporary folder, because an installed package has bytecode too. Without it
the generated modules would take far longer.
"""

import os
import subprocess
import sys
import tempfile
from functools import partial
from statistics import median

from compare import report

TIMED = "from time import perf_counter as now; start = now(); {}; print(now() - start)"
HTTPX = "import httpx"
BARS = {
    "import keystone_client_core": 0.4,
    "from keystone_client_core import *": 0.4,  # loads every module; a plain import loads none
    "import keystone_client": 1.35,
}
ROUNDS = 31


def took(statement: str, environment: dict[str, str]) -> float:
    """Return the seconds that an import takes in a new interpreter."""
    command = [sys.executable, "-c", TIMED.format(statement)]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Measure the imports in turns and print the ratios."""
    with tempfile.TemporaryDirectory() as bytecode:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        measure = partial(took, environment={**kept, "PYTHONPYCACHEPREFIX": bytecode})
        times: dict[str, list[float]] = {statement: [] for statement in (HTTPX, *BARS)}
        for turn in range(-2, ROUNDS):
            for statement, taken in times.items():
                seconds = measure(statement)
                if turn >= 0:
                    taken.append(seconds)
    for statement, bar in BARS.items():
        report(f"{statement} / {HTTPX}", median(times[statement]), median(times[HTTPX]), bar)


if __name__ == "__main__":
    main()
