"""Joins the fragments of changes/ into an entry of CHANGELOG.md; a part of `hatch run prepare`.

    python release/entry.py X.Y.Z

towncrier makes the entry. Asked on another day for a version that has one, it would write a second: such an entry gets
the date of today instead, and the fragments that came after it are left to a person.
"""

import subprocess
import sys
from datetime import date

from checks import dated, late_faults
from ready import CHANGELOG, fragments


def main(version: str) -> int:
    """Write the entry. Return the exit status: 1 if fragments are left, else that of towncrier."""
    text = dated(version, CHANGELOG.read_text(encoding="utf-8"), date.today())
    if text is None:
        return subprocess.call([sys.executable, "-m", "towncrier", "build", "--yes", "--version", version])
    CHANGELOG.write_text(text, encoding="utf-8")
    faults = late_faults(version, fragments())
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
