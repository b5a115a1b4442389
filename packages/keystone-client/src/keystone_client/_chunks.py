"""Carries out a bulk operation: sends chunk after chunk, waits out the throttle, and accounts for every record.

The records were checked in ``_bulk``. None is sent again unless the server says that it did nothing.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from keystone_client_core import (
    FieldError,
    KeystoneError,
    Resource,
    check_chunk_size,
    job_json,
    next_chunk,
    primary_key,
)

from ._account import BROKEN, TOO_LARGE, Item, account
from ._answers import is_missing
from ._batch import ENDPOINT
from ._bodies import json_body
from ._call import Call
from ._errors import BulkError, JobError, StatusError, ThrottledError
from ._flow import Flow
from ._job_answers import check_kept, results_of
from ._listing import split_keys
from ._pace import first_pace, next_pace
from ._progress import check_progress
from ._query import BulkOptions
from ._retry import Failure

MOST_BYTES: Final = 900_000
"""Of JSON in a chunk: front-end web servers refuse 1 MB."""

WINDOW: Final = 60.0
"""Seconds over which the server counts requests."""

_ENVELOPE = 60
_EXPECTED = re.compile(r"available in (\d+) second")


class Run:
    """One bulk operation under way."""

    def __init__(self, call: Call, resource: Resource, name: str, items: Sequence[Item], options: BulkOptions) -> None:
        """Take records that were checked, and check the rest."""
        self._call, self._resource, self._name, self._options = call, resource, name, options
        self._most = check_chunk_size(options.chunk_size)
        self._pace = first_pace([item.action for item in items], self._most)
        check_progress(options.on_progress)
        self._items = self._waiting = items
        self._chunk: Sequence[Item] = ()
        self._in: dict[int, Any] = {}
        """What the server answered for the records that are in, by their place."""
        self._suspect = 0
        """How many of the records that wait were in a job that raised on the server."""
        self._waited = False
        """Whether the last job was throttled and a whole window was waited since."""
        self._vain = 0

    def flow(self) -> Flow[list[Any]]:
        """Send chunk after chunk.

        Returns:
            What the server answered for each record, in order.

        Raises:
            BulkError: It stopped before its end. An interrupt or a cancellation arrives as it is, for somebody waits
                for it; its cause is the ``BulkError``.
        """
        try:
            while self._waiting:
                yield from self._advance()
        except Exception as error:
            raise self._account(error) from error
        except BaseException as stop:
            told = self._account(stop)
            self._warn(told)  # a cancel scope swallows what it cancels
            raise stop from told
        results = list(self._in.values())
        try:
            check_kept([item.action for item in self._items], results)
        except FieldError as error:
            raise error from self._account(error)
        return results

    def _advance(self) -> Flow[None]:
        most = max(1, self._suspect // 2) if self._suspect else min(self._most, self._pace)
        self._chunk = next_chunk(self._waiting, most, MOST_BYTES - _ENVELOPE)
        try:
            results = yield from self._job(self._chunk)
        except KeystoneError as error:
            yield from self._recover(error, self._chunk)
        else:
            self._suspect = max(0, self._suspect - len(self._chunk))
            self._waited, self._vain = False, 0
            self._done({item.place: result for item, result in zip(self._chunk, results, strict=True)})

    def _job(self, chunk: Sequence[Item]) -> Flow[list[Any]]:
        actions = [item.action for item in chunk]
        job = job_json([action.json() for action in actions], self._options.dry_run)
        content = json_body({"job": job})
        response = yield from self._call.json("POST", ENDPOINT, content=content, may_retry=_not_throttled)
        results = results_of(response, self._call.cid, actions)
        seconds, patience = response.elapsed.total_seconds(), self._call.talk.timeout["read"]
        self._pace = next_pace(self._pace, len(chunk), seconds, patience)
        return results

    def _done(self, results: Mapping[int, Any]) -> None:
        self._in.update(results)  # first, and at once: an interrupt may come between any two lines
        left = [item for item in self._chunk if item.place not in results]
        self._waiting = [*left, *self._waiting[len(self._chunk) :]]
        if self._options.on_progress is not None:
            self._options.on_progress(len(self._in), len(self._items))

    def _recover(self, error: KeystoneError, chunk: Sequence[Item]) -> Flow[None]:
        """Make the next job a better one, or raise the error."""
        status = error.status_code if isinstance(error, StatusError) else None
        if _throttled(error):
            yield from self._wait_out(error)
        elif isinstance(error, JobError) and error.action and error.step_status == 404 and self._may_be_gone(chunk):
            gone = yield from self._gone(chunk[error.action - 1], chunk)
            self._suspect = 0
            self._done(dict.fromkeys(gone))
        elif status == BROKEN and len(chunk) > 1:
            self._suspect = len(chunk)
        elif status == TOO_LARGE and len(chunk) > 1:
            self._most = len(chunk) // 2
        else:
            raise error

    def _wait_out(self, error: KeystoneError) -> Flow[None]:
        """Send nothing for a whole window: each refused try would use up what the window has left."""
        policy = self._call.talk.retry
        seconds = max(WINDOW, _asked_for(error))
        step = error.action if isinstance(error, JobError) else None
        if self._waited:
            self._most = max(1, step - 1) if step else self._most
            self._vain += step in (None, 1)
        if policy.attempts == 1 or seconds > policy.max_retry_after or self._vain >= policy.attempts:
            raise error
        request = cast("StatusError", error).request
        self._call.talk.log(logging.WARNING, "%s: throttled, on with it in %.0f s", request, 429, self._name, seconds)
        if not (yield from self._call.pause(seconds)):
            last = f"; the last was throttled, the next would be {seconds:.0f} s away"
            raise self._call.too_late(f"POST {ENDPOINT}", last)
        self._waited = True

    def _may_be_gone(self, chunk: Sequence[Item]) -> bool:
        return chunk[0].action.method == "DELETE" and not self._options.raise_not_exists

    def _gone(self, first: Item, chunk: Sequence[Item]) -> Flow[set[int]]:
        """The places of the keys that do not exist, of which one is known; a look at the list tells most of it."""
        gone = {first.place}
        try:
            listed = yield from self._listed(chunk)
            for item in chunk:
                if primary_key(item.given) not in listed and item.place not in gone:
                    response = yield from self._call.json("GET", item.action.path[1:])
                    gone |= {item.place} if is_missing(response) else set()
        finally:
            self._call.lost = False  # the answers to these looks were lost at most: the job itself was undone
        return gone

    def _listed(self, chunk: Sequence[Item]) -> Flow[set[int]]:
        found: set[int] = set()
        for some in split_keys([primary_key(item.given) for item in chunk]):
            page = yield from self._call.page(f"{self._resource.path}/", {**some, "_limit": "1000", "_order": "id"})
            found |= {record["id"] for record in page.records}
        return found

    def _account(self, stop: BaseException) -> BulkError:
        dry_run, lost, cid = self._options.dry_run, self._call.lost, self._call.cid
        return account(self._name, self._items, self._in, self._chunk, stop, lost=lost, dry_run=dry_run, cid=cid)

    def _warn(self, told: BulkError) -> None:
        request = self._call.talk.request("POST", ENDPOINT)
        self._call.talk.log(logging.WARNING, "%s", request, "", told)


def _not_throttled(failure: Failure) -> bool:
    return getattr(failure, "status_code", None) != 429


def _throttled(error: KeystoneError) -> bool:
    return isinstance(error, ThrottledError) or (isinstance(error, JobError) and error.step_status == 429)


def _asked_for(error: KeystoneError) -> float:
    """The seconds the server names; for a step it does so in words."""
    if isinstance(error, ThrottledError):
        return error.retry_after or 0
    found = _EXPECTED.search(str(error))
    return float(found[1]) if found else 0
