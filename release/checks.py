"""What must hold before a release. Each check looks at text and returns its faults: what is wrong, and what to do."""

import re

ENTRY = re.compile(r"^## (\S+) \((\d{4}-\d{2}-\d{2})\)$", re.MULTILINE)


def version_faults(wanted: str, version: str) -> list[str]:
    """Compare the version that is to be released with the one in VERSION."""
    return [] if wanted == version else [f"VERSION has {version}: `hatch run prepare {wanted}` writes the other"]


def changelog_faults(wanted: str, changelog: str, fragments: list[str]) -> list[str]:
    """Look for an entry on top of the changelog, and for fragments that are in no entry yet."""
    newest = ENTRY.search(changelog)
    faults = []
    if not newest or newest[1] != wanted:
        faults.append(f"CHANGELOG.md does not begin with an entry of {wanted}: `hatch run prepare {wanted}` makes it")
    if fragments:
        faults.append(f"{', '.join(fragments)} of changes/ in no entry: `hatch run prepare {wanted}` makes one of them")
    return faults


def tree_faults(status: str) -> list[str]:
    """Look at what ``git status --porcelain`` says: what is released must be what is committed."""
    paths = [line[3:] for line in status.splitlines()]
    return [f"not committed: {', '.join(paths)}"] if paths else []


def tag_faults(wanted: str, tags: str, place: str) -> list[str]:
    """Look for the tag of the version among the tags of a repository, one in a line."""
    taken = f"v{wanted}" in tags.split()
    return [f"{place} has a tag v{wanted} already: a version is released once, so take the next one"] if taken else []


def url_notes(project: str) -> list[str]:
    """Return what is still to be said about where the repository is, from the text of a pyproject.toml."""
    names = ("Source", "Changelog", "Issues")
    missing = [name for name in names if not re.search(rf"^{name} = ", project, re.MULTILINE)]
    return [f"[project.urls] lacks {', '.join(missing)}: say where the repository is hosted"] if missing else []
