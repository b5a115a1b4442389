"""The pages of the site in the order of its navigation."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


class Page(NamedTuple):
    """One page of the navigation."""

    section: str
    """The name of the tab that the page is under."""
    name: str
    """The path of its source below ``docs``: ``reference/request.md``."""

    @property
    def source(self) -> str:
        """The Markdown text of the page, without its front matter."""
        text = (DOCS / self.name).read_text(encoding="utf-8")
        return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)

    @property
    def url(self) -> str:
        """Where the page is, below the address of the site: ``reference/request/``; empty for the first page."""
        return re.sub(r"(^|/)index/$", r"\1", self.name.removesuffix(".md") + "/")


def pages() -> list[Page]:
    """Return the pages of the site in the order of its navigation."""
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return [
        Page(section, name) for entry in settings["nav"] for section, inner in entry.items() for name in _names(inner)
    ]


def _names(entry: Any) -> Iterator[str]:
    match entry:
        case str():
            yield entry
        case dict():
            for inner in entry.values():
                yield from _names(inner)
        case list():
            for inner in entry:
                yield from _names(inner)
