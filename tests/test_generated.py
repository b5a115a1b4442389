"""The generated modules say what ``codegen/facts.toml`` says, and that is brought up from a document, or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_generated_modules_are_not_stale() -> None:
    command = [sys.executable, "codegen/generate.py", "--check"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, f"{run.stdout}{run.stderr}\nRun `hatch run generate`."


@pytest.mark.parametrize(
    ("text", "said"), [("not json", "cannot be read"), ('{"openapi": "3.0.3"}', "no OpenAPI document of a Keystone")]
)
def test_what_the_table_cannot_be_rebuilt_from_is_named(tmp_path: Path, text: str, said: str) -> None:
    document = tmp_path / "schema.json"
    document.write_text(text, encoding="utf-8")
    command = [sys.executable, "codegen/rebuild.py", "--check", str(document)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 2
    assert said in run.stderr
    assert "schema.json" in run.stderr
    assert "Traceback" not in run.stderr
