"""``FakeKeystone``, the object that tests use: it owns a world and opens the doors to it.

Imports the doors when they are first used, because each brings an HTTP library and the fake works without any; likewise
the demo data and the dump, which few tests need.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._controls.controls import Controls
from ._seeding.seeder import Seeder
from ._world.clock import Clock
from ._world.database import POSTGRESQL, database_named
from ._world.journal import Journal
from ._world.state import World, WorldSnapshot

if TYPE_CHECKING:
    from keystone_client import AsyncKeystoneClient, KeystoneClient

    from .doors.transport import FakeTransport

DEFAULT_URL = "http://keystone.test/"
DEFAULT_DATABASE = POSTGRESQL.name


class FakeKeystone(Controls):
    """A Keystone in memory: one world, with one superuser ``admin`` / ``quickstart``, and doors to it."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        database: str = DEFAULT_DATABASE,
        secure_cookies: bool = False,
        journal: int | None = None,
    ) -> None:
        """Make a world.

        Args:
            url: the base URL it answers at, with or without a path.
            database: what the server keeps its records in: ``postgresql``, as in production, or ``sqlite``, as a server
                for development. Case, order, ids and bounds depend on it.
            secure_cookies: whether cookies carry ``Secure``, as on a server behind TLS.
            journal: how many of the last requests ``journal`` keeps; all by default.

        Raises:
            ValueError: the URL is none, there is no such kind of database, or the number is negative.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is no base URL: http or https, a host, and perhaps a port and a path")
        self.url: str = url.rstrip("/") + "/"
        self.world: World = World(parts.path.rstrip("/"), database_named(database))
        self.world.secure_cookies = secure_cookies
        self.world.journal.limit(journal)
        self.add: Seeder = Seeder(self.world)

    def __repr__(self) -> str:
        """Show where it answers."""
        return f"<FakeKeystone {self.url}>"

    @property
    def database(self) -> str:
        """What the server keeps its records in: ``postgresql`` or ``sqlite``."""
        return self.world.database.name

    @property
    def clock(self) -> Clock:
        """The clock: real time, plus what ``advance`` added."""
        return self.world.clock

    @property
    def journal(self) -> Journal:
        """Every request and answer so far, or the last ones if it was limited."""
        return self.world.journal

    @cached_property
    def transport(self) -> "FakeTransport":
        """The httpx door, for sync and async clients."""
        from .doors.transport import FakeTransport

        return FakeTransport(self.world)

    @contextmanager
    def mock(self) -> Iterator["FakeKeystone"]:
        """Let any httpx client that calls ``url`` reach this fake inside the block.

        Loopback addresses pass through; any other host is refused by name.

        Yields:
            This fake.
        """
        from .doors.respx_door import Door

        with Door(self.url, self.world):
            yield self

    @contextmanager
    def serve(self, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
        """Serve this fake over HTTP inside the block.

        Args:
            port: TCP port; 0 for a free one.
            host: address to bind to, of IPv4 or IPv6.

        Yields:
            The base URL.

        Raises:
            OSError: the port is taken, or this machine does not have the address.
        """
        from .doors.server import Server

        with Server(self.world, host, port) as server:
            yield server.url

    def add_demo_data(self, today: dt.date | None = None) -> None:
        """Add the records of a made-up centre: 200 users, 40 teams, some thousand records with their histories.

        Args:
            today: the last day of the centre's four years, for the same dates every time; the clock's by default.
        """
        from ._seeding.demo import DemoCentre

        with self.world.lock:
            DemoCentre(self.add, today or self.clock.now().date()).build()

    def client(
        self, user: Any = "admin", *, role: str | None = None, team: Any = None, **options: Any
    ) -> "KeystoneClient":
        """Return a client that is logged in.

        Args:
            user: login name, id or record; ``None`` for an anonymous client.
            role: instead of a user: ``outsider``, ``member``, ``team_admin``, ``owner``, ``staff`` or ``superuser``;
                the user is made on demand.
            team: of the role, as id, record or name; the newest by default.
            options: further arguments of ``KeystoneClient``.

        Returns:
            The client; close it, or use it as a context manager. Its waits advance ``clock`` and cost no time.
        """
        from .doors.clients import logged_in

        return logged_in(self.url, self.transport, self._user_id(user, role, team), options)

    def async_client(
        self, user: Any = "admin", *, role: str | None = None, team: Any = None, **options: Any
    ) -> "AsyncKeystoneClient":
        """Return an async client that is logged in; see ``client``."""
        from .doors.clients import logged_in_async

        return logged_in_async(self.url, self.transport, self._user_id(user, role, team), options)

    def _user_id(self, user: Any, role: str | None, team: Any) -> int | None:
        user = user if role is None else self.add.actor(role, team)
        return None if user is None else self.add.user_id(user)

    def snapshot(self) -> WorldSnapshot:
        """Return the records, files, sessions and tokens as they are now, without what is in held transactions."""
        return self.world.snapshot()

    def restore(self, snapshot: WorldSnapshot) -> None:
        """Go back to a snapshot, as often as you like; held transactions end with what they wrote."""
        self.world.restore(snapshot)

    def dump(self) -> str:
        """Return the world as JSON text: records, uploads, tokens; sessions, journal, faults and clock are not in it.

        Passwords are in it as salted hashes. The kind of database and held transactions are not in it either.
        """
        from ._world.dump import dump_world

        return dump_world(self.world)

    def load(self, text: str) -> None:
        """Make this world what a dump says; everybody is logged out, journal, faults and clock stay as they are.

        The kind of database stays this fake's own, whatever the dump was made on; held transactions end.

        Args:
            text: what ``dump`` returned, of this fake or another.

        Raises:
            ValueError: the text is no dump, or one of another version; nothing has changed.
        """
        from ._world.dump import load_world

        load_world(self.world, text)

    def reset(self) -> None:
        """Go back to a new world: records, sessions, journal, faults, throttle and clock; the database stays."""
        self.world.reset()
