"""The public interface is what interface.txt says, and a change of it is told with what to do about it."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def check(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "codegen/interface.py", "--check"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)


def test_the_public_interface_is_the_one_that_is_described() -> None:
    run = check(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_signature_that_changes_is_shown_with_what_to_do(tmp_path: Path) -> None:
    for sources in ["codegen", *(str(path.relative_to(ROOT)) for path in ROOT.glob("packages/*/src"))]:
        shutil.copytree(ROOT / sources, tmp_path / sources, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "interface.txt", tmp_path)
    changed = tmp_path / "packages/keystone-client/src/keystone_client/_errors.py"
    text = changed.read_text(encoding="utf-8")
    changed.write_text(
        text.replace("outcome: str, attempts: int = 1", "outcome: str, tries: int = 1"), encoding="utf-8"
    )

    run = check(tmp_path)

    assert run.returncode == 1, run.stderr
    assert (
        "-        def __init__(message: str, *, request: httpx.Request, outcome: str, attempts: int = 1" in run.stdout
    )
    assert "+        def __init__(message: str, *, request: httpx.Request, outcome: str, tries: int = 1" in run.stdout
    assert "hatch run generate" in run.stdout
    assert "changes/" in run.stdout
