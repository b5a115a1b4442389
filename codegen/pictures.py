"""Draw the plots that the documentation shows, by running the blocks of their pages: ``python codegen/pictures.py``.

The blocks run in order against a fake until one of them has made a ``figure``, as a reader would run them.
"""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

from keystone_client_testing import FakeKeystone

DOCS = Path(__file__).resolve().parent.parent / "docs"
PICTURES = {"reports.md": "report-plot.png", "recipes.md": "recipe-plot.png"}
"""The pages with a plot, and the file of the picture."""

_BLOCK = re.compile(r"^(?P<indent> *)```python\n(?P<code>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
_ASYNC_TAB = re.compile(r'^=== "Async"\n(?:\n| {4}.*\n)*', re.MULTILINE)


def main() -> None:
    """Draw every picture again."""
    for page, picture in PICTURES.items():
        figure = figure_of((DOCS / page).read_text(encoding="utf-8"))
        figure.savefig(DOCS / "images" / picture, dpi=120, metadata={"Software": None})


def figure_of(text: str) -> Any:
    """Run the blocks of a page, those for threads only, until there is a figure, and return it."""
    namespace: dict[str, Any] = {}
    with FakeKeystone().serve() as url, contextlib.redirect_stdout(io.StringIO()):
        for found in _BLOCK.finditer(_ASYNC_TAB.sub("", text)):
            code = re.sub(f"^{found['indent']}", "", found["code"], flags=re.MULTILINE)
            exec(code.replace("http://localhost:8000", url.rstrip("/")), namespace)  # safe: pages of this repository
            if "figure" in namespace:
                break
    namespace["client"].close()
    return namespace["figure"]


if __name__ == "__main__":
    main()
