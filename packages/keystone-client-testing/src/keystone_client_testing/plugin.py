"""The pytest plugin: fixtures that hand out a fake Keystone, clients and a server; one marker for options.

Loaded into every pytest run of an environment that has this package, so it imports nothing before a fixture is used.
All fixtures are plain functions: they suit every async plugin.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from keystone_client import AsyncKeystoneClient, KeystoneClient

    from ._fake import FakeKeystone

OPTIONS = ("url", "user", "throttle", "demo_data", "strict")
"""What ``@pytest.mark.keystone(...)`` takes."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"keystone({', '.join(f'{name}=' for name in OPTIONS)}): options of the fake")


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Merge the markers of all levels; the nearest wins."""
    merged: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("keystone"))):
        unknown = [name for name in marker.kwargs if name not in OPTIONS]
        if unknown or marker.args:
            given = ", ".join([*map(repr, marker.args), *unknown])
            raise TypeError(f"the keystone marker does not take {given}; it takes {', '.join(OPTIONS)} by name")
        merged.update(marker.kwargs)
    return merged


@pytest.fixture
def fake_keystone(request: pytest.FixtureRequest) -> "Iterator[FakeKeystone]":
    """A new fake Keystone; any httpx client that calls its URL during the test reaches it.

    When the test is over, faults that were planned and never hit are an error; with the marker's ``strict=True``,
    requests to unknown paths and query parameters the server would ignore are errors too.
    """
    from ._fake import DEFAULT_URL, FakeKeystone
    from ._report import complaints

    options = _options(request)
    fake = FakeKeystone(options.get("url", DEFAULT_URL))
    fake.throttle(**options.get("throttle", {}))
    if options.get("demo_data"):
        fake.add_demo_data()
    with fake.mock():
        yield fake
    if found := complaints(fake.unused_faults, fake.journal, bool(options.get("strict"))):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.fixture
def keystone_session(request: pytest.FixtureRequest, fake_keystone: "FakeKeystone") -> "Iterator[KeystoneClient]":
    """A client logged in as ``admin``, or as the marker's ``user``."""
    with fake_keystone.client(_options(request).get("user", "admin")) as client:
        yield client


@pytest.fixture
def async_keystone_session(request: pytest.FixtureRequest, fake_keystone: "FakeKeystone") -> "AsyncKeystoneClient":
    """An async client logged in as ``admin``, or as the marker's ``user``; it holds nothing that needs closing."""
    return fake_keystone.async_client(_options(request).get("user", "admin"))


@pytest.fixture
def keystone_server(fake_keystone: "FakeKeystone") -> Iterator[str]:
    """The URL of a loopback server with the same world as ``fake_keystone``."""
    with fake_keystone.serve() as url:
        yield url
