"""Installs the oldest version of each dependency that the packages say they work with: `hatch run lowest:test`.

The bounds stand in the pyproject files alone; a bound that is not a plain ``>=`` is an error, for nobody could test it.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PACKAGES = Path(__file__).resolve().parent.parent / "packages"


def lowest(project: Path) -> list[str]:
    """The pins of one package; its own siblings are installed from here."""
    with project.open("rb") as file:
        requirements = [Requirement(line) for line in tomllib.load(file)["project"]["dependencies"]]
    return [pin(each) for each in requirements if not each.name.startswith("keystone-")]


def pin(requirement: Requirement) -> str:
    """The requirement with its lower bound as the only version."""
    (bound,) = [each.version for each in requirement.specifier if each.operator == ">="]
    return f"{requirement.name}=={bound}"


if __name__ == "__main__":
    pins = sorted({each for project in PACKAGES.glob("*/pyproject.toml") for each in lowest(project)})
    sys.stdout.write(f"{' '.join(pins)}\n")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *pins], check=True)
    subprocess.run([sys.executable, "-m", "pip", "check"], check=True)
