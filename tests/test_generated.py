"""The generated modules are up to date, and the code generator refuses input and rules that it cannot use."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_generated_modules_are_not_stale() -> None:
    command = [sys.executable, "codegen/generate.py", "--check"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, f"{run.stdout}{run.stderr}\nRun `hatch run generate`."


@pytest.fixture
def sync_twins(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "codegen")
    return importlib.import_module("sync_twins")


def test_rules_that_each_match_in_some_text_convert_all_texts(sync_twins: ModuleType) -> None:
    assert sync_twins.for_threads([*sync_twins.WORDS]) == [*sync_twins.WORDS.values()]


def test_only_a_rule_that_matches_in_no_text_is_reported(sync_twins: ModuleType) -> None:
    texts = [word for word in sync_twins.WORDS if word not in ("await ", "AsyncProvider")]
    with pytest.raises(sync_twins.UnusedRuleError, match=r"match nothing: 'await ', 'AsyncProvider'$"):
        sync_twins.for_threads(texts)


@pytest.mark.parametrize(
    ("text", "said"), [("not json", "cannot be read"), ('{"openapi": "3.0.3"}', "no OpenAPI document of a Keystone")]
)
def test_a_document_the_table_cannot_be_rebuilt_from_is_named(tmp_path: Path, text: str, said: str) -> None:
    document = tmp_path / "schema.json"
    document.write_text(text, encoding="utf-8")
    command = [sys.executable, "codegen/rebuild.py", "--check", str(document)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 2
    assert said in run.stderr
    assert "schema.json" in run.stderr
    assert "Traceback" not in run.stderr
