"""What must hold before a release. Each check looks at text and returns its faults: what is wrong, and what to do."""

import re
from datetime import date

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


def dated(wanted: str, changelog: str, day: date) -> str | None:
    """Return the changelog with a new date in the entry on top, or ``None`` if that is not one of the version."""
    newest = ENTRY.search(changelog)
    if not newest or newest[1] != wanted:
        return None
    return f"{changelog[: newest.start()]}## {wanted} ({day}){changelog[newest.end() :]}"


def late_faults(wanted: str, fragments: list[str]) -> list[str]:
    """Return what to do with fragments that came after the entry of the version was written."""
    advice = "say what they say there, remove them with `git rm`, and run this again"
    return [f"CHANGELOG.md has an entry of {wanted} without {', '.join(fragments)}: {advice}"] if fragments else []


def tree_faults(status: str) -> list[str]:
    """Look at what ``git status --porcelain`` says: what is released must be what is committed."""
    paths = [line[3:] for line in status.splitlines()]
    return [f"not committed: {', '.join(paths)}"] if paths else []


def tag_faults(wanted: str, tags: str, place: str) -> list[str]:
    """Look for the tag of the version among the tags of a repository, one in a line."""
    taken = f"v{wanted}" in tags.split()
    return [f"{place} has a tag v{wanted} already: a version is released once, so take the next one"] if taken else []


def unpublished_notes(text: str) -> list[str]:
    """Return whether a text tells to install from the repository, which is wrong from the first release on."""
    told = re.search(r"not published yet|pip install \./packages", text, re.IGNORECASE)
    return [f"says `{told[0]}`: say how to install what is published"] if told else []


def link_notes(readme: str) -> list[str]:
    """Return which links of a package's README lead nowhere on an index page, which has no other files."""
    links = sorted(set(re.findall(r"\]\((\.[^)]*)\)", readme)))
    return [f"links to {', '.join(links)}: write addresses, an index page does not have these files"] if links else []


def url_notes(project: str) -> list[str]:
    """Return what is still to be said about where the repository is, from the text of a pyproject.toml."""
    names = ("Source", "Changelog", "Issues")
    missing = [name for name in names if not re.search(rf"^{name} = ", project, re.MULTILINE)]
    return [f"lacks {', '.join(missing)} in [project.urls]: say where the repository is hosted"] if missing else []
