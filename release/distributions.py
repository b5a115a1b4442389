"""Builds the sdists and wheels of the three packages into dist/, and looks at what is in them."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"


class Package(NamedTuple):
    """One of the three: its folder in packages/, and the name it is imported by. The order is that of publishing."""

    folder: str
    module: str


PACKAGES = (
    Package("keystone-client-core", "keystone_client_core"),
    Package("keystone-client", "keystone_client"),
    Package("keystone-client-testing", "keystone_client_testing"),
)
CORE, CLIENT, TESTING = PACKAGES


def build(version: str) -> dict[Package, Path]:
    """Build all into an empty dist/ and return the wheels.

    Each wheel is built from its sdist, as distributors do it. Nothing is downloaded: this environment has the backend.

    Raises:
        SystemExit: A build fails, or a distribution lacks what it should have.
    """
    shutil.rmtree(DIST, ignore_errors=True)
    for package in PACKAGES:
        run("build", "--no-isolation", "--outdir", str(DIST), str(ROOT / "packages" / package.folder))
    run("twine", "check", "--strict", *(str(path) for path in sorted(DIST.iterdir())))
    wheels = {package: _one(package, f"-{version}-py3-none-any.whl") for package in PACKAGES}
    faults = [fault for package, wheel in wheels.items() for fault in lacking(package, wheel)]
    faults += [fault for package in PACKAGES for fault in sdist_faults(_one(package, f"-{version}.tar.gz"))]
    if faults:
        raise SystemExit("\n".join(faults))
    return wheels


def run(module: str, *arguments: str) -> None:
    """Run a module of this environment; its output is shown if it fails."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def distribution(package: Package) -> str:
    """Return the name in the file names of a package's distributions."""
    return "keystone_api_client" if package is CLIENT else package.module


def _one(package: Package, ending: str) -> Path:
    path = DIST / f"{distribution(package)}{ending}"
    if not path.exists():
        raise SystemExit(f"There is no {path.name} in dist/: is the version of the package the one in VERSION?")
    return path


def lacking(package: Package, wheel: Path) -> list[str]:
    """Return what is wrong with the files in a wheel: the types and the licence belong in it, tests do not."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    faults = [f"{wheel.name} lacks {package.module}/py.typed"] if f"{package.module}/py.typed" not in names else []
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        faults.append(f"{wheel.name} lacks its licence")
    strangers = {name.partition("/")[0] for name in names if ".dist-info/" not in name} - {package.module}
    return faults + [f"{wheel.name} would install {name}" for name in sorted(strangers)]


def sdist_faults(sdist: Path) -> list[str]:
    """Return what is wrong with the files in an sdist: it has what a build needs, and no tests."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    faults = [f"{sdist.name} lacks {name}" for name in ("LICENSE", "README.md", "pyproject.toml") if name not in names]
    return faults + [f"{sdist.name} has {name}" for name in sorted(names) if name.startswith("tests/")]
