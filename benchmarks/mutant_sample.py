"""Collects the mutants for ``mutants.py``, and draws a sample spread over the modules."""

import difflib
import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from mutations import Mutation, is_valid, mutations

ROOT: Final = Path(__file__).resolve().parents[1]


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
    source: str
    """Its unchanged text."""
    mutation: Mutation

    def changed(self) -> str:
        """Return the text with the change."""
        return self.mutation.apply(self.source)


def modules_of(part: Part, root: Path = ROOT) -> list[Path]:
    """Return the modules of a part that are written by hand.

    Raises:
        FileNotFoundError: A named module does not exist, so the sample would silently lack it.
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
    """Return the mutants of a module in random order."""
    source = path.read_text(encoding="utf-8")
    all_of = mutations(source)
    draw.shuffle(all_of)
    mutants = (Mutant(part, str(path.relative_to(ROOT)), source, each) for each in all_of)
    return (mutant for mutant in mutants if is_valid(mutant.changed()))


def _in_turns(stock: Iterable[Iterator[Mutant]]) -> Iterator[Mutant]:
    """Yield the first of each module, then the second of each, and so on."""
    waiting = deque(stock)
    while waiting:
        mutants = waiting.popleft()
        for mutant in islice(mutants, 1):
            yield mutant
            waiting.append(mutants)


def diff_of(mutant: Mutant) -> str:
    """Return the change of a mutant as a diff."""
    before, after = (text.splitlines(keepends=True) for text in (mutant.source, mutant.changed()))
    return "".join(difflib.unified_diff(before, after, mutant.path, mutant.path, n=2))
