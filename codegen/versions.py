"""Writes the version, which stands in VERSION, into the three packages.

A package is built and imported without its siblings, so each has the number: in its ``__version__``, from which
hatchling takes it, and in what it requires of the others. Reading it from the installed metadata was rejected, because
that costs milliseconds in each import.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "packages"
CARRIERS = [
    PACKAGES / "keystone-client-core/src/keystone_client_core/__init__.py",
    PACKAGES / "keystone-client/src/keystone_client/_version.py",
    PACKAGES / "keystone-client-testing/src/keystone_client_testing/__init__.py",
    PACKAGES / "keystone-client/pyproject.toml",
    PACKAGES / "keystone-client-testing/pyproject.toml",
]


def choose(version: str) -> None:
    """Write the next version into VERSION.

    Raises:
        SystemExit: It does not look like a version.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        raise SystemExit(f"{version!r} is no version: write three numbers, such as 1.2.0")
    (ROOT / "VERSION").write_text(f"{version}\n", encoding="utf-8")


def rules(version: str) -> dict[str, str]:
    """Return what to write for each place, a pattern: the number, and the siblings by the versions that fit.

    The client works with a core of its minor version that is not older. The fake uses a part of the client that is not
    public, so it requires the client of its own release.
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    return {
        r'^__version__ = "[^"]*"': f'__version__ = "{version}"',
        r'"keystone-client-core>=[^"]*"': f'"keystone-client-core>={version},<{major}.{minor + 1}"',
        r'"keystone-api-client==[^"]*"': f'"keystone-api-client=={version}"',
    }


def render(text: str, version: str) -> str:
    """Return the text of a carrier with the version in it."""
    for pattern, line in rules(version).items():
        text = re.sub(pattern, line, text, flags=re.MULTILINE)
    return text


def render_all() -> dict[Path, str]:
    """Return the text of each file that carries the version, by its path."""
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    return {path: render(path.read_text(encoding="utf-8"), version) for path in CARRIERS}
