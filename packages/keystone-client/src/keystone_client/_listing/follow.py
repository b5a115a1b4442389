"""Follow a log: hand out each record once, even where records become visible out of the order of their keys.

The problem. PostgreSQL assigns the key of a row when the row is written, and makes the row visible when its transaction
ends. A batch job holds rows with low keys back for seconds while rows of other writers, with higher keys, are visible
already. So the new rows are not only those behind the highest key seen.

The idea. A row carries the time at which the server began to write it, T. Its transaction ends by T + ``overlap``, the
longest time a transaction may take, so its key was assigned by then, and every lower key before. At T + 2 * ``overlap``
each row with a lower key is visible or never will be. So a listing that begins at that time or later *settles* every
key up to this row's. The position holds a *floor*, the highest settled key, and the keys above it whose rows were
handed out. A call lists the rows above the floor, hands out those that were not handed out yet, and raises the floor.

Nothing is concluded from gaps between keys: filters, rolled back writes and deleted rows leave gaps too.

All times are the server's: those of the rows, and the ``Date`` of an answer that came before the listing began.

Rejected:

- To remember the highest key: of 199 rows 103 were lost while three jobs ran.
- To remember, instead of the times of the rows, the highest key at certain times: that settles nothing of an old log
  before ``overlap`` has passed, so a million old rows, read in steps, would be listed again in every step.

What must never be done here: to raise the floor by a row of a listing that did not begin at the floor, or by the time
of an answer that came after the listing began.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from keystone_client_core import (
    RESOURCES,
    FieldError,
    FilterError,
    Resource,
    brief,
    encode_filters,
    primary_key,
)

from .._config.retry_policy import LONGEST_SECONDS
from .._flow import Flow
from .._protocol.call import Call
from .._protocol.requests import Draft
from .._protocol.responses import page_of
from .._protocol.retries import sent_at
from .by_key import KeyWalk
from .pages import Reader, Record
from .position import Position, Subject, decode_position, encode_position
from .query import Beginning, Followed, FollowOptions
from .url_room import room_for_filters

_AT_ONCE: Final = 10_000
"""The most rows kept in memory while existing rows are skipped."""


class _Now(NamedTuple):
    """The newest row of the log, and the server's time before the listing began."""

    key: int
    time: float


def follow(call: Call, name: str, options: FollowOptions) -> Flow[Followed[Any]]:
    """Fetch the records that are new since a position; see ``KeystoneClient.follow_audit_log``."""
    resource = RESOURCES[name]
    overlap, limit = _checked_overlap(options.overlap), _checked_limit(options.limit)
    encoded = encode_filters(resource, options.filters, room=room_for_filters(call, resource))
    if encoded.keys is not None:
        raise FilterError("id__in has more keys than fit in one request: follow without it", field="id__in")
    after = options.after if options.after is None or str(options.after) == "now" else primary_key(options.after)
    subject = Subject(call.session.base_url, name, encoded.params)
    position = None if options.position is None else decode_position(options.position, subject)
    log = _Log(call, resource, encoded.params, overlap)
    now = yield from log.newest()
    if position is None:
        position = yield from log.beginning(after, now)
    yield from log.check(position, now)
    if encoded.nothing:
        return Followed([], encode_position(position._replace(asked=now.time), subject), False)
    records, position, more = yield from log.read(position, now, limit)
    return Followed(records, encode_position(position, subject), more)


def _checked_overlap(overlap: object) -> float:
    if type(overlap) not in (int, float) or not 0 < overlap <= LONGEST_SECONDS:  # type: ignore[operator]  # a number by now
        raise FieldError(f"overlap={brief(overlap)}: give seconds above 0, to {LONGEST_SECONDS:.0e}", field="overlap")
    return float(overlap)  # type: ignore[arg-type]  # as above


def _checked_limit(limit: object) -> int:
    if type(limit) is not int or limit < 1:
        text = f"limit={brief(limit)}: give the most records a call may bring, an integer from 1 on"
        raise FilterError(text, field="limit", value=limit)
    return limit


