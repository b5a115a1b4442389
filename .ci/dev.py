"""Run a script of hatch.toml in the environment `dev`, which has the tools: ``python .ci/dev.py test -k filters``.

The default environment is small, so that the demo starts in seconds; its scripts that need tools come through here, so
that ``hatch run test`` stays the whole command. A script that began with ``hatch run`` would fail wherever hatch is not
on the PATH (a virtual environment that is not activated, pipx).
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def find_hatch(environment: Mapping[str, str]) -> str:
    """Return the hatch that started this: uv comes with hatch, and hatch tells each command where its uv is.

    Raises:
        SystemExit: There is no hatch beside that uv and none on the PATH.
    """
    beside_uv = str(Path(environment.get("HATCH_UV", "")).parent)
    found = shutil.which("hatch", path=os.pathsep.join([beside_uv, environment.get("PATH", os.defpath)]))
    if not found:
        raise SystemExit("There is no hatch on the PATH; `hatch run dev:SCRIPT` runs a script without looking for it.")
    return found


def main() -> int:
    """Run the script that the command line names. Return its exit status."""
    script, *arguments = sys.argv[1:]
    signal.signal(signal.SIGINT, lambda *_: None)  # an interrupt is for the script, which is in the same terminal
    return subprocess.call([find_hatch(os.environ), "run", f"dev:{script}", *arguments])


if __name__ == "__main__":
    sys.exit(main())
