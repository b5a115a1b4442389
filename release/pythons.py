"""Finds the Pythons of this machine that the packages say they support, and the next one."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")


def supported() -> list[str]:
    """Return the versions that the packages name, such as ``3.11``, oldest first."""
    text = (ROOT / "packages/keystone-client/pyproject.toml").read_text(encoding="utf-8")
    found = (CLASSIFIER.fullmatch(line) for line in tomllib.loads(text)["project"]["classifiers"])
    return sorted((match[1] for match in found if match), key=minor)


def minor(version: str) -> int:
    """Return the 12 of ``3.12``."""
    return int(version.partition(".")[2])


def upcoming(versions: list[str]) -> str:
    """Return the version after the newest of some."""
    return f"3.{minor(versions[-1]) + 1}"


def find(version: str) -> str | None:
    """Return the path of an interpreter of a version, or ``None`` where there is none that runs."""
    return next((path for path in _candidates(version) if _runs(path, version)), None)


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found  # may be a shim of pyenv that refuses
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(str(path) for path in pyenv.glob(f"versions/{version}.*/bin/python"))


def _runs(path: str, version: str) -> bool:
    said = subprocess.run(
        [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return said.returncode == 0 and said.stdout.strip() == version
