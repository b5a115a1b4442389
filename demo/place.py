"""Chooses the server of the tour: a fake that exists as long as the tour, or the server in the environment."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from keystone_client_testing import FakeKeystone

GRANTS = 3_000


class Place(NamedTuple):
    """A server, and the account to log in with."""

    what: str
    url: str
    username: str
    password: str


class SettingsError(Exception):
    """The environment asks for a real server but lacks its address or the login."""


@contextmanager
def choose_place(environment: Mapping[str, str]) -> Iterator[Place]:
    """Yield the server that the environment asks for; start a fake unless it allows writes to a real one.

    Raises:
        SettingsError: ``KEYSTONE_ALLOW_WRITES`` is 1, but the address or the login is missing.
    """
    if environment.get("KEYSTONE_ALLOW_WRITES") == "1":
        yield _server(environment)
    else:
        with _fake(asked="KEYSTONE_URL" in environment) as place:
            yield place


def _server(environment: Mapping[str, str]) -> Place:
    names = ("KEYSTONE_URL", "KEYSTONE_USERNAME", "KEYSTONE_PASSWORD")
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise SettingsError(f"KEYSTONE_ALLOW_WRITES=1 asks for a real server; set {', '.join(missing)} too")
    url, username, password = (environment[name] for name in names)
    return Place(f"the server {url}", url, username, password)


@contextmanager
def _fake(asked: bool) -> Iterator[Place]:
    fake = FakeKeystone()
    team = fake.add.team(name="Physics")
    for number in range(1, GRANTS + 1):
        fake.add.grant(title=f"Grant {number}", team=team["id"])
    why = " (without KEYSTONE_ALLOW_WRITES=1 nothing is written to KEYSTONE_URL)" if asked else ""
    with fake.serve() as url:
        yield Place(f"a fake Keystone at {url}{why}", url, "admin", "quickstart")
