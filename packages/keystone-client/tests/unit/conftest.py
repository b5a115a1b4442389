"""Every test that asks for ``colour`` runs with both clients."""

from typing import Any, cast

import pytest
from keystone_client_core import RESOURCES


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def unforeseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an empty DOI pass, as an example of a record that breaks the server and that the client does not foresee."""
    fields = cast("dict[str, Any]", RESOURCES["publication"].fields)
    monkeypatch.setitem(fields, "doi", fields["doi"]._replace(nullable=False))
