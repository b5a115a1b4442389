"""Importing the packages against importing httpx, each in a fresh interpreter.

    python benchmarks/imports.py

The modules are compiled first, into a folder of their own: without bytecode the generated ones take far longer, and
an installed package has it.
"""

import os
import subprocess
import sys
import tempfile
from functools import partial
from statistics import median

from compare import report

IMPORT = "from time import perf_counter as now; start = now(); import {}; print(now() - start)"
BARS = {"keystone_client_core": 0.4, "keystone_client": 1.35}
ROUNDS = 31


def took(module: str, environment: dict[str, str]) -> float:
    """The seconds one import takes in a new interpreter."""
    command = [sys.executable, "-c", IMPORT.format(module)]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Measure turn by turn and print the ratios."""
    with tempfile.TemporaryDirectory() as bytecode:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        measure = partial(took, environment={**kept, "PYTHONPYCACHEPREFIX": bytecode})
        modules = ("httpx", *BARS)
        times: dict[str, list[float]] = {module: [] for module in modules}
        for turn in range(-2, ROUNDS):
            for module in modules:
                taken = measure(module)
                if turn >= 0:
                    times[module].append(taken)
    for module, bar in BARS.items():
        report(f"import {module} / import httpx", median(times[module]), median(times["httpx"]), bar)


if __name__ == "__main__":
    main()
