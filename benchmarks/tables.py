"""Tables in Markdown: printed, and with ``--write`` put into the page of benchmarks, between their markers.

A table ``threads`` stands on the page between ``<!-- threads -->`` and ``<!-- /threads -->``.
"""

import argparse
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """Return what the figures were measured on."""
    return f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}"


def replaced(page: str, name: str, text: str) -> str:
    """Return a page with another text between two markers.

    Raises:
        LookupError: The page does not have the markers.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = f"{re.escape(start)}.*?{re.escape(end)}"
    page, found = re.subn(pattern, lambda _: f"{start}\n\n{text}\n\n{end}", page, flags=re.DOTALL)
    if found != 1:
        raise LookupError(f"the page has {found} places between {start} and {end}; it must have one")
    return page


class Report:
    """Prints tables as they are measured, and writes them into the page if the command line has ``--write``."""

    def __init__(self, about: str | None) -> None:
        """Read the command line.

        Args:
            about: What ``--help`` prints.
        """
        parser = argparse.ArgumentParser(description=about)
        parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
        self._write = parser.parse_args().write

    def add(self, name: str, text: str) -> None:
        """Print a text, and put it into the page."""
        print(f"{name}\n\n{text}\n", flush=True)
        if self._write:
            PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), name, text), encoding="utf-8")
