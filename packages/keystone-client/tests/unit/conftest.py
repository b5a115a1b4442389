"""Every test that asks for ``colour`` runs with both clients."""

import pytest


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
