"""Walking in an order of the user's: down the reversed list, so that deletes only move records that were seen.

The highest key is pinned first, so inserts cannot shift anything. Offsets then fall from the end of the reversed list
to its beginning: a record deleted below moves those above it down, to where the walk has been or is going, never past
it. Pages overlap by one record, which shows whether anything moved up after all.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from .._errors import PaginationError
from .._flow import Flow
from .pages import Found, Parameters, Reader, Record

STEPS_UP: Final = 60
"""How often in a row the walk may step back up before the listing is given up."""


class OrderedWalk:
    """All records of a listing in an order that ends in the key, each once."""

    def __init__(self, reader: Reader, order: Sequence[str], *, pin: str = "id") -> None:
        """Say how to walk.

        Args:
            reader: Fetches the pages, none smaller than two records: one of them is the overlap.
            order: Field names, ``-`` in front for descending; the last is the key.
            pin: The column that only grows: new records get a higher value.
        """
        self._reader = reader
        self._forward = ",".join(order)
        self._reversed = ",".join(_turned(name) for name in order)
        self._pin = pin
        self._upper: dict[str, str] = {}
        self._top = 0
        """Every record from this offset of the reversed list on was seen."""
        self._seen: set[Any] = set()
        self._total = 0
        self._idle = 0
        self._started = self._done = False

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch the next page; see ``Walk``."""
        if self._done:
            return None
        if not self._started:
            self._started = True
            page = yield from self._reader.page({"_order": self._forward}, most)
            if self._reader.ended(page) or (most is not None and len(page.records) >= most):
                self._done = True
                return Found(page.records, page.total)
            yield from self._set_pin()
        return (yield from self._descend())

    def _set_pin(self) -> Flow[None]:
        highest, self._total = yield from self._reader.highest(self._pin)
        if highest is not None:
            if not _is_bound(self._pin, highest):
                raise self._reader.incomplete(f"the highest {self._pin} is {highest!r:.80}")
            self._upper = _bounded(self._pin, highest, self._reader.params)
        self._top = self._total

    def _descend(self) -> Flow[Found]:
        """One window of the reversed list that reaches up to what was seen; higher ones while there is a gap."""
        overlap = 1 if self._seen else 0
        size = self._reader.size
        start = max(self._top + overlap - size, 0)
        window = min(size, max(self._top + overlap - start, 2))
        for up in range(STEPS_UP):
            asked = {**self._upper, "_order": self._reversed, "_offset": str(start)}
            page = yield from self._reader.page(asked, window)
            if not page.more or (page.records and page.records[-1]["id"] in self._seen):
                return self._take(page.records, start)
            start += min(2**up, size - 1)
            window = size
        raise self._shifting()

    def _take(self, records: list[Record], start: int) -> Found:
        fresh = [record for record in reversed(records) if record["id"] not in self._seen]
        self._seen.update(record["id"] for record in fresh)
        self._idle = 0 if start < self._top and records else self._idle + 1
        if self._idle > STEPS_UP:
            raise self._shifting()
        self._top, self._done = start, start == 0
        return Found(fresh, max(self._total, len(self._seen)))

    def _shifting(self) -> PaginationError:
        return self._reader.incomplete(f"the records kept moving within the order {self._forward} for too long")


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _is_bound(column: str, value: Any) -> bool:
    """Whether a record can have this key, or have been written at this time."""
    if column == "id":
        return type(value) is int
    try:
        return datetime.fromisoformat(value) < datetime.fromisoformat(value) + timedelta(microseconds=1)
    except (TypeError, ValueError, OverflowError):
        return False


def _bounded(column: str, highest: Any, params: Parameters) -> dict[str, str]:
    """The parameter that keeps out what came later, beside bounds of the user's own: the last of a name wins."""
    at_most, below = f"{column}__lte", f"{column}__lt"
    if isinstance(highest, int):
        own = params.get(at_most)
        return {at_most: str(highest if own is None else min(highest, int(own)))}
    if at_most not in params:
        return {at_most: str(highest)}
    if below not in params:
        just_above = datetime.fromisoformat(str(highest)) + timedelta(microseconds=1)
        return {below: just_above.isoformat()}
    return {}  # bounded twice already
