"""Every Python block of the documentation runs, and prints what the documentation says it prints.

The blocks of a page run in order, in one namespace, against a fake in place of ``http://localhost:8000``: twice on one
of its own, and once on one on which all pages run in the order of the navigation, as on that of a reader. A block
``text`` directly after a Python block is its expected output; ``...`` in it stands for anything. Blocks with tests in
them go through pytest. A block with a title is a file that the reader saves; a Python one then runs as a program in the
folder of these files, with the address and the login of the fake in its environment.

Blocks in tabs are indented. Those in a tab named ``Async`` may use ``await`` at the top level, as ``python -m asyncio``
and notebooks allow, and run on one event loop for the whole page. They see the names of the page, but the page does not
see theirs: a reader follows one of the two tabs, so ``client`` stays the one of that tab.
"""

import ast
import asyncio
import contextlib
import doctest
import io
import logging
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from keystone_client_testing import FakeKeystone

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")])
FENCED = re.compile(
    r"^(?P<indent> *)```python(?: title=\"(?P<title>[\w.]+)\")?[^\n]*\n(?P<code>.*?)^(?P=indent)```\n"
    r"(?:\n(?P=indent)```text\n(?P<prints>.*?)^(?P=indent)```)?",
    re.MULTILINE | re.DOTALL,
)
TITLED = re.compile(r'^```\w+ title="(?P<name>[\w.]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
TAB = re.compile(r'^(?P<indent> *)===[!+]* "(?P<label>[^"]+)"$', re.MULTILINE)


class Block(NamedTuple):
    line: int
    code: str
    prints: str | None
    is_async: bool
    title: str | None

    @property
    def has_tests(self) -> bool:
        return re.search(r"^(async )?def test_", self.code, re.MULTILINE) is not None


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [block_of(text, found) for found in FENCED.finditer(text)]


def block_of(text: str, found: re.Match[str]) -> Block:
    prints = found["prints"]
    return Block(
        text.count("\n", 0, found.start("code")),
        textwrap.dedent(found["code"]),
        None if prints is None else textwrap.dedent(prints),
        "Async" in labels_around(text[: found.start()], len(found["indent"])),
        found["title"],
    )


def labels_around(before: str, indent: int) -> Iterator[str]:
    """Yield the labels of the tabs that contain what is indented this far and follows the text, inside to outside."""
    for tab in reversed(list(TAB.finditer(before))):
        if len(tab["indent"]) < indent:
            indent = len(tab["indent"])
            yield tab["label"]


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
@pytest.mark.parametrize("page", [*filter(blocks, PAGES)], ids=lambda page: str(page.relative_to(ROOT)))
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
    names: dict[str, Any] = {"__name__": "__main__"}
    async_names: dict[str, Any] = {}
    with asyncio.Runner() as runner:
        for block in blocks(page):
            if block.title is not None:
                assert_prints(block.prints or "", run_program(block.title, page, url))
            elif not block.has_tests:
                seen = names | async_names if block.is_async else names
                printed = run(block, page, seen, url.rstrip("/"), runner)
                if block.is_async:
                    async_names |= {name: value for name, value in seen.items() if names.get(name) is not value}
                if block.prints is not None:
                    assert_prints(block.prints, printed)


def run(block: Block, page: Path, namespace: dict[str, Any], url: str, runner: asyncio.Runner) -> str:
    source = "\n" * block.line + block.code.replace("http://localhost:8000", url)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if block.is_async else 0
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        # safe: the documentation is part of the repository
        if awaitable := eval(compile(source, str(page), "exec", flags), namespace):
            runner.run(awaitable)
    return output.getvalue().replace(url, "http://localhost:8000")


def run_program(name: str, page: Path, url: str) -> str:
    """Run a program as a reader does who has saved the files of the page. Return what it prints."""
    login = {"KEYSTONE_URL": url, "KEYSTONE_USERNAME": "admin", "KEYSTONE_PASSWORD": "quickstart"}
    with tempfile.TemporaryDirectory() as folder:
        for file in TITLED.finditer(page.read_text(encoding="utf-8")):
            (Path(folder) / file["name"]).write_text(file["text"], encoding="utf-8")
        command = [sys.executable, "-W", "error", name]
        ended = subprocess.run(
            command, cwd=folder, env=os.environ | login, capture_output=True, text=True, check=False, timeout=120
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_python_is_one_that_runs(page: Path) -> None:
    fences = re.findall(r"^ *(?:```|~~~) *(?:py|\{ *\.py).*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == len(blocks(page)), fences


TABS = """
```python
client = "threads"
```

=== "Sync"

    ```python
    print(client)
    ```

    ```text
    threads
    ```

=== "Async"

    ```python
    import asyncio
    lock = asyncio.Lock()
    async with lock:
        print(client)
    client = "tasks"
    ```

    ```text
    threads
    ```

```python
print(client)
```

```text
threads
```

=== "Sync"

    No code here.

=== "Async"

    === "Long"

        ```python
        async with lock:
            print(client)
        ```

        ```text
        tasks
        ```
"""


def test_blocks_in_tabs_run_each_in_its_own_colour(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TABS, encoding="utf-8")
    assert [block.is_async for block in blocks(page)] == [False, False, True, False, True]
    run_page(page, "http://localhost:8000")


def test_what_a_block_in_a_tab_prints_is_compared(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TABS.replace("tasks\n        ```", "threads\n        ```"), encoding="utf-8")
    with pytest.raises(AssertionError, match="printed"):
        run_page(page, "http://localhost:8000")


def test_only_async_tabs_may_await_at_the_top_level(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nawait anything\n```\n", encoding="utf-8")
    with pytest.raises(SyntaxError):
        run_page(page, "http://localhost:8000")


PROGRAM = """
```text title="greeting.txt"
hello
```

```python title="greet.py"
import os
from pathlib import Path

print(Path("greeting.txt").read_text(encoding="utf-8").strip(), os.environ["KEYSTONE_USERNAME"])
```

```text
hello admin
```
"""


def test_a_block_with_a_title_runs_as_a_program_beside_the_files_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PROGRAM, encoding="utf-8")
    run_page(page, "http://localhost:8000")
    page.write_text(PROGRAM.replace("hello admin", "hello bob"), encoding="utf-8")
    with pytest.raises(AssertionError, match="printed"):
        run_page(page, "http://localhost:8000")


def test_a_program_that_ends_with_a_status_is_a_fault_of_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('```python title="stop.py"\nraise SystemExit(2)\n```\n', encoding="utf-8")
    with pytest.raises(AssertionError):
        run_page(page, "http://localhost:8000")
