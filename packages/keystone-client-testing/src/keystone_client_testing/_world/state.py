"""The world: everything one fake Keystone remembers. How it answers is in ``_server.engine``."""

import datetime as dt
import threading
from functools import cache
from typing import NamedTuple

from .clock import Clock
from .database import POSTGRESQL, Database
from .faults import Faults
from .history import Origin, as_text, record_change
from .journal import Journal
from .models import empty_record
from .passwords import Secret
from .rate_limits import Throttle
from .sessions import Session, Sessions
from .store import Record, Snapshot, Store
from .transactions import Transactions

ADMIN = "admin"
ADMIN_PASSWORD = "quickstart"


class WorldSnapshot(NamedTuple):
    """What a world was like at one moment."""

    store: Snapshot
    files: dict[str, bytes]
    live: dict[str, Session]
    tokens: dict[str, int]


@cache
def _admin() -> tuple[Record, Record]:
    """Return the superuser and the audit row of its creation. A new world copies both, with its own time in them."""
    store, now = Store(), dt.datetime.now(dt.UTC)
    flags = {"username": ADMIN, "is_staff": True, "is_superuser": True}
    values = {**empty_record("user"), **flags, "password": Secret(ADMIN_PASSWORD), "date_joined": now}
    record_change(store, "user", None, store.insert("user", values), now, Origin())
    return store.tables["user"][1], store.tables["audit_log"][1]


class World:
    """Records, sessions, clock, faults, journal, rate limits and held transactions, and the one lock around them."""

    def __init__(self, prefix: str = "", database: Database = POSTGRESQL) -> None:
        """Start with one superuser.

        Args:
            prefix: the path the API is mounted under, without its last slash.
            database: the kind of database the server runs on.
        """
        self.prefix = prefix
        self.database = database
        self.secure_cookies = False
        self.lock = threading.RLock()
        self.store = Store(database)
        self.transactions = Transactions()
        self.clock = Clock()
        self.faults = Faults()
        self.journal = Journal()
        self.throttle = Throttle()
        self.sessions = Sessions()
        self.health: dict[str, str] = {}
        """The error of each health check that was set; empty where it is well."""
        self._add_admin()

    def _add_admin(self) -> None:
        now = self.clock.now()
        user, row = _admin()
        self.store.insert("user", {**user, "password": Secret(ADMIN_PASSWORD), "date_joined": now})
        changes = {**row["changes"], "date_joined": ["None", as_text(now)]}
        self.store.insert("audit_log", {**row, "timestamp": now, "changes": changes})

    def reset(self) -> None:
        """Go back to a new world; the journal and the faults go too, the clock starts at real time.

        Held transactions end with what they wrote; the kind of database stays.
        """
        with self.lock:
            self.transactions.drop()
            self.store, self.clock, self.sessions = Store(self.database), Clock(), Sessions()
            self.throttle, self.faults, self.health = Throttle(), Faults(), {}
            self.journal.clear()
            self._add_admin()

    def snapshot(self) -> WorldSnapshot:
        """Return the records, files, sessions and tokens as they are."""
        with self.lock:
            files, live, tokens = dict(self.store.files), dict(self.sessions.live), dict(self.sessions.tokens)
            return WorldSnapshot(self.store.snapshot(), files, live, tokens)

    def restore(self, snapshot: WorldSnapshot) -> None:
        """Go back to a snapshot; journal, faults and clock stay as they are, held transactions end."""
        with self.lock:
            self.transactions.drop()
            self.store.restore(snapshot.store)
            self.store.files = dict(snapshot.files)
            self.sessions.live, self.sessions.tokens = dict(snapshot.live), dict(snapshot.tokens)
