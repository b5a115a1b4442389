"""Run the contract tests with both clients against each transport of the fake, or a live server (KEYSTONE_LIVE).

Each test gets a ``bench``: a sync or async client behind one blocking interface; the records it creates are deleted.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from keystone_client import AsyncKeystoneClient, AsyncPlan, KeystoneClient, KeystoneError
from keystone_client_testing import FakeKeystone

LIVE = os.environ.get("KEYSTONE_LIVE") == "1"
DOORS = ["live"] if LIVE else ["transport", "respx", "server"]
COLOURS = ["sync", "asyncio", "trio"]
DATABASE = os.environ.get("KEYSTONE_DATABASE", "postgresql") if LIVE else "postgresql"
"""What the server keeps its records in: two tests expect something else on ``sqlite``, and say what and why."""
MARK = "contract-"
"""Prefix of the names of all records created here, so that they are not mistaken for real ones."""


class Door(NamedTuple):
    """How to reach a server: its URL, the client options it needs, and the credentials of an admin."""

    url: str
    transport: Any
    username: str
    password: str


def pytest_configure(config: pytest.Config) -> None:
    if not LIVE:
        return
    missing = [n for n in ("KEYSTONE_URL", "KEYSTONE_USERNAME", "KEYSTONE_PASSWORD") if not os.environ.get(n)]
    if missing:
        pytest.exit(f"a live run needs {', '.join(missing)}", returncode=2)
    if os.environ.get("KEYSTONE_ALLOW_WRITES") != "1":
        pytest.exit("a live run writes to the server and removes it again: allow it with KEYSTONE_ALLOW_WRITES=1", 2)
    try:
        seen = _database_of(
            os.environ["KEYSTONE_URL"], os.environ["KEYSTONE_USERNAME"], os.environ["KEYSTONE_PASSWORD"]
        )
    except KeystoneError as error:
        pytest.exit(f"no login to a Keystone at {os.environ['KEYSTONE_URL']}: {error}", returncode=2)
    if seen != DATABASE:
        pytest.exit(f"the server is on {seen}, which this run has to know: set KEYSTONE_DATABASE={seen}", returncode=2)


def _database_of(url: str, username: str, password: str) -> str:
    """Return what a server keeps its records in: on SQLite a search in a text finds letters of either case."""
    with KeystoneClient(url) as client:
        client.login(username, password)
        other_case = {"username": username, "username__contains": username.swapcase()}
        return "sqlite" if client.count_user(filters=other_case) else "postgresql"


class Blocking:
    """A blocking interface to an async client, so that each test is written once."""

    def __init__(self, client: AsyncKeystoneClient, portal: BlockingPortal) -> None:
        self._client, self._portal = client, portal

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        if not callable(attribute):
            return attribute
        if name == "batch":
            return lambda **options: self._portal.wrap_async_context_manager(attribute(**options))
        if name.startswith("iterate_") or name == "http_iterate":
            return lambda *args, **options: self._iterate(attribute(*args, **options))
        return lambda *args, **options: self._blocking(self._portal.call(lambda: attribute(*args, **options)))

    def _blocking(self, result: Any) -> Any:
        """Return a result; what has methods that are awaited gets blocking ones."""
        if isinstance(result, AsyncKeystoneClient):
            return Blocking(result, self._portal)
        if isinstance(result, AsyncPlan):
            apply = result.apply
            vars(result)["apply"] = lambda **how: self._portal.call(lambda: apply(**how))
        return result

    def _iterate(self, records: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self._portal.call(records.__anext__)
                except StopAsyncIteration:
                    return
        finally:
            self._portal.call(records.aclose)


class Bench:
    """A client under test; deletes the records it created when the test ends."""

    def __init__(self, client: Any, door: Door, connect: Callable[..., Any]) -> None:
        self.client = client
        self.door = door
        self.connect = connect
        """Makes another client of the same colour, not logged in; with ``from_env=True`` from the environment."""
        self._made: list[tuple[str, int]] = []
        self._shared: dict[str, int] = {}

    def name(self) -> str:
        """Return a unique name that is short enough for every field."""
        return f"{MARK}{uuid.uuid4().hex[:12]}"

    def made(self, resource: str, record: Any) -> Any:
        """Register a record to be deleted after the test."""
        self._made.append((resource, record["id"]))
        return record

    def make(self, resource: str, **fields: Any) -> Any:
        """Create a record that is deleted after the test."""
        return self.made(resource, getattr(self.client, f"create_{resource}")(**fields))

    def shared(self, resource: str, make: Callable[[], Any]) -> int:
        """Return the key of a parent record, creating it on first use."""
        if resource not in self._shared:
            self._shared[resource] = make()["id"]
        return self._shared[resource]

    def clean(self) -> None:
        for resource, pk in reversed(self._made):
            getattr(self.client, f"delete_{resource}")(pk)


@contextmanager
def open_door(kind: str) -> Iterator[Door]:
    if kind == "live":
        url = os.environ["KEYSTONE_URL"].rstrip("/") + "/"
        yield Door(url, None, os.environ["KEYSTONE_USERNAME"], os.environ["KEYSTONE_PASSWORD"])
        return
    fake = FakeKeystone()
    with ExitStack() as stack:
        url, transport = fake.url, None
        if kind == "transport":
            transport = fake.transport
        elif kind == "respx":
            stack.enter_context(fake.mock())
        else:
            url = stack.enter_context(fake.serve())
        yield Door(url, transport, "admin", "quickstart")


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    with open_door(request.param) as opened:
        yield opened


@pytest.fixture(params=COLOURS)
def bench(request: pytest.FixtureRequest, door: Door) -> Iterator[Bench]:
    with ExitStack() as stack:
        if request.param == "sync":

            def connect(below: str = "", from_env: bool = False, **options: Any) -> Any:
                make = KeystoneClient.from_env if from_env else partial(KeystoneClient, door.url + below)
                return stack.enter_context(make(transport=door.transport, **options))

        else:
            portal = stack.enter_context(start_blocking_portal(request.param))

            def connect(below: str = "", from_env: bool = False, **options: Any) -> Any:
                make = AsyncKeystoneClient.from_env if from_env else partial(AsyncKeystoneClient, door.url + below)
                client = make(transport=door.transport, **options)
                stack.callback(portal.call, client.close)
                return Blocking(client, portal)

        client = connect()
        client.login(door.username, door.password)
        ready = Bench(client, door, connect)
        stack.callback(ready.clean)
        yield ready
