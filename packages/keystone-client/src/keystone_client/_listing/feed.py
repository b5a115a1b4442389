"""Walk the feed: each kind of entry by its number, and the walks merged by time.

The keys of the feed are text, so it cannot be walked by key as a whole; the entries of one kind have numbers, and can.

The times of one kind do not quite follow its numbers: a server process takes the time of a row first and its number a
little later, and several processes overtake each other in between (by 0.34 s at most, as seen with four workers). So an
entry is handed out only when every kind has been read up to ``SLACK`` seconds beyond it.

Rejected:

- To hand out each kind in the order of its numbers: of 9,000 entries of a busy server, 78 were older than the one
  before.
- To walk by time alone: any number of entries may share one time, more than fit in a page.

What must never be done here: to hand out an entry while a kind that was not read to its end may have an older one.
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
"""Seconds by which an entry may be older than one of its kind with a lower number."""

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC) + SLACK


class _Kind:
    """The walk through the entries of one kind, and how far it has come."""

    def __init__(self, walk: KeyWalk) -> None:
        self.walk = walk
        self.newest = _EARLIEST
        """The newest time among the entries read so far."""
        self.pages = self.total = 0
        self.ended = False


class FeedWalk:
    """A walk through all entries of the feed, oldest first; it finds each entry once."""

    def __init__(self, kinds: Sequence[_Kind], reader: Reader) -> None:
        self._kinds = kinds
        self._reader = reader
        self._waiting: list[tuple[datetime, int, Record]] = []
        """A heap of the entries that were read and not yet handed out."""
        self._read = 0

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch pages until there are entries that no unread entry can precede; see ``Walk``."""
        while True:
            records = list(self._certain())
            if records:
                return Found(records, sum(kind.total for kind in self._kinds))
            behind = [kind for kind in self._kinds if not kind.ended]
            if not behind:
                return None
            yield from self._fetch(min(behind, key=lambda kind: kind.newest), most)

    def _fetch(self, kind: _Kind, most: int | None) -> Flow[None]:
        # Only the first page may be small: a small one may lie within SLACK as a whole and bring the walk no further.
        found = yield from kind.walk.step(most if kind.pages == 0 else None)
        kind.pages += 1
        if found is None:
            kind.ended = True
            return
        kind.total = found.total
        for record in found.records:
            moment = self._reader.moment(record)
            kind.newest = max(kind.newest, moment)
            self._read += 1
            heappush(self._waiting, (moment, self._read, record))

    def _certain(self) -> Iterator[Record]:
        """Hand out the entries that are older than any that is still unread."""
        until = min((kind.newest - SLACK for kind in self._kinds if not kind.ended), default=None)
        while self._waiting and (until is None or self._waiting[0][0] <= until):
            yield heappop(self._waiting)[2]


def feed_walk(reader: Reader) -> FeedWalk:
    """Return the walk through the matching entries, up to those that exist when it begins."""
    wanted = reader.params.get("record_type")
    kinds = RECORD_TYPES if wanted is None else (wanted,)
    return FeedWalk([_Kind(_of_kind(reader, kind)) for kind in kinds], reader)


def _of_kind(reader: Reader, kind: str) -> KeyWalk:
    return KeyWalk(reader.narrowed({"record_type": kind}), key="record_id", pinned=True)
