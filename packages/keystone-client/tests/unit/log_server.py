"""A log table as in PostgreSQL: a row gets its key when it is written and becomes visible when its transaction ends."""

from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, NamedTuple

import httpx

from .listing_server import ListServer, Record

BEGIN = datetime(2026, 7, 1, tzinfo=UTC).timestamp()


class Writing(NamedTuple):
    """Rows that have a timestamp but no keys yet, and how their transaction will end."""

    number: int
    moment: str
    """The timestamp of the rows, which the server takes before their keys."""
    keys_at: float
    end: float
    commits: bool
    method: str


class Transaction(NamedTuple):
    """Rows that become visible when the transaction commits."""

    end: float
    commits: bool
    rows: list[Record]


class LogServer:
    """Answers listings of a log; has its own clock, sent in the ``Date`` header."""

    def __init__(self) -> None:
        self.time = BEGIN
        self.requests: list[httpx.Request] = []
        self.committed: list[Record] = []
        """Every row that was ever visible, including deleted ones."""
        self._table = ListServer([])
        self._begun: list[Writing] = []
        self._open: list[Transaction] = []
        self._keys = 0

    @property
    def rows(self) -> list[Record]:
        return self._table.records

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self._table(request)
        response.headers["date"] = formatdate(int(self.time), usegmt=True)
        return response

    def write(
        self, number: int = 1, *, delay: float = 0, lasts: float = 0, commits: bool = True, method: str = "GET"
    ) -> None:
        """Write rows: timestamped now, given keys after a delay, visible when their transaction ends."""
        moment = datetime.fromtimestamp(self.time, UTC).isoformat()
        keys_at, end = self.time + min(delay, lasts), self.time + lasts
        self._begun.append(Writing(number, moment, keys_at, end, commits, method))
        self._settle()

    def wait(self, seconds: float) -> None:
        """Advance the clock; assign keys and end transactions that are due."""
        until = self.time + seconds
        while (due := min((event for event in self._events() if event <= until), default=None)) is not None:
            self.time = max(self.time, due)
            self._settle()
        self.time = until

    def _events(self) -> list[float]:
        return [each.keys_at for each in self._begun] + [each.end for each in self._open]

    def _settle(self) -> None:
        for writing in [each for each in self._begun if each.keys_at <= self.time]:
            self._begun.remove(writing)
            rows = [self._row(writing) for _ in range(writing.number)]
            self._open.append(Transaction(writing.end, writing.commits, rows))
        for each in [each for each in self._open if each.end <= self.time]:
            self._open.remove(each)
            if each.commits:
                self.rows.extend(each.rows)
                self.committed.extend(each.rows)

    def _row(self, writing: Writing) -> Record:
        self._keys += 1
        return {"id": self._keys, "timestamp": writing.moment, "method": writing.method}

    def purge(self, age: float) -> None:
        """Delete the rows older than an age in seconds."""
        self._table.records = [row for row in self.rows if datetime.fromisoformat(row["timestamp"]) > self.ago(age)]

    def ago(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(self.time - seconds, UTC)

    def replace(self, *rows: Any) -> None:
        """Replace all rows, as restoring a backup does."""
        self._table.records = list(rows)
