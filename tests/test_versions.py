"""The three packages are released together, so they have one version, and each requires the others at it."""

import ast
import re
import sys
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
DISTRIBUTIONS = {"keystone_client_core": "keystone-client-core", "keystone_client": "keystone-api-client"}
OF_THE_CALLER: dict[str, set[str]] = {
    "keystone-client-core": set(),
    "keystone-client": {"typing_extensions"},  # only type checkers read it, and each knows it
    "keystone-client-testing": {"pytest"},  # only pytest loads the plugin
}


def project(package: str) -> dict[str, Any]:
    text = (ROOT / "packages" / package / "pyproject.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)["project"]
    return table


def test_the_packages_have_one_version() -> None:
    assert keystone_client.__version__ == keystone_client_testing.__version__ == VERSION
    assert (ROOT / "VERSION").read_text(encoding="utf-8") == f"{VERSION}\n"


def siblings(package: str) -> dict[str, str]:
    return {match[1]: match[2] for line in project(package)["dependencies"] if (match := SIBLING.fullmatch(line))}


@pytest.mark.parametrize("package", ["keystone-client", "keystone-client-testing"])
def test_a_package_requires_a_core_of_this_minor_version_that_is_not_older(package: str) -> None:
    major, minor = (int(part) for part in VERSION.split(".")[:2])
    assert siblings(package)["keystone-client-core"] == f">={VERSION},<{major}.{minor + 1}"


def test_the_fake_requires_exactly_the_client_whose_seam_it_uses() -> None:
    assert siblings("keystone-client-testing")["keystone-api-client"] == f"=={VERSION}"


def imported(package: str) -> set[str]:
    """The distributions a package imports, by the names of their modules."""
    names = set()
    for module in (ROOT / "packages" / package / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module.partition(".")[0])
    return {DISTRIBUTIONS.get(name, name) for name in names - sys.stdlib_module_names}


@pytest.mark.parametrize("package", ["keystone-client-core", "keystone-client", "keystone-client-testing"])
def test_a_package_declares_what_it_imports(package: str) -> None:
    declared = {re.split("[=<>~!]", line)[0] for line in project(package)["dependencies"]}
    assert imported(package) - declared - OF_THE_CALLER[package] == set()


def test_the_core_has_no_dependencies() -> None:
    assert project("keystone-client-core")["dependencies"] == []
