"""Prints the tour: for each step a heading, its code and its result.

The printed code is the code that runs: it is read from the function of the step.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable

BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
ASIDES = ("say(", "say_each(", "expect(")


class TourError(Exception):
    """A step did not have the expected result."""


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n{BOLD}{text}{PLAIN}")


def say(text: object) -> None:
    """Print a result of a step."""
    print(textwrap.fill(str(text), 116, initial_indent="    ", subsequent_indent="    "))


def say_each(texts: Iterable[object]) -> None:
    """Print several results of a step."""
    for text in texts:
        say(text)


def expect(condition: object, what: str) -> None:
    """Check the result of a step.

    Raises:
        TourError: The condition does not hold. The error ends the tour.
    """
    if not condition:
        raise TourError(f"expected that {what}")


def announce(number: int, step: Callable[..., object]) -> None:
    """Print the heading of a step, its docstring, and its code without the calls that only print and check."""
    title(f"{number}. {inspect.getdoc(step)}")
    for line in _code(step):
        print(f"{DIM}  | {line}{PLAIN}")


def _code(step: Callable[..., object]) -> list[str]:
    lines = inspect.getsource(step).splitlines()
    body = lines[next(number for number, line in enumerate(lines) if line.rstrip().endswith('"""')) + 1 :]
    code = [line for line in body if not line.lstrip().startswith(ASIDES)]
    return textwrap.dedent("\n".join(line.partition("  # type:")[0] for line in code)).splitlines()
