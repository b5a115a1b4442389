"""The three packages are released together, so they carry one version and ask for one another in its range."""

import re
import tomllib
from pathlib import Path
from typing import Any

import keystone_client
import keystone_client_core
import keystone_client_testing
import pytest

ROOT = Path(__file__).resolve().parent.parent
VERSION = keystone_client_core.__version__
SIBLING = re.compile(r"(keystone-client-core|keystone-api-client)(.*)")


def project(package: str) -> dict[str, Any]:
    text = (ROOT / "packages" / package / "pyproject.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)["project"]
    return table


def test_the_packages_carry_one_version() -> None:
    assert keystone_client.__version__ == keystone_client_testing.__version__ == VERSION


@pytest.mark.parametrize("package", ["keystone-client", "keystone-client-testing"])
def test_a_package_asks_for_its_sibling_of_the_same_minor_version(package: str) -> None:
    major, minor = (int(part) for part in VERSION.split(".")[:2])
    asked = [match[2] for line in project(package)["dependencies"] if (match := SIBLING.fullmatch(line))]
    assert asked == [f">={major}.{minor},<{major}.{minor + 1}"]


def test_the_core_asks_for_nothing() -> None:
    assert project("keystone-client-core")["dependencies"] == []
