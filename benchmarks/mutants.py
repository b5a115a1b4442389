"""Which small changes of the code no test notices: a sample of mutants, each against the tests of its package.

    python benchmarks/mutants.py [--sample 400] [--seed 0] [--jobs 1] [--module pages ...] [--list]

Takes mutants of the core and of the client's listing, protocol and bulk parts, as many of each module, runs the tests
for each in a copy of the tree, and prints the diff of every one that survives: a behaviour without a test, code that is
not needed, or a change that makes no difference. The same seed and sources give the same sample. Four hundred take
hours; the work tree is never touched, so work may go on meanwhile.
"""

import argparse
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Final, NamedTuple

from mutations import Mutation, is_valid, mutations

ROOT: Final = Path(__file__).resolve().parents[1]
NEEDED: Final = ["packages", "conftest.py", "pyproject.toml"]
"""What a copy of the tree consists of."""
SLACK: Final = 60.0
"""Seconds that the tests of a mutant may take on top of three times what they take without one."""


class Part(NamedTuple):
    """Modules that are tested together."""

    source: str
    """The folder of the package."""
    modules: Sequence[str]
    """Modules, or folders with modules, below it; each must exist. ``*`` is every module."""
    tests: Sequence[str]


PARTS: Final = [
    Part(
        "packages/keystone-client-core/src/keystone_client_core",
        ["*"],
        ["packages/keystone-client-core/tests"],
    ),
    Part(
        "packages/keystone-client/src/keystone_client",
        ["_listing", "_protocol", "_bulk"],
        ["packages/keystone-client/tests/unit", "packages/keystone-client/tests/contract"],
    ),
]


class Mutant(NamedTuple):
    """A changed module."""

    part: Part
    path: str
    """The module, below the root."""
    mutation: Mutation


def modules_of(part: Part, root: Path = ROOT) -> list[Path]:
    """Return the modules of a part that are written by hand.

    Raises:
        FileNotFoundError: One that is named does not exist, so the sample would silently have less in it.
    """
    found: set[Path] = set()
    for name in part.modules:
        folder = root / part.source
        here = (
            set(folder.rglob("*.py")) if name == "*" else {*folder.glob(f"{name}.py"), *folder.glob(f"{name}/**/*.py")}
        )
        if not here:
            raise FileNotFoundError(f"there is no module {name} in {part.source}: has it moved?")
        found |= here
    return sorted(
        path for path in found if not path.read_text(encoding="utf-8").startswith(("# Generated", '"""Generated'))
    )


def sampled(size: int, seed: int, only: Sequence[str] = ()) -> list[Mutant]:
    """Return a sample with as many mutants of each module as it has, up to an equal share."""
    draw = random.Random(seed)
    stock = [
        _shuffled(part, path, draw) for part in PARTS for path in modules_of(part) if not only or path.stem in only
    ]
    draw.shuffle(stock)  # a small sample is spread over both parts
    return list(islice(_in_turns(stock), size))


def _shuffled(part: Part, path: Path, draw: random.Random) -> Iterator[Mutant]:
    """The mutants of a module in a random order, which is drawn at once."""
    source = path.read_text(encoding="utf-8")
    all_of = mutations(source)
    draw.shuffle(all_of)
    return (Mutant(part, str(path.relative_to(ROOT)), each) for each in all_of if is_valid(each.apply(source)))


def _in_turns(stock: Iterable[Iterator[Mutant]]) -> Iterator[Mutant]:
    """The first of each module, the second of each, and so on."""
    waiting = deque(stock)
    while waiting:
        mutants = waiting.popleft()
        for mutant in islice(mutants, 1):
            yield mutant
            waiting.append(mutants)


def diff_of(mutant: Mutant) -> str:
    """Return what a mutant changes."""
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    before, after = (text.splitlines(keepends=True) for text in (source, mutant.mutation.apply(source)))
    return "".join(difflib.unified_diff(before, after, mutant.path, mutant.path, n=2))


class Copy:
    """A copy of the tree that tests run in."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        self.folder = folder
        for name in NEEDED:
            if (ROOT / name).is_dir():
                ignore = shutil.ignore_patterns("__pycache__", ".hypothesis", ".pytest_cache")
                shutil.copytree(ROOT / name, folder / name, ignore=ignore)
            else:
                shutil.copy(ROOT / name, folder / name)
        sources = os.pathsep.join(str(path) for path in sorted(folder.glob("packages/*/src")))
        self._environment = {**os.environ, "PYTHONPATH": sources, "PYTHONDONTWRITEBYTECODE": "1"}

    def check(self) -> None:
        """Make sure that tests see the copy and not what is installed.

        Raises:
            RuntimeError: They do not.
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

    def passes(self, tests: Iterable[str], seconds: float | None = None) -> bool | None:
        """Whether tests pass; ``None`` where they take too long."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # with the children of tests
                process.wait()

    def outcome(self, mutant: Mutant, seconds: float) -> str:
        """Return what becomes of a mutant: killed, timeout or survived."""
        path = self.folder / mutant.path
        source = path.read_text(encoding="utf-8")
        path.write_text(mutant.mutation.apply(source), encoding="utf-8")
        try:
            passed = self.passes(mutant.part.tests, seconds)
        finally:
            path.write_text(source, encoding="utf-8")
        return "timeout" if passed is None else "survived" if passed else "killed"


def limits(tree: Copy, parts: Iterable[Part]) -> dict[str, float]:
    """Return the seconds that the tests of each part may take.

    Raises:
        RuntimeError: They fail without any change.
    """
    found = {}
    for part in parts:
        begin = time.monotonic()
        if not tree.passes(part.tests):
            raise RuntimeError(f"the tests in {', '.join(part.tests)} fail without any change")
        took = time.monotonic() - begin
        found[part.source] = 3 * took + SLACK
        print(f"{part.source}: its tests take {took:.0f} s", flush=True)
    return found


def run(mutants: Sequence[Mutant], jobs: int) -> Counter[str]:
    """Let the tests judge mutants, and print what becomes of each."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            copies.put(Copy(Path(folder).resolve() / str(number)))
        first = copies.get()
        first.check()
        seconds = limits(first, [part for part in PARTS if any(mutant.part is part for mutant in mutants)])
        copies.put(first)

        def judge(mutant: Mutant) -> str:
            tree = copies.get()
            try:
                return tree.outcome(mutant, seconds[mutant.part.source])
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
    """Take the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=400, help="how many mutants; 400 where not given")
    parser.add_argument("--seed", type=int, default=0, help="another seed takes others; 0 where not given")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once, each in a copy of its own; 1")
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
    outcomes = run(mutants, options.jobs)
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()), f"of {len(mutants)}")


if __name__ == "__main__":
    main()
