"""Walk a listing in the order of its keys: each page asks for what lies behind the last key of the page before.

The idea. An offset counts records, so each record that others insert or delete before it shifts all later pages, and
the listing repeats or loses records. A key does not move: ``id__gt=<last key>`` means the same place before and after
such a change. So a record that exists and matches during the whole walk is found once. The walk takes one request for
each page, and one for the pin.

Two things remain:

- A log grows by the very requests that read it, so a walk up to its end might never end. Such a walk is *pinned*: it
  asks for the highest key first and stops there.
- The server counts and fetches in two queries, and changes come in between. A delete makes the last page shorter than
  the count says; the walk looks again (``_stalled``). In descending order an insert may push the last record off a full
  page that is said to be the last; the walk looks behind it (``Reader.ended``).

Rejected: offsets, for the reason above; the address in ``next``, because proxies get its host and scheme wrong. Of
``next`` only whether it is null is used.

What must never be done here: to go on with a page whose keys do not advance, for that is a loop or a loss; to end the
walk because a page is short while another is said to follow.
"""

from typing import Final

from .._flow import Flow
from .pages import Found, Reader, Record

STALLS: Final = 3
"""How many pages in a row may hold fewer records than the server counted before the listing fails; see ``_stalled``."""


class KeyWalk:
    """A walk through all records of a listing by a numeric key; it finds each record once."""

    def __init__(
        self,
        reader: Reader,
        *,
        key: str = "id",
        descending: bool = False,
        after: int | None = None,
        pinned: bool = False,
    ) -> None:
        """Prepare the walk; nothing is sent.

        Args:
            reader: Fetches the pages.
            key: The column to walk by; its values are unique in the listing.
            descending: Walk from the highest key to the lowest.
            after: Begin behind this key.
            pinned: Stop at the highest key that exists when the walk begins.
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
        """Return the key to begin behind: ``after``, or the caller's own filter on the key, whichever is further on.

        The walk needs that filter's parameter for itself, and of two parameters of one name the server takes the last.
        """
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
        if not ended:
            self._stalls = 0
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
        """Check whether a last page holds fewer records than the server counted, so that the walk must look again.

        The server counts and fetches in two queries; a delete between them is the usual reason.
        """
        if count <= fetched:
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
