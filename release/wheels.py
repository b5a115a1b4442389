"""Builds the three wheels and tests what is in them, as a user gets them, on each Python of this machine.

    python release/wheels.py [--python 3.12] [--every] [arguments of pytest]

On each Python: the core alone; the client alone, on a fake that runs in another environment; types in a project that
has the client installed; all three with their test suites. ``--every`` fails where a supported Python is missing.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pythons
from distributions import CLIENT, CORE, ROOT, TESTING, Package, build

DOWNSTREAM = ROOT / "release/downstream"
GROUPS = ("test", "types")
IMPORTED = """
import importlib, sys
for name in sys.argv[1].split():
    module = importlib.import_module(name)
    assert "site-packages" in module.__file__, module.__file__
    assert module.__version__ == sys.argv[2], module.__version__
    print(name, len([getattr(module, each) for each in module.__all__]), "names")
for name in sys.argv[3].split():
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    sys.exit(f"{name} is installed, but should not be")
"""


class Environment:
    """A virtual environment that has nothing but what is installed here."""

    def __init__(self, folder: Path, interpreter: str) -> None:
        """Make it."""
        self.folder = folder
        self.python = str(folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
        command([interpreter, "-m", "venv", str(folder)])
        self.run("-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1")  # the first that installs groups

    def run(self, *arguments: str) -> None:
        """Run Python in it, in its own folder, so that no source is on the path."""
        command([self.python, *arguments], self.folder)

    def install(self, *what: str) -> None:
        """Install into it, and see that the requirements of all agree."""
        self.run("-m", "pip", "install", "--quiet", *what)
        self.run("-m", "pip", "check")

    def imports(self, version: str, packages: tuple[Package, ...], absent: tuple[str, ...]) -> None:
        """Import every public name with warnings as errors; some other modules must not be there."""
        modules = " ".join(package.module for package in packages)
        self.run("-W", "error", "-c", IMPORTED, modules, version, " ".join(absent))


def command(line: list[str], folder: Path = ROOT) -> None:
    """Run a command; what it prints is shown, and the test of the wheels ends where it fails."""
    if subprocess.call(line, cwd=folder):
        raise SystemExit(f"failed: {' '.join(line)}")


@contextmanager
def served(environment: Environment) -> Iterator[str]:
    """Yield the URL of a fake that is served from another environment."""
    line = [environment.python, "-u", "-m", "keystone_client_testing", "--port", "0"]
    with subprocess.Popen(line, cwd=environment.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        finally:
            process.terminate()


def test_on(interpreter: str, version: str, wheels: dict[Package, Path], arguments: list[str]) -> None:
    """Test the wheels on one Python, in environments of their own."""
    with tempfile.TemporaryDirectory(prefix="wheels-") as folder:
        core, client, testing = (Environment(Path(folder) / name, interpreter) for name in ("core", "client", "all"))
        core.install(str(wheels[CORE]))
        core.imports(version, (CORE,), ("httpx", "anyio", "keystone_client"))
        client.install(str(wheels[CORE]), str(wheels[CLIENT]))
        client.imports(version, (CORE, CLIENT), ("pytest", "respx", "keystone_client_testing"))
        groups = [f"--group={ROOT / 'pyproject.toml'}:{group}" for group in GROUPS]
        testing.install(*(str(wheel) for wheel in wheels.values()), *groups)
        testing.imports(version, (CORE, CLIENT, TESTING), ())
        project = Path(shutil.copytree(DOWNSTREAM, Path(folder) / "project"))  # out of reach of our settings
        with served(testing) as url:
            client.run("-W", "error", str(project / "app.py"), url)
        check_types(testing, client, project)
        command([testing.python, "-W", "error", "-m", "pytest", "-q"], project)
        command([testing.python, "-m", "pytest", "-q", "-n", "auto", "packages", *arguments])


def check_types(tools: Environment, client: Environment, project: Path) -> None:
    """Check a project that has only the client, with the checkers of another environment.

    A checker that takes every type for ``Any`` finds no error in anything, so the misuses must be found as well.
    """
    mypy = [tools.python, "-m", "mypy", "--strict", "--no-incremental", f"--python-executable={client.python}"]
    pyright = [tools.python, "-m", "pyright", "--pythonpath", client.python]
    lines = (project / "misuses.py").read_text(encoding="utf-8").splitlines()
    misuses = [number for number, line in enumerate(lines, 1) if line.endswith("# error")]
    for checker in (mypy, pyright):
        command([*checker, "app.py"], project)
        said = subprocess.run([*checker, "misuses.py"], cwd=project, capture_output=True, text=True, check=False)
        found = sorted({int(number) for number in re.findall(r"misuses\.py:(\d+):.* error:", said.stdout)})
        if found != misuses:
            raise SystemExit(f"misuses.py has errors in the lines {misuses}, but this found {found}:\n{said.stdout}")
        print(f"{checker[2]}: app.py is clean, {len(misuses)} misuses found")


def main() -> int:
    """Run the command line. Return the exit status."""
    parser = argparse.ArgumentParser(description="Build the wheels and test what is in them.")
    parser.add_argument("--python", action="append", help="a version, such as 3.12; by default all that are here")
    parser.add_argument("--every", action="store_true", help="fail where a supported Python is missing")
    options, arguments = parser.parse_known_args()
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    supported = pythons.supported()
    wanted = options.python or [*supported, pythons.upcoming(supported)]
    found = {each: pythons.find(each) for each in wanted}
    missing = [each for each in (options.python or supported) if not found[each]]
    print("\n".join(f"Python {each}: {path or 'not on this machine'}" for each, path in found.items()), flush=True)
    if missing and (options.every or options.python):
        raise SystemExit(f"Install {', '.join(missing)}: put it on the PATH as python3.N, or let pyenv have it.")
    wheels = build(version)
    for each, path in found.items():
        if path:
            print(f"\n--- Python {each}", flush=True)
            test_on(path, version, wheels, arguments)
    print(f"\nThe wheels of {version} pass on Python {', '.join(each for each, path in found.items() if path)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
