"""A log as PostgreSQL keeps it: a row has its key when it is written, and is seen when its transaction ends."""

from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, NamedTuple

import httpx

from .listing_server import ListServer, Record

BEGIN = datetime(2026, 7, 1, tzinfo=UTC).timestamp()


class Transaction(NamedTuple):
    """Rows that nobody sees until it ends, if it is not rolled back."""

    end: float
    commits: bool
    rows: list[Record]


class LogServer:
    """Answers listings of a log at a time of its own, which its answers carry."""

    def __init__(self) -> None:
        self.time = BEGIN
        self.requests: list[httpx.Request] = []
        self.committed: list[Record] = []
        """Every row that was ever seen, those that are deleted too."""
        self._table = ListServer([])
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

    def write(self, number: int = 1, *, lasts: float = 0, commits: bool = True, method: str = "GET") -> None:
        """Write rows now, in a transaction that ends later."""
        rows = [self._row(method) for _ in range(number)]
        self._open.append(Transaction(self.time + lasts, commits, rows))
        self.wait(0)

    def _row(self, method: str) -> Record:
        self._keys += 1
        moment = datetime.fromtimestamp(self.time, UTC).isoformat()
        return {"id": self._keys, "timestamp": moment, "method": method}

    def wait(self, seconds: float) -> None:
        """Let time pass, and transactions end."""
        self.time += seconds
        for each in [each for each in self._open if each.end <= self.time]:
            self._open.remove(each)
            if each.commits:
                self.rows.extend(each.rows)
                self.committed.extend(each.rows)

    def purge(self, age: float) -> None:
        """Delete the rows that are older than this."""
        self._table.records = [row for row in self.rows if datetime.fromisoformat(row["timestamp"]) > self.ago(age)]

    def ago(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(self.time - seconds, UTC)

    def replace(self, *rows: Any) -> None:
        """Have other rows than before, as after a restore."""
        self._table.records = list(rows)
