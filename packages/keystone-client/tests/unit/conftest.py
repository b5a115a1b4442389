"""Fixtures: a test that uses ``colour`` runs with the sync and the async client."""

from typing import Any, cast

import pytest
from keystone_client_core import RESOURCES


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def unforeseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an empty DOI pass the client's checks: an example of a record for which the server answers 500."""
    fields = cast("dict[str, Any]", RESOURCES["publication"].fields)
    monkeypatch.setitem(fields, "doi", fields["doi"]._replace(nullable=False))
