"""How the tour is told: a heading, the code of a step, and what came of it.

The code that is shown is the code that runs: it is read from the step itself.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable

BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
ASIDES = ("say(", "say_each(", "expect(")


class TourError(Exception):
    """A step did not do what it should."""


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n{BOLD}{text}{PLAIN}")


def say(text: object) -> None:
    """Print what came of a step."""
    print(textwrap.fill(str(text), 116, initial_indent="    ", subsequent_indent="    "))


def say_each(texts: Iterable[object]) -> None:
    """Print several things that came of a step."""
    for text in texts:
        say(text)


def expect(condition: object, what: str) -> None:
    """Break the tour off unless a condition holds.

    Raises:
        TourError: It does not hold.
    """
    if not condition:
        raise TourError(f"expected that {what}")


def announce(number: int, step: Callable[..., object]) -> None:
    """Print a step's heading and its code, without the asides."""
    title(f"{number}. {inspect.getdoc(step)}")
    for line in _code(step):
        print(f"{DIM}  | {line}{PLAIN}")


def _code(step: Callable[..., object]) -> list[str]:
    lines = inspect.getsource(step).splitlines()
    body = lines[next(number for number, line in enumerate(lines) if line.rstrip().endswith('"""')) + 1 :]
    code = [line for line in body if not line.lstrip().startswith(ASIDES)]
    return textwrap.dedent("\n".join(line.partition("  # type:")[0] for line in code)).splitlines()
