"""Walk a listing of which nothing is known, page by page, and refuse to go on when it changes meanwhile.

The idea. Without a key that can be compared there is no way to walk on safely while others insert and delete. But a
change can be noticed: the number of records is another, a page repeats a record, or it has fewer records than it
should. Then the listing ends with an error instead of a list with gaps. A change that leaves the number as it is, one
record deleted and one inserted between two pages, is noticed if it moves a record that was read; that is why each page
overlaps the page before by one record.

What must never be done here: to take a page for the last one because it is short.
"""

from typing import Any

from .._flow import Flow
from .pages import Found, Reader


class OffsetWalk:
    """A walk through all records of a listing in the server's own order; it finds each record once or fails."""

    def __init__(self, reader: Reader) -> None:
        """Prepare the walk; nothing is sent.

        Args:
            reader: Fetches the pages, none smaller than two records: one of them is the overlap.
        """
        self._reader = reader
        self._seen: set[Any] = set()
        self._last: Any = None
        self._total: int | None = None
        self._done = False

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch the next page; see ``Walk``."""
        if self._done:
            return None
        overlap = 1 if self._seen else 0
        offset = {"_offset": str(len(self._seen) - overlap)}
        page = yield from self._reader.page(offset, None if most is None else max(most, 1) + overlap)
        records = page.records
        if self._total not in (None, page.total):
            raise self._reader.incomplete(f"it had {self._total} records and has {page.total} now: it changes")
        if overlap and (not records or records[0]["id"] != self._last):
            raise self._reader.incomplete("the records moved between two pages: it changes")
        fresh = records[overlap:]
        keys = {record["id"] for record in fresh}
        if len(keys) < len(fresh) or keys & self._seen:
            raise self._reader.incomplete("a record came twice")
        self._seen |= keys
        self._total = page.total
        self._done = not page.more
        if not page.more and len(self._seen) != page.total:
            raise self._reader.incomplete(f"the server counts {page.total} records and sends {len(self._seen)}")
        if page.more and not fresh:
            raise self._reader.incomplete("a page brings nothing new although another is said to follow")
        if records:
            self._last = records[-1]["id"]
        return Found(fresh, page.total)
