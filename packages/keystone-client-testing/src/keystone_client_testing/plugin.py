"""The pytest plugin: fixtures that hand out a fake Keystone, clients and a server; one marker for options.

Loaded into every pytest run of an environment that has this package, so it imports nothing before a fixture is used.
All fixtures are plain functions: they suit every async plugin.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from keystone_client import AsyncKeystoneClient, KeystoneClient

    from ._fake import FakeKeystone

OPTIONS = ("url", "database", "user", "role", "throttle", "demo_data", "strict")
"""What ``@pytest.mark.keystone(...)`` takes."""
_FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"keystone({', '.join(f'{name}=' for name in OPTIONS)}): options of the fake")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test its requests to the fake, and the complaints about them."""
    report = yield
    fake = getattr(item, "funcargs", {}).get("fake_keystone")
    if report.failed and report.when == "call" and fake is not None:
        item.stash[_FAILED] = True
        report.sections.append(("requests to the fake Keystone", fake.journal.summary()))
        if found := fake.complaints(strict=bool(_options(item).get("strict"))):
            report.sections.append(("unnoticed by the test", "\n".join(found)))
    return report


def _options(node: pytest.Item) -> dict[str, Any]:
    """Merge the markers of all levels; the nearest wins."""
    merged: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("keystone"))):
        unknown = [name for name in marker.kwargs if name not in OPTIONS]
        if unknown or marker.args:
            given = ", ".join([*map(repr, marker.args), *unknown])
            raise TypeError(f"the keystone marker does not take {given}; it takes {', '.join(OPTIONS)} by name")
        if marker.kwargs.keys() & {"user", "role"}:
            merged.pop("user", None)
            merged.pop("role", None)  # two ways to say who: the nearest says it alone
        merged.update(marker.kwargs)
    return merged


@pytest.fixture
def fake_keystone(request: pytest.FixtureRequest) -> "Iterator[FakeKeystone]":
    """A new fake Keystone; any httpx client that calls its URL during the test reaches it.

    When the test is over, faults that were planned and never hit are an error; with the marker's ``strict=True``,
    requests to unknown paths and query parameters the server would ignore are errors too.
    """
    from ._fake import DEFAULT_DATABASE, DEFAULT_URL, FakeKeystone

    options = _options(request.node)
    fake = FakeKeystone(options.get("url", DEFAULT_URL), database=options.get("database", DEFAULT_DATABASE))
    fake.throttle(**options.get("throttle", {}))
    if options.get("demo_data"):
        fake.add_demo_data()
    with fake.mock():
        yield fake
    if request.node.stash.get(_FAILED, False):
        return  # the test failed by itself; the complaints are in its report
    if found := fake.complaints(strict=bool(options.get("strict"))):
        pytest.fail("\n".join(found), pytrace=False)


def _user(request: pytest.FixtureRequest) -> dict[str, Any]:
    options = _options(request.node)
    return {name: options[name] for name in ("user", "role") if name in options}


@pytest.fixture
def keystone_session(request: pytest.FixtureRequest, fake_keystone: "FakeKeystone") -> "Iterator[KeystoneClient]":
    """A client logged in as ``admin``, or as the marker's ``user`` or ``role``."""
    with fake_keystone.client(**_user(request)) as client:
        yield client


@pytest.fixture
def async_keystone_session(request: pytest.FixtureRequest, fake_keystone: "FakeKeystone") -> "AsyncKeystoneClient":
    """An async client logged in as ``admin``, or as the marker's ``user`` or ``role``; it needs no closing."""
    return fake_keystone.async_client(**_user(request))


@pytest.fixture
def keystone_server(fake_keystone: "FakeKeystone") -> Iterator[str]:
    """The URL of a loopback server with the same world as ``fake_keystone``."""
    with fake_keystone.serve() as url:
        yield url