class _Log:
    """One log, as one call reads it."""

    def __init__(self, call: Call, resource: Resource, params: Mapping[str, str], overlap: float) -> None:
        self._call, self._resource, self._params = call, resource, params
        self._settled_after = 2 * overlap
        self._overlap = overlap

    def newest(self) -> Flow[_Now]:
        """Fetch the key of the newest row, without the caller's filters, and the server's time."""
        endpoint, asked = f"{self._resource.path}/", {"_order": "-id", "_limit": "1"}
        response = yield from self._call.send(Draft("GET", endpoint, asked))
        page = page_of(response, self._call.cid)
        time = sent_at(response)
        key = self._key(page.records[0]) if page.records else 0
        return _Now(key, self._call.session.now() if time is None else time)

    def beginning(self, after: Beginning, now: _Now) -> Flow[Position]:
        """Return the position to begin at; ``after`` says which rows count as read already."""
        if after is None:
            return Position()
        if after != "now":
            return Position(primary_key(after))
        until = datetime.fromtimestamp(now.time - self._settled_after, UTC).isoformat()
        settled = yield from self._one({"_order": "-id", "timestamp__lte": until})
        position = Position(self._key(settled) if settled else 0)
        more = True
        while more:
            _, position, more = yield from self.read(position, now, _AT_ONCE)  # rows that are there already
        return position

    def check(self, position: Position, now: _Now) -> Flow[None]:
        """Refuse to go on where rows may be missing.

        Raises:
            PaginationError: The log was replaced, or rows were deleted before they were read.
        """
        if 0 < now.key < position.floor:
            raise self._reader().incomplete(
                f"its newest key is {now.key}, and the position has read up to {position.floor}: the database was "
                f"restored or replaced. Begin anew, with position=None and after={now.key} or after=None"
            )
        if not position.passed or position.asked is None or now.time - position.asked <= self._overlap:
            return
        oldest = yield from self._one({"_order": "id"})
        if oldest is None or self._key(oldest) <= position.passed + 1 or self._time(oldest) <= position.asked:
            return
        asked = datetime.fromtimestamp(position.asked, UTC).isoformat(" ", "seconds")
        raise self._reader().incomplete(
            f"its oldest key is {oldest['id']}, of {oldest['timestamp']}, and the position has read up to "
            f"{position.passed}, at {asked}: rows between them may have been deleted unread. Begin anew, with "
            f"position=None and after={oldest['id'] - 1}"
        )

    def read(self, position: Position, now: _Now, limit: int) -> Flow[tuple[list[Record], Position, bool]]:
        """List the rows above the floor, or go on where the limit ended the last call.

        Returns:
            The records not handed out before, the position behind them, and whether there are more right now.
        """
        start = position.resume if self._may_resume(position, now) else None
        walk = KeyWalk(self._reader(now.key), after=start if start is not None else position.floor or None)
        listed: list[Record] = []
        fresh: list[Record] = []
        more = False
        while not more:
            found = yield from walk.step(limit - len(fresh) + len(position.seen) + 1)
            if found is None:
                break
            for record in found.records:
                if record["id"] not in position.seen:
                    more = len(fresh) == limit
                    if more:
                        break
                    fresh.append(record)
                listed.append(record)
        floor = position.floor if start is not None else self._settled(position.floor, listed, now)
        seen = position.seen.union(record["id"] for record in fresh)
        behind = Position(
            floor,
            frozenset(key for key in seen if key > floor),
            fresh[-1]["id"] if more and fresh[-1]["id"] > floor else None,
            position.begun if start is not None else now.time,
            min(self._time(fresh[-1]), now.time) if more else now.time,
        )
        return fresh, behind, more

    def _may_resume(self, position: Position, now: _Now) -> bool:
        """Check whether the listing may go on where the limit ended it, instead of beginning at the floor.

        Only for ``overlap`` seconds: late rows are found, and the floor is raised, by listings that begin at the floor.
        """
        return position.resume is not None and position.begun is not None and now.time - position.begun < self._overlap

    def _settled(self, floor: int, listed: list[Record], now: _Now) -> int:
        """Return the new floor: the highest key up to which no further row can become visible."""
        for record in reversed(listed):
            if self._time(record) <= now.time - self._settled_after:
                return max(floor, int(record["id"]))
        return floor

    def _reader(self, most: int | None = None) -> Reader:
        params = dict(self._params)
        if most is not None:
            params["id__lte"] = str(min(most, int(params.get("id__lte", most))))
        return Reader(self._call, self._resource, params, self._call.session.page_size)

    def _one(self, params: Mapping[str, str]) -> Flow[Record | None]:
        """Fetch the first row of the log by these parameters, without the caller's filters."""
        page = yield from Reader(self._call, self._resource, {}, 1).exact(params, 1)
        return page.records[0] if page.records else None

    def _key(self, record: Record) -> int:
        if type(record["id"]) is not int:
            raise self._reader().incomplete(f"a record has id={record['id']!r}, which is no number")
        return int(record["id"])

    def _time(self, record: Record) -> float:
        return self._reader().moment(record).timestamp()
