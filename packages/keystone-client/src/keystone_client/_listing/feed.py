"""Walk the feed: its keys are text, so each kind is walked by its number, and the walks are merged by time.

The times of one kind do not quite follow its numbers: a server process takes the time of a row first and its number a
little later, and several processes overtake each other in between (0.34 s at most was seen, with four workers). So an
entry is handed out when every kind has been read for ``SLACK`` seconds beyond it.

Rejected: to hand out each kind in the order of its numbers (of 9,000 entries of a busy server 78 were older than the
one before), and to walk by time alone (any number of entries may share one time, more than fit in a page).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from keystone_client_core import CHOICES

from .._flow import Flow
from .by_key import KeyWalk
from .pages import Found, Reader, Record

RECORD_TYPES: Sequence[str] = tuple(CHOICES["FeedRecordType"])

SLACK: Final = timedelta(seconds=60)
"""How far the times of two entries of a kind may cross their numbers."""

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC) + SLACK


class _Kind:
    """The entries of one kind, by number."""

    def __init__(self, walk: KeyWalk) -> None:
        self.walk = walk
        self.newest = _EARLIEST
        """The newest time among the entries read so far."""
        self.pages = self.total = 0
        self.ended = False


class FeedWalk:
    """All entries of the feed, oldest first, each once."""

    def __init__(self, kinds: Sequence[_Kind], reader: Reader) -> None:
        self._kinds = kinds
        self._reader = reader
        self._waiting: list[tuple[datetime, int, Record]] = []
        """A heap of the entries that were read and not handed out."""
        self._read = 0

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch pages until there are entries that none can come before; see ``Walk``."""
        while True:
            records = list(self._certain())
            if records:
                return Found(records, sum(kind.total for kind in self._kinds))
            behind = [kind for kind in self._kinds if not kind.ended]
            if not behind:
                return None
            yield from self._fetch(min(behind, key=lambda kind: kind.newest), most)

    def _fetch(self, kind: _Kind, most: int | None) -> Flow[None]:
        found = yield from kind.walk.step(most if kind.pages == 0 else None)  # a small page may lie within the slack
        kind.pages += 1
        if found is None:
            kind.ended = True
            return
        kind.total = found.total
        for record in found.records:
            moment = self._time(record)
            kind.newest = max(kind.newest, moment)
            self._read += 1
            heappush(self._waiting, (moment, self._read, record))

    def _certain(self) -> Iterator[Record]:
        """Hand out the entries that are older than any that may still be read."""
        until = min((kind.newest - SLACK for kind in self._kinds if not kind.ended), default=None)
        while self._waiting and (until is None or self._waiting[0][0] <= until):
            yield heappop(self._waiting)[2]

    def _time(self, record: Record) -> datetime:
        try:
            moment = datetime.fromisoformat(record["timestamp"])
        except (KeyError, TypeError, ValueError):
            raise self._reader.incomplete(f"the entry {record.get('id')!r} has no timestamp") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def feed_walk(reader: Reader) -> FeedWalk:
    """Walk the entries of the feed that match, up to those there are when the walk begins."""
    wanted = reader.params.get("record_type")
    kinds = RECORD_TYPES if wanted is None else (wanted,)
    return FeedWalk([_Kind(_of_kind(reader, kind)) for kind in kinds], reader)


def _of_kind(reader: Reader, kind: str) -> KeyWalk:
    return KeyWalk(reader.narrowed({"record_type": kind}), key="record_id", pinned=True)
