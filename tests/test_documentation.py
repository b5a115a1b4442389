"""Every Python block of the documentation runs, and prints what the documentation says it prints.

The blocks of a page run in order, in one namespace, against a fake in place of ``http://localhost:8000``: twice on one
of its own, and once on one on which all pages run in the order of the navigation, as on that of a reader. A block
``text`` directly after a Python block is its expected output; ``...`` in it stands for anything. Blocks with tests in
them go through pytest.
"""

import ast
import contextlib
import doctest
import io
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from keystone_client_testing import FakeKeystone

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")])
FENCED = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    line: int
    code: str
    prints: str | None

    @property
    def has_tests(self) -> bool:
        return re.search(r"^(async )?def test_", self.code, re.MULTILINE) is not None


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(text.count("\n", 0, found.start(1)), found[1], found[2]) for found in FENCED.finditer(text)]


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """Remove the handlers that a page adds to the client's logger."""
    log = logging.getLogger("kclient")
    handlers, level = list(log.handlers), log.level
    yield
    log.handlers[:] = handlers
    log.setLevel(level)


def in_reading_order() -> list[Path]:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    first = [ROOT / "README.md", *(ROOT / "docs" / name for name in re.findall(r"\S+\.md", navigation))]
    return [*first, *(page for page in PAGES if page not in first)]


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run_and_print_what_it_says_also_a_second_time(page: Path) -> None:
    with FakeKeystone().serve() as url:
        run_page(page, url)
        run_page(page, url)


@pytest.mark.usefixtures("quiet_log")
def test_the_pages_run_in_reading_order_on_one_server() -> None:
    with FakeKeystone().serve() as url:
        for page in in_reading_order():
            run_page(page, url)


def run_page(page: Path, url: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if not block.has_tests:
            printed = run(block, page, namespace, url.rstrip("/"))
            if block.prints is not None:
                assert_prints(block.prints, printed)


def run(block: Block, page: Path, namespace: dict[str, Any], url: str) -> str:
    code = "\n" * block.line + block.code.replace("http://localhost:8000", url)
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        exec(compile(code, str(page), "exec"), namespace)  # safe: the documentation is part of the repository
    return output.getvalue().replace(url, "http://localhost:8000")


def assert_prints(said: str, printed: str) -> None:
    assert doctest.OutputChecker().check_output(said, printed, doctest.ELLIPSIS), f"{said}\n--- printed:\n{printed}"


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.has_tests for block in blocks(page))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_the_tests_a_page_shows_pass(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(block for block in blocks(page) if block.has_tests):
        (tmp_path / f"test_{number}.py").write_text(block.code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert shown.returncode == 0, shown.stdout + shown.stderr


def test_the_import_the_documentation_explains_is_the_one_the_demo_runs() -> None:
    source = (ROOT / "demo" / "people.py").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert functions
    for function in functions:
        shown = "\n".join(source.splitlines()[function.lineno - 1 : function.end_lineno])
        assert shown in page, f"docs/import.md shows {function.name} otherwise"


def test_there_is_documentation() -> None:
    assert sum(len(blocks(page)) for page in PAGES) > 20
