"""``FakeKeystone``: what test authors hold in their hands. It hands on to the world and opens its doors."""

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._clock import Clock
from ._database import POSTGRESQL, database_named
from ._faults import Fault, check_fault
from ._journal import Journal
from ._seed import Seeder
from ._transactions import HeldTransaction
from ._world import World, WorldSnapshot

if TYPE_CHECKING:
    from keystone_client import AsyncKeystoneClient, KeystoneClient

    from .doors.transport import FakeTransport

DEFAULT_URL = "http://keystone.test/"


class FakeKeystone:
    """A Keystone in memory: one world, with one superuser ``admin`` / ``quickstart``, and doors to it."""

    def __init__(
        self, url: str = DEFAULT_URL, *, database: str = POSTGRESQL.name, secure_cookies: bool = False
    ) -> None:
        """Make a world.

        Args:
            url: the base URL it answers at, with or without a path.
            database: what the server keeps its records in: ``postgresql``, as in production, or ``sqlite``, as a server
                for development. Case, order, ids and bounds depend on it.
            secure_cookies: whether cookies carry ``Secure``, as on a server behind TLS.

        Raises:
            ValueError: the URL is none, or there is no such kind of database.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is no base URL: http or https, a host, and perhaps a port and a path")
        self.url = url.rstrip("/") + "/"
        self.world = World(parts.path.rstrip("/"), database_named(database))
        self.world.secure_cookies = secure_cookies
        self.add = Seeder(self.world)

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
        """Every request and answer so far."""
        return self.world.journal

    @property
    def unused_faults(self) -> list[Fault]:
        """The planned faults that have not hit as often as planned."""
        return self.world.faults.unused

    def complaints(self, *, strict: bool = False) -> list[str]:
        """Return what a test should hear about when it is over, even if the code under test swallowed it.

        Args:
            strict: also requests to unknown paths, and query parameters the server would ignore.

        Returns:
            One line for each planned fault that has not hit as often as planned and, if asked, for each such request.
        """
        from ._report import complaints

        return complaints(self.unused_faults, self.journal, strict)

    def verify(self, *, strict: bool = False) -> None:
        """Check that there is nothing to complain of; see ``complaints``.

        Raises:
            AssertionError: there is; it names all of it.
        """
        if found := self.complaints(strict=strict):
            raise AssertionError("\n".join(found))

    @cached_property
    def transport(self) -> "FakeTransport":
        """The httpx door, for sync and async clients."""
        from .doors.transport import FakeTransport

        return FakeTransport(self.world)

    def mock(self) -> AbstractContextManager["FakeKeystone"]:
        """Return a block in which any httpx client that calls ``url`` reaches this fake.

        Loopback addresses pass through; any other host is refused by name.
        """
        from .doors.respx_door import open_door

        return open_door(self)

    @contextmanager
    def serve(self, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
        """Serve this fake over HTTP inside the block.

        Args:
            port: TCP port; 0 for a free one.
            host: address to bind to.

        Yields:
            The base URL.
        """
        from .doors.server import Server

        with Server(self.world, host, port) as server:
            yield server.url

    def add_demo_data(self, today: dt.date | None = None) -> None:
        """Add the records of a made-up centre: 200 users, 40 teams, some thousand records with their histories.

        Args:
            today: the last day of the centre's four years, for the same dates every time; the clock's by default.
        """
        from ._demo import DemoCentre

        with self.world.lock:
            DemoCentre(self.add, today or self.clock.now().date()).build()

    def client(
        self, user: Any = "admin", *, role: str | None = None, team: Any = None, **options: Any
    ) -> "KeystoneClient":
        """Return a client that is logged in.

        Args:
            user: login name, id or record; ``None`` for a client of nobody.
            role: instead of a user: ``outsider``, ``member``, ``team_admin``, ``owner``, ``staff`` or ``superuser``;
                the user is made on demand.
            team: of the role, as id or record; the newest by default.
            options: further arguments of ``KeystoneClient``.

        Returns:
            The client; close it, or use it as a context manager. Its waits advance ``clock`` and cost no time.
        """
        from .doors.clients import logged_in

        return logged_in(self, user if role is None else self.add.actor(role, team), options)

    def async_client(
        self, user: Any = "admin", *, role: str | None = None, team: Any = None, **options: Any
    ) -> "AsyncKeystoneClient":
        """Return an async client that is logged in; see ``client``."""
        from .doors.clients import logged_in_async

        return logged_in_async(self, user if role is None else self.add.actor(role, team), options)

    def fail(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        status: int | None = None,
        error: str | None = None,
        when: str = "before",
        times: int | None = 1,
        user: str | None = None,
        delay: float = 0,
        route: str | None = None,
        skip: int = 0,
        retry_after: int | None = None,
        json: Any = None,
        visible_after: float | None = None,
    ) -> None:
        """Plan a fault for the next requests that match.

        Args:
            method: HTTP method, in any case; any by default.
            path: what the path below the base URL starts with, by whole segments; ``*`` is any one segment.
            status: answer this status, with the body the server gives it.
            error: ``connect``, ``timeout``, ``reset``, ``cut``, ``html`` (a page of a proxy; with a ``status`` if you
                like), ``expired`` (the session of the request has ended; with ``when="after"`` it ends once the request
                is answered), or ``database`` (the server has lost its database: what needs it answers 500).
            when: ``before`` the request is handled, or ``after``: then the write happened and the answer is lost.
            times: for how many requests; ``None`` for all from now on, until ``heal``.
            user: only for requests of this login name; an empty text for nobody.
            delay: latency in seconds; in process it moves the clock and costs no time. Where the client does not wait
                so long, the request times out: ``before`` it was handled, or ``after``.
            route: the endpoint, like ``/users/teams/`` (the listing alone) or ``/users/teams/{id}/``.
            skip: how many matching requests are spared first: ``skip=1`` hits the second page.
            retry_after: the ``Retry-After`` header of a status, in seconds; 60 for 429 by default.
            json: the body of a status, if not the usual one.
            visible_after: with ``when="after"``: the server is still at work when the client gives up, and others see
                what it writes only so many seconds later, on ``clock``; see ``hold``.

        Raises:
            ValueError: an argument makes no sense.
        """
        fault = Fault(method, path, route, user, status, error, False, delay, retry_after, json, visible_after)
        if visible_after is not None:
            self._check_concurrent("visible_after=")
        with self.world.lock:
            self.world.faults.add(check_fault(fault, when), times, skip)

    def hold(self) -> AbstractContextManager[HeldTransaction]:
        """Return a block whose writes belong to another writer's open transaction.

        What is written inside, by ``add`` or by requests, takes its ids at once, audit rows too. When the block ends
        nobody sees it, until ``commit()`` of what the block yields, or never, after ``rollback()``. Meanwhile others
        write and get higher ids. An exception in the block rolls it back.

        A write that meets it, at the same record or a unique value, would wait on a real server; here the transaction
        commits first, and the write follows: with 500 where another has taken the unique value.

        Raises:
            ValueError: a server on SQLite has no concurrent transactions.
        """
        self._check_concurrent("hold()")
        return self.world.transactions.hold(self.world)

    def _check_concurrent(self, what: str) -> None:
        if self.world.database.serial_writes:
            raise ValueError(
                f"{what} needs a fake with database='postgresql': on {self.database} writes come one after the other"
            )

    def heal(self) -> None:
        """Forget every planned fault: none hits any more, and none is reported as unused."""
        with self.world.lock:
            self.world.faults.clear()

    def throttle(self, user: str | None = None, anon: str | None = None) -> None:
        """Set the server's rate limits, like ``300/min``; ``None`` for no limit.

        Args:
            user: for each user.
            anon: for each anonymous address.
        """
        with self.world.lock:
            self.world.throttle.set("user", user)
            self.world.throttle.set("anon", anon)

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
        from ._dump import dump_world

        return dump_world(self.world)

    def load(self, text: str) -> None:
        """Make this world what a dump says; everybody is logged out, journal, faults and clock stay as they are.

        The kind of database stays this fake's own, whatever the dump was made on; held transactions end.

        Args:
            text: what ``dump`` returned, of this fake or another.

        Raises:
            ValueError: the text is no dump, or one of another version; nothing has changed.
        """
        from ._dump import load_world

        load_world(self.world, text)

    def reset(self) -> None:
        """Go back to a new world: records, sessions, journal, faults, throttle and clock; the database stays."""
        self.world.reset()
