"""Requires a live server with a fresh database in a parity run; a missing one is a failure, never a skip."""

import os
from pathlib import Path

import pytest

from .pair import Database
from .tokens import Tokens

ASKED = os.environ.get("KEYSTONE_PARITY") == "1"
NEEDED = ("KEYSTONE_URL", "KEYSTONE_USERNAME", "KEYSTONE_PASSWORD")
SETTINGS = {name: os.environ.get(name, "") for name in NEEDED}
DATABASE: Database = "sqlite" if os.environ.get("KEYSTONE_DATABASE") == "sqlite" else "postgresql"
TOKENS = Tokens(os.environ)
EXAMPLES = int(os.environ.get("KEYSTONE_PARITY_EXAMPLES", "40"))


def pytest_configure(config: pytest.Config) -> None:
    if not ASKED:
        return
    missing = [name for name in NEEDED if not SETTINGS[name]]
    if missing:
        pytest.exit(f"a parity run needs {', '.join(missing)}: a Keystone with a fresh database", returncode=2)
    if os.environ.get("KEYSTONE_DATABASE", DATABASE) != DATABASE:
        pytest.exit("KEYSTONE_DATABASE is postgresql or sqlite", returncode=2)
    if os.environ.get("KEYSTONE_ALLOW_WRITES") != "1":
        pytest.exit("a parity run fills the server with random records: allow it with KEYSTONE_ALLOW_WRITES=1", 2)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Only a parity run talks to a live server."""
    return True if collection_path.name == "test_live.py" and not ASKED else None
