"""Walking by key: each page asks for what lies behind the last key, so inserts and deletes cannot shift anything."""

from typing import Final

from .._flow import Flow
from .pages import Found, Reader, Record

STALLS: Final = 3
"""How often a page may hold less than the server counted before it is called a contradiction; see ``_stalled``."""


class KeyWalk:
    """All records of a listing by a key that is a number, each once."""

    def __init__(
        self,
        reader: Reader,
        *,
        key: str = "id",
        descending: bool = False,
        after: int | None = None,
        pinned: bool = False,
    ) -> None:
        """Say how to walk.

        Args:
            reader: Fetches the pages.
            key: The column to walk by; its values are unique in the listing.
            descending: From the highest key to the lowest.
            after: Begin behind this key.
            pinned: Stop at the highest key there is when the walk begins.
        """
        self._reader = reader
        self._key = key
        self._descending = descending
        self._pinned = pinned
        self._last = self._begin(after)
        self._pin: int | None = None
        self._upper: dict[str, str] = {}
        self._given = 0
        self._stalls = 0
        self._done = False

    def _begin(self, after: int | None) -> int | None:
        """The user's own bound on the key is where the walk begins: a parameter counts only once, the last wins."""
        bound = self._reader.params.get(self._bound)
        bounds = [value for value in (after, None if bound is None else int(bound)) if value is not None]
        if not bounds:
            return None
        return min(bounds) if self._descending else max(bounds)

    @property
    def _bound(self) -> str:
        return f"{self._key}__lt" if self._descending else f"{self._key}__gt"

    def step(self, most: int | None) -> Flow[Found | None]:
        """Fetch the next page; see ``Walk``."""
        if self._pinned:
            yield from self._set_pin()
        if self._done:
            return None
        params = {"_order": f"-{self._key}" if self._descending else self._key, **self._upper}
        if self._last is not None:
            params[self._bound] = str(self._last)
        page = yield from self._reader.page(params, most)
        records = page.records
        self._check(records)
        ended = self._reader.ended(page) if self._descending else not page.more
        self._done = ended and not self._stalled(page.total, len(records))
        if page.more and not records:
            raise self._reader.incomplete("a page is empty although another is said to follow")
        total = self._given + max(page.total, len(records))
        self._given += len(records)
        return Found(records, total)

    def _set_pin(self) -> Flow[None]:
        self._pinned = False
        pin, _ = yield from self._reader.highest(self._key)
        if pin is None:
            self._done = True
            return
        if type(pin) is not int:
            raise self._reader.incomplete(f"a record has {self._key}={pin!r}, which is no number")
        name = f"{self._key}__lte"
        own = self._reader.params.get(name)
        self._pin = pin
        self._upper = {name: str(min(pin, int(own)) if own is not None else pin)}

    def _stalled(self, count: int, fetched: int) -> bool:
        """The server counts and fetches in two queries: a delete in between makes a last page short, so look again."""
        if count <= fetched:
            self._stalls = 0
            return False
        self._stalls += 1
        if self._stalls > STALLS:
            raise self._reader.incomplete(
                f"the server counts {count} more records and sends {fetched}, again and again"
            )
        return True

    def _check(self, records: list[Record]) -> None:
        for record in records:
            value = record.get(self._key)
            if type(value) is not int:
                raise self._reader.incomplete(f"a record has {self._key}={value!r}, which is no number")
            if self._last is not None and not (value < self._last if self._descending else value > self._last):
                raise self._reader.incomplete(f"{self._key}={value} came after {self._last}: the pages do not advance")
            if self._pin is not None and value > self._pin:
                raise self._reader.incomplete(f"{self._key}={value} lies above the bound {self._pin}")
            self._last = value
