"""Settings of every test run: ignore the server in the environment, and set no deadline for Hypothesis."""

import os

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _no_server_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the live run may see the server that KEYSTONE_URL names."""
    if os.environ.get("KEYSTONE_LIVE") != "1":
        for name in [name for name in os.environ if name.startswith("KEYSTONE_")]:
            monkeypatch.delenv(name)
