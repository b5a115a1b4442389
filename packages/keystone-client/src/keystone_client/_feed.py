"""Walking the feed: its keys are text, so each kind is walked by its number, and the walks are merged by time."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from keystone_client_core import CHOICES

from ._flow import Flow
from ._pages import Found, Reader, Record
from ._walks import KeyWalk

RECORD_TYPES: Sequence[str] = tuple(CHOICES["FeedRecordType"])


class _Strand:
    """The entries of one kind, oldest first."""

    def __init__(self, walk: KeyWalk) -> None:
        self._walk = walk
        self.waiting: deque[Record] = deque()
        self.total = 0
        self.ended = False

    def fill(self, most: int | None) -> Flow[None]:
        while not self.waiting and not self.ended:
            found = yield from self._walk.step(most)
            if found is None:
                self.ended = True
            else:
                self.waiting.extend(found.records)
                self.total = found.total


class FeedWalk:
    """All entries of the feed, oldest first, each once."""

    def __init__(self, strands: Sequence[_Strand], reader: Reader) -> None:
        self._strands = strands
        self._reader = reader

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch entries of every kind as needed, and give those whose place is certain."""
        for strand in self._strands:
            yield from strand.fill(most)
        records = list(self._merged())
        return Found(records, sum(strand.total for strand in self._strands)) if records else None

    def _merged(self) -> Iterator[Record]:
        """The oldest entry again and again, until a kind runs dry that may have more."""
        while all(strand.waiting or strand.ended for strand in self._strands):
            filled = [strand for strand in self._strands if strand.waiting]
            if not filled:
                return
            yield min(filled, key=lambda strand: self._time(strand.waiting[0])).waiting.popleft()

    def _time(self, record: Record) -> datetime:
        try:
            moment = datetime.fromisoformat(record["timestamp"])
        except (KeyError, TypeError, ValueError):
            raise self._reader.confused(f"the entry {record.get('id')!r} has no timestamp") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def feed_walk(reader: Reader) -> FeedWalk:
    """Walk the entries of the feed that match, up to those there are when the walk begins."""
    wanted = reader.params.get("record_type")
    kinds = RECORD_TYPES if wanted is None else (wanted,)
    return FeedWalk([_Strand(_of_kind(reader, kind)) for kind in kinds], reader)


def _of_kind(reader: Reader, kind: str) -> KeyWalk:
    return KeyWalk(reader.narrowed({"record_type": kind}), key="record_id", pinned=True)
