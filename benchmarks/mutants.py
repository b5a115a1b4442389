"""Finds small changes of the code that no test detects: runs the tests of a package against a sample of mutants.

    python benchmarks/mutants.py [--sample 400] [--seed 0] [--jobs 1] [--seconds 60] [--module pages ...] [--list]

Takes mutants of the core and of the client's listing, protocol and bulk parts, as many of each module, and prints the
diff of every one that survives: a behaviour without a test, code that is not needed, or a change that makes no
difference. The same seed and sources give the same sample.

The tests run in a copy of the tree, so work may go on meanwhile. They run once to learn which of them execute which
line. A mutant then has to pass those that execute the changed statement: of each test function the fastest case first,
then the other cases, as many as fit into ``--seconds``; where the statement is executed at import, or by no test, all
tests, those first that execute something of the module. So "survived" means: of these tests none fails. A test that
executes the statement only in a process of its own, and a case that did not fit, are not run. Four hundred take
half an hour to an hour on one core.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from mutant_sample import PARTS, ROOT, Mutant, Part, diff_of, sampled
from mutations import lines_run

NEEDED: Final = ["packages", "conftest.py", "pyproject.toml", "benchmarks/mutant_tests.py"]
"""The files and folders of a copy of the tree."""
SLACK: Final = 30.0
"""Seconds that the tests of a mutant may take on top of three times their usual time."""
HANGS: Final = 60
"""Seconds after which one test counts as failed."""
NO_TESTS: Final = 5
"""The exit status of pytest that has found no test."""


class Reach:
    """Which tests of a part execute which lines, and how long each takes."""

    def __init__(self, part: Part, measured: Path) -> None:
        """Read the file that the plugin wrote."""
        content = json.loads(measured.read_text(encoding="utf-8"))
        self._source = part.source
        self.seconds: dict[str, float] = content["seconds"]
        self._tests = list(self.seconds)
        self._lines: dict[str, dict[str, list[int]]] = content["lines"]

    def tests_for(self, mutant: Mutant, seconds: float) -> list[str]:
        """Return the tests that may notice a mutant, in the order in which to run them."""
        lines = self._lines.get(str(Path(mutant.path).relative_to(self._source)), {})
        near = {test for line in lines_run(mutant.source, mutant.mutation) for test in lines.get(str(line), [])}
        if near:
            found = self._ordered(near)
        else:
            of_module = {test for tests in lines.values() for test in tests}
            found = self._ordered(of_module) + self._ordered(set(range(len(self._tests))) - of_module)
        total = list(accumulate(self.seconds[test] for test in found))
        return found[: max(1, bisect_right(total, seconds))]

    def _ordered(self, numbers: set[int]) -> list[str]:
        """Return the fastest case of each test function, then the other cases."""
        first: list[str] = []
        others: list[str] = []
        functions: set[str] = set()
        for test in sorted((self._tests[number] for number in numbers), key=self.seconds.__getitem__):
            function = test.partition("[")[0]
            (others if function in functions else first).append(test)
            functions.add(function)
        return first + others


class Copy:
    """A copy of the tree that tests run in."""

    def __init__(self, folder: Path) -> None:
        """Copy the tree."""
        self.folder = folder
        for name in NEEDED:
            if (ROOT / name).is_dir():
                ignore = shutil.ignore_patterns("__pycache__", ".hypothesis", ".pytest_cache")
                shutil.copytree(ROOT / name, folder / name, ignore=ignore)
            else:
                shutil.copy(ROOT / name, folder)
        sources = os.pathsep.join(str(path) for path in sorted(folder.glob("packages/*/src")))
        self._environment = {**os.environ, "PYTHONPATH": sources}

    def check(self) -> None:
        """Check that tests import the copy and not the installed packages.

        Raises:
            RuntimeError: They import the installed packages.
        """
        for part in PARTS:
            name = Path(part.source).name
            code = f"import {name}; print({name}.__file__)"
            command = [sys.executable, "-c", code]
            shown = subprocess.run(
                command, cwd=self.folder, env=self._environment, capture_output=True, text=True, check=True, timeout=60
            )
            if Path(shown.stdout.strip()).parent != self.folder / part.source:
                raise RuntimeError(f"{name} is imported from {shown.stdout.strip()}, not from the copy")

    def measure(self, part: Part) -> Reach:
        """Run the tests of a part and record what they execute.

        Raises:
            RuntimeError: They fail on the unchanged code.
        """
        result = self.folder / "measured.json"
        if not self._passes(part.tests, {"MUTANTS_MEASURE": f"{self.folder / part.source}{os.pathsep}{result}"}):
            raise RuntimeError(f"the tests in {', '.join(part.tests)} fail without any change")
        return Reach(part, result)

    def outcome(self, mutant: Mutant, tests: Sequence[str], seconds: float) -> str:
        """Run the tests against a mutant and return the outcome: killed, timeout or survived."""
        chosen = self.folder / "chosen.json"
        chosen.write_text(json.dumps(tests), encoding="utf-8")
        files = sorted({test.partition("::")[0] for test in tests})
        # Bytecode counts as that of a source with the same size and time in seconds: a mutant must not leave any.
        settings = {"MUTANTS_CHOSEN": str(chosen), "PYTHONDONTWRITEBYTECODE": "1"}
        options = ["-o", f"faulthandler_timeout={HANGS}"]
        path = self.folder / mutant.path
        path.write_text(mutant.changed(), encoding="utf-8")
        try:
            passed = self._passes([*options, *files], settings, seconds)
        finally:
            path.write_text(mutant.source, encoding="utf-8")
        return "timeout" if passed is None else "survived" if passed else "killed"

    def _passes(self, arguments: Iterable[str], settings: dict[str, str], seconds: float | None = None) -> bool | None:
        """Return whether tests pass; ``None`` if they take too long."""
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "mutant_tests", "--hypothesis-seed=0"]
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *arguments],
            cwd=self.folder,
            env={**self._environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            # There is no test to run where the names of all have a changed value in them.
            return process.wait(seconds) in (0, NO_TESTS)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # kills the process group, with the children of tests
                process.wait()


def measured(tree: Copy, parts: Iterable[Part]) -> dict[str, Reach]:
    """Return what the tests of each part execute."""
    found = {}
    for part in parts:
        found[part.source] = tree.measure(part)
        seconds = found[part.source].seconds
        print(f"{part.source}: {len(seconds)} tests, {sum(seconds.values()):.0f} s", flush=True)
    return found


def run(mutants: Sequence[Mutant], jobs: int, seconds: float) -> Counter[str]:
    """Run the tests against each mutant and print the outcome."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            copies.put(Copy(Path(folder).resolve() / str(number)))
        first = copies.get()
        first.check()
        reach = measured(first, [part for part in PARTS if any(mutant.part is part for mutant in mutants)])
        copies.put(first)

        def judge(mutant: Mutant) -> str:
            known = reach[mutant.part.source]
            tests = known.tests_for(mutant, seconds)
            tree = copies.get()
            try:
                return tree.outcome(mutant, tests, 3 * sum(map(known.seconds.__getitem__, tests)) + SLACK)
            finally:
                copies.put(tree)

        with ThreadPoolExecutor(jobs) as pool:
            for number, (mutant, outcome) in enumerate(zip(mutants, pool.map(judge, mutants), strict=True), 1):
                outcomes[outcome] += 1
                print(f"{number}/{len(mutants)} {outcome:8} {mutant.path}:{mutant.mutation.line}", flush=True)
                if outcome == "survived":
                    print(diff_of(mutant), flush=True)
    return outcomes


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=400, help="how many mutants; 400 where not given")
    parser.add_argument("--seed", type=int, default=0, help="another seed takes others; 0 where not given")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once, each in a copy of its own; 1")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the tests of a mutant may take; 60")
    parser.add_argument("--module", action="append", default=[], help="only of this module, may be repeated")
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    options = parser.parse_args()
    mutants = sampled(options.sample, options.seed, options.module)
    if not mutants:
        parser.error(f"there is no mutant of {', '.join(options.module)}")
    if options.list:
        for mutant in mutants:
            print(diff_of(mutant))
        return
    outcomes = run(mutants, options.jobs, options.seconds)
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()), f"of {len(mutants)}")


if __name__ == "__main__":
    main()
