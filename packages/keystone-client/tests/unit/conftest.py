"""Fixtures: ``colour``, ``backend`` and ``runner`` run a test with both clients, or on each library that runs tasks."""

from typing import Any, cast

import httpx
import pytest
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone

from .connection_stub import ENVIRONMENT, Connection
from .plan_world import Colour, centre, writes


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=["sync", "asyncio", "trio"])
def runner(request: pytest.FixtureRequest) -> str:
    """Return ``sync`` for the sync client, or the library on which the async client runs."""
    name: str = request.param
    return name


@pytest.fixture
def unforeseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an empty DOI pass the client's checks: an example of a record for which the server answers 500."""
    for database in ("postgresql", "sqlite"):  # the fake works out once what fields are like: now, while that is true
        fake = FakeKeystone(database=database)
        with fake.client() as client:
            client.create_publication(title="t", team=fake.add.team()["id"], doi="10/x")
    fields = cast("dict[str, Any]", RESOURCES["publication"].fields)
    monkeypatch.setitem(fields, "doi", fields["doi"]._replace(nullable=False))


@pytest.fixture
def planned(colour: str) -> Any:
    """Return a function that plans on a small centre; the last fake is its attribute ``fake``."""

    def plan(*wanted: Any, fake: Any = None) -> Any:
        plan.fake = fake or centre()  # type: ignore[attr-defined]
        before = writes(plan.fake)  # type: ignore[attr-defined]
        found = Colour(plan.fake, colour).plan(*wanted)  # type: ignore[attr-defined]
        assert writes(plan.fake) == before  # type: ignore[attr-defined]
        return found

    return plan


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the proxies and certificates that this machine has configured."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> type[Connection]:
    for name, value in {"made": list[Connection](), "busy": 0, "peak": 0, "act": None}.items():
        monkeypatch.setattr(Connection, name, value)
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", Connection)
    monkeypatch.setattr(httpx, "HTTPTransport", Connection)
    return Connection
