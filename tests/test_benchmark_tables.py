"""The benchmarks that write tables into the documentation find the place of each, and touch nothing else there."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = "# Title\n<!-- one -->\nold\n<!-- /one -->\nprose\n<!-- two -->\n<!-- /two -->\n"


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("tables")


def test_a_table_replaces_what_stands_between_its_markers_alone_and_does_so_again(tables: Any) -> None:
    written = tables.replaced(PAGE, "one", r"| \1 |")
    assert written == PAGE.replace("\nold\n", "\n\n| \\1 |\n\n")
    assert tables.replaced(written, "one", "old") == PAGE.replace("\nold\n", "\n\nold\n\n")


@pytest.mark.parametrize("page", ["", PAGE + PAGE], ids=["none", "two"])
def test_a_page_without_the_one_place_of_a_table_is_an_error(tables: Any, page: str) -> None:
    with pytest.raises(LookupError, match="<!-- one -->"):
        tables.replaced(page, "one", "text")


def test_the_page_of_benchmarks_has_a_place_for_each_table_and_all_are_filled(tables: Any) -> None:
    page = tables.PAGE.read_text(encoding="utf-8")
    scripts = "".join((ROOT / "benchmarks" / name).read_text(encoding="utf-8") for name in ("ladder.py", "growth.py"))
    names = re.findall(r'\.add\("([a-z ]+)"', scripts)
    assert sorted(re.findall(r"<!-- ([a-z ]+) -->", page)) == sorted(names)
    for name in names:
        place = page.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
        assert place.strip(), f"{name} was never written"


def test_the_columns_of_figures_are_aligned_to_the_right(tables: Any) -> None:
    assert tables.table(["records", "time"], [["1", "2 µs"]]) == "| records | time |\n| --- | ---: |\n| 1 | 2 µs |"
