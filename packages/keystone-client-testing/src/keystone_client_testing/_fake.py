"""``FakeKeystone``: what test authors hold in their hands. It hands on to the world and opens its doors."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._clock import Clock
from ._faults import Fault, make_fault
from ._journal import Journal
from ._seed import Seeder
from ._world import World, WorldSnapshot

if TYPE_CHECKING:
    from keystone_client import AsyncKeystoneClient, KeystoneClient

    from .doors.transport import FakeTransport

DEFAULT_URL = "http://keystone.test/"


class FakeKeystone:
    """A Keystone in memory: one world, with one superuser ``admin`` / ``quickstart``, and doors to it."""

    def __init__(self, url: str = DEFAULT_URL, *, secure_cookies: bool = False) -> None:
        """Make a world.

        Args:
            url: the base URL it answers at, with or without a path.
            secure_cookies: whether cookies carry ``Secure``, as on a server behind TLS.

        Raises:
            ValueError: the URL is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is no base URL: http or https, a host, and perhaps a port and a path")
        self.url = url.rstrip("/") + "/"
        self.world = World(parts.path.rstrip("/"))
        self.world.secure_cookies = secure_cookies
        self.add = Seeder(self.world)

    def __repr__(self) -> str:
        """Show where it answers."""
        return f"<FakeKeystone {self.url}>"

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

    def add_demo_data(self) -> None:
        """Add the records of a made-up centre: 200 users, 40 teams, some thousand records, always the same."""
        from ._demo import DemoCentre

        with self.world.lock:
            DemoCentre(self.add).build()

    def client(self, user: Any = "admin", **options: Any) -> "KeystoneClient":
        """Return a client that is logged in.

        Args:
            user: login name, id or record.
            options: further arguments of ``KeystoneClient``.

        Returns:
            The client; close it, or use it as a context manager.
        """
        from .doors.clients import logged_in

        return logged_in(self, user, options)

    def async_client(self, user: Any = "admin", **options: Any) -> "AsyncKeystoneClient":
        """Return an async client that is logged in; see ``client``."""
        from .doors.clients import logged_in_async

        return logged_in_async(self, user, options)

    def fail(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        status: int | None = None,
        error: str | None = None,
        when: str = "before",
        times: int = 1,
        user: str | None = None,
        delay: float = 0,
    ) -> None:
        """Plan a fault for the next requests that match.

        Args:
            method: HTTP method; any by default.
            path: what the path below the base URL starts with; any by default.
            status: answer this status.
            error: ``connect``, ``timeout``, ``reset``, ``cut``, ``html`` (a page of a proxy), or ``expired`` (the
                session of the request has ended; with ``when="after"`` it ends once the request is answered).
            when: ``before`` the request is handled, or ``after``: then the write happened and the answer is lost.
            times: for how many requests.
            user: only for requests of this login name.
            delay: latency in seconds; in process it moves the clock and costs no time.

        Raises:
            ValueError: an argument makes no sense.
        """
        with self.world.lock:
            self.world.faults.add(make_fault(method, path, status, error, when, user, delay), times)

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
        """Return the records, files, sessions and tokens as they are now."""
        return self.world.snapshot()

    def restore(self, snapshot: WorldSnapshot) -> None:
        """Go back to a snapshot, as often as you like."""
        self.world.restore(snapshot)

    def dump(self) -> str:
        """Return the world as JSON text: records, uploads, tokens; sessions, journal, faults and clock are not in it.

        Passwords are in it as salted hashes.
        """
        from ._dump import dump_world

        return dump_world(self.world)

    def load(self, text: str) -> None:
        """Make this world what a dump says; everybody is logged out, journal, faults and clock stay as they are.

        Args:
            text: what ``dump`` returned, of this fake or another.

        Raises:
            ValueError: the text is no dump, or one of another version; nothing has changed.
        """
        from ._dump import load_world

        load_world(self.world, text)

    def reset(self) -> None:
        """Go back to a new world: records, sessions, journal, faults, throttle and clock."""
        self.world.reset()
