"""Follow a log: hand out each record once, also where records become visible out of the order of their keys.

PostgreSQL hands out the key of a row when the row is written, and shows the row when its transaction ends. A batch job
holds low keys back for seconds while other writers show higher ones. So what lies behind the highest key is not all
that is new.

The idea. A row carries the time at which the server began to write it, T. Its transaction ends by T + ``overlap``, the
longest time a transaction may take, so its key was handed out by then, and every lower key before. At
T + 2 * ``overlap`` each row with a lower key is visible or never will be. So a listing that begins at that time or
later settles everything up to this row. The position holds a *floor*, the highest key that is settled, and the keys
above it that were handed out. A call lists what lies above the floor, hands out what was not, and raises the floor.

Nothing is concluded from gaps: filters, rolled back writes and deleted rows leave them too.

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
from typing import Any, NamedTuple

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
from .._protocol.responses import page_of
from .._protocol.retries import sent_at
from .by_key import KeyWalk
from .pages import Reader, Record
from .plan import room_for_filters
from .position import Position, Subject, decode_position, encode_position
from .query import DEFAULT_LIMIT, Beginning, Followed, FollowOptions


class _Now(NamedTuple):
    """The newest row of the log, and the time of the server before the listing."""

    key: int
    time: float


def follow(call: Call, name: str, options: FollowOptions) -> Flow[Followed[Any]]:
    """Fetch the records that are new since a position; see ``KeystoneClient.follow_audit_log``."""
    resource = RESOURCES[name]
    overlap, limit = _checked_overlap(options.overlap), _checked_limit(options.limit)
    encoded = encode_filters(resource, options.filters, room=room_for_filters(call, resource))
    if encoded.keys is not None:
        raise FilterError("id__in has more keys than fit in one request: follow without it", field="id__in")
    after = options.after if options.after in (None, "now") else primary_key(options.after)
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
        told = f"limit={brief(limit)}: give the most records a call may bring, an integer from 1 on"
        raise FilterError(told, field="limit", value=limit)
    return limit


class _Log:
    """One log, as one call reads it."""

    def __init__(self, call: Call, resource: Resource, params: Mapping[str, str], overlap: float) -> None:
        self._call, self._resource, self._params = call, resource, params
        self._settled_after = 2 * overlap
        self._overlap = overlap

    def newest(self) -> Flow[_Now]:
        """Ask for the newest row, whatever the filters are, and for the time."""
        endpoint, asked = f"{self._resource.path}/", {"_order": "-id", "_limit": "1"}
        response = yield from self._call.json("GET", endpoint, params=asked)
        page = page_of(response, self._call.cid)
        time = sent_at(response)
        key = self._key(page.records[0]) if page.records else 0
        return _Now(key, self._call.session.now() if time is None else time)

    def beginning(self, after: Beginning, now: _Now) -> Flow[Position]:
        """Return the position of who has read nothing yet."""
        if after is None:
            return Position()
        if after != "now":
            return Position(primary_key(after))
        until = datetime.fromtimestamp(now.time - self._settled_after, UTC).isoformat()
        settled = yield from self._one({"_order": "-id", "timestamp__lte": until})
        position = Position(self._key(settled) if settled else 0)
        more = True
        while more:
            _, position, more = yield from self.read(position, now, DEFAULT_LIMIT)  # they were there before
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
        """List what lies above the floor, or goes on where the last call was cut off.

        Returns:
            The records that are new, the position behind them, and whether there is more.
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
        """Whether the listing may go on where it was cut off: not for ever, or late rows and the floor had to wait."""
        return position.resume is not None and position.begun is not None and now.time - position.begun < self._overlap

    def _settled(self, floor: int, listed: list[Record], now: _Now) -> int:
        """Return the highest key up to which nothing can become visible any more."""
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
        """Fetch the first row of the log, whatever the filters of the call are."""
        page = yield from Reader(self._call, self._resource, {}, 1).exact(params, 1)
        return page.records[0] if page.records else None

    def _key(self, record: Record) -> int:
        if type(record["id"]) is not int:
            raise self._reader().incomplete(f"a record has id={record['id']!r}, which is no number")
        return int(record["id"])

    def _time(self, record: Record) -> float:
        try:
            moment = datetime.fromisoformat(record["timestamp"])
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (KeyError, TypeError, ValueError, OverflowError):
            raise self._reader().incomplete(f"the record {record['id']!r} has no timestamp") from None
