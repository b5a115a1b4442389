"""Checks what must hold before a release and takes seconds to see; `hatch run release` does this first and last.

    python release/ready.py X.Y.Z [--done]

It changes nothing and publishes nothing. With ``--done``, when all else was tested, it tells the commands that publish.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from checks import (
    changelog_faults,
    link_notes,
    tag_faults,
    tree_faults,
    unpublished_notes,
    url_notes,
    version_faults,
)

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"
PROJECTS = sorted(ROOT.glob("packages/*/pyproject.toml"))
NEXT = """
All holds for {version}, and nothing is published. What publishes it:

    git tag -a v{version} -m "Keystone client {version}"
    git push --atomic origin HEAD v{version}

The tag starts .github/workflows/release.yml, which builds and tests anew, and publishes one package after the other,
each when a maintainer has approved it. Without such a forge, publish what was tested here, the core first:

    pip install "twine>=7"
    twine upload dist/keystone_client_core-{version}*
    twine upload dist/keystone_api_client-{version}*
    twine upload dist/keystone_client_testing-{version}*
"""


def git(*arguments: str) -> str:
    """Return what a git command prints.

    Raises:
        SystemExit: The command failed.
    """
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def fragments() -> list[str]:
    """Return the names of the files in changes/ that are in no entry of the changelog yet."""
    return sorted(path.name for path in (ROOT / "changes").glob("*.md") if path.name != "README.md")


def notes() -> Iterator[str]:
    """Yield what is to be done once, before the first release: the name of a file, and what is wrong in it."""
    readmes = [project.with_name("README.md") for project in PROJECTS]
    pages = sorted(ROOT.glob("docs/*.md"))
    looks = ((url_notes, PROJECTS), (link_notes, readmes), (unpublished_notes, [*readmes, *pages]))
    for look, paths in looks:
        for path in paths:
            yield from (f"{path.relative_to(ROOT)} {note}" for note in look(path.read_text(encoding="utf-8")))


def faults(wanted: str) -> Iterator[str]:
    """Yield what speaks against a release of the version."""
    yield from version_faults(wanted, (ROOT / "VERSION").read_text(encoding="utf-8").strip())
    yield from changelog_faults(wanted, CHANGELOG.read_text(encoding="utf-8"), fragments())
    yield from tree_faults(git("status", "--porcelain"))
    yield from tag_faults(wanted, git("tag", "--list"), "this repository")
    for remote in git("remote").split():
        refs = git("ls-remote", "--tags", remote)
        yield from tag_faults(wanted, refs.replace("refs/tags/", ""), remote)


def main() -> int:
    """Run the command line. Return the exit status: 1 if something speaks against the release, else 0."""
    parser = argparse.ArgumentParser(prog="hatch run release", description="Check what must hold before a release.")
    parser.add_argument("version", help="such as 1.2.0")
    parser.add_argument("--done", action="store_true", help="all else was tested: tell what publishes it")
    options = parser.parse_args()
    found = list(faults(options.version))
    for note in notes():
        print(f"Before the first release: {note}.", flush=True)
    for fault in found:
        print(f"- {fault}", file=sys.stderr)
    if not found:
        said = NEXT if options.done else "Version, changelog, tree and tag are fit for {version}."
        print(said.format(version=options.version))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
