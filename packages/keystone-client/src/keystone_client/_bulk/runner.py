"""Carries out a bulk operation: sends chunk after chunk, waits out the throttle, and accounts for every record.

The records were checked in ``_bulk``. A record whose job got no answer is not sent again. What may be sent again after
a 500, and in how large a job, is decided in ``_job_outcome``.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import httpx
from keystone_client_core import (
    FieldError,
    KeystoneError,
    Resource,
    check_chunk_size,
    job_json,
    next_chunk,
    primary_key,
)

from .._errors import BulkError, JobError, StatusError, ThrottledError
from .._flow import Flow
from .._listing.plan import room_for_filters, split_keys
from .._listing.query import BulkOptions
from .._progress import check_progress
from .._protocol.bodies import json_body
from .._protocol.call import Call
from .._protocol.responses import is_missing
from .._protocol.retries import Failure, backoff_ceiling
from .chunk_size import first_chunk_size, next_chunk_size
from .failed_jobs import FailedJob, FailedJobs
from .job import ENDPOINT
from .job_outcome import may_be_sent_twice, next_size, wrote_nothing
from .job_results import check_kept, results_of
from .report import BROKEN, TOO_LARGE, Item, report

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
        self._size = first_chunk_size([item.action for item in items], self._most)
        check_progress(options.on_progress)
        self._items = self._waiting = items
        self._chunk: Sequence[Item] = ()
        self._response: httpx.Response | None = None
        """The answer to the last job; an error has only a copy of it."""
        self._in: dict[int, Any] = {}
        """What the server answered for the records that are in, by their place."""
        self._failed = FailedJobs(options.dry_run)
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
            raise self._report(error) from error
        except BaseException as stop:
            report_of_all = self._report(stop)
            self._warn(report_of_all)  # a cancel scope swallows what it cancels
            raise stop from report_of_all
        results = list(self._in.values())
        try:
            check_kept([item.action for item in self._items], results)
        except FieldError as error:
            raise error from self._report(error)
        return results

    def _advance(self) -> Flow[None]:
        self._chunk = self._next()
        try:
            results = yield from self._job(self._chunk)
        except KeystoneError as error:
            yield from self._recover(error, self._chunk)
        else:
            self._waited, self._vain = False, 0
            self._done({item.place: result for item, result in zip(self._chunk, results, strict=True)})
            self._failed.passed(self._chunk, self._waiting)

    def _next(self) -> list[Item]:
        """Take the next records; those of a job that failed are not mixed with others."""
        alike, failure = self._failed.alike(self._waiting[: self._most]), self._failed.of(self._waiting)
        most = min(self._most, self._size, len(alike) if failure is None else failure.size)
        return next_chunk(alike, most, MOST_BYTES - _ENVELOPE)

    def _job(self, chunk: Sequence[Item]) -> Flow[list[Any]]:
        actions = [item.action for item in chunk]
        job = job_json([action.json() for action in actions], self._options.dry_run)
        content = json_body({"job": job})
        response = yield from self._call.json("POST", ENDPOINT, content=content, may_retry=_not_throttled)
        self._response = response
        results = results_of(response, self._call.cid, actions)
        seconds, timeout = response.elapsed.total_seconds(), self._call.session.timeout["read"]
        self._size = next_chunk_size(self._size, len(chunk), seconds, timeout)
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
            self._failed.unsure -= gone
            self._done(dict.fromkeys(gone))
        elif status == BROKEN:
            yield from self._after_500(cast("StatusError", error), chunk)
        elif status == TOO_LARGE and len(chunk) > 1:
            self._most = len(chunk) // 2
        else:
            raise error

    def _after_500(self, error: StatusError, chunk: Sequence[Item]) -> Flow[None]:
        """Send the records again in jobs that cannot write them twice, or raise the error."""
        policy, draw = self._call.session.retry, self._call.session.draw
        harmless = (yield from self._wrote_nothing(chunk)) or all(may_be_sent_twice(each.action) for each in chunk)
        past = self._failed.of(chunk)
        jobs = 1 if past is None else past.jobs + 1
        if not harmless or jobs >= policy.attempts:
            raise error
        size = next_size(len(chunk), jobs, policy.attempts)
        self._failed.note(chunk, FailedJob(jobs, len(chunk), size, error))
        wait = draw() * backoff_ceiling(policy, jobs)
        message = "%s: a job of %d ended in a 500, on with it in %.2f s"
        self._call.session.log(logging.WARNING, message, error.request, BROKEN, self._name, len(chunk), wait)
        if not (yield from self._call.pause(wait)):
            raise self._call.too_late(f"POST {ENDPOINT}", "; the last job ended in a 500") from error

    def _wrote_nothing(self, chunk: Sequence[Item]) -> Flow[bool]:
        """Tell whether it is known that the job wrote nothing; its records are unsure otherwise."""
        self._call.lost = False  # what is unsure is noted here
        if self._options.dry_run:
            return True
        places = {item.place for item in chunk} - self._failed.unsure
        self._failed.unsure |= places
        created = {record.get("id") for record in self._in.values() if isinstance(record, Mapping)}
        assert self._response is not None
        if (yield from wrote_nothing(self._call, chunk, self._response, created)):
            self._failed.unsure -= places
            return True
        return False

    def _wait_out(self, error: KeystoneError) -> Flow[None]:
        """Send nothing for a whole window: each refused try would use up what the window has left."""
        policy = self._call.session.retry
        seconds = max(WINDOW, _asked_for(error))
        step = error.action if isinstance(error, JobError) else None
        if self._waited:
            self._most = max(1, step - 1) if step else self._most
            self._vain += step in (None, 1)
        if policy.attempts == 1 or seconds > policy.max_retry_after or self._vain >= policy.attempts:
            raise error
        request = cast("StatusError", error).request
        self._call.session.log(
            logging.WARNING, "%s: throttled, on with it in %.0f s", request, 429, self._name, seconds
        )
        if not (yield from self._call.pause(seconds)):
            last = f"; the last was throttled, the next would be {seconds:.0f} s away"
            raise self._call.too_late(f"POST {ENDPOINT}", last)
        self._waited = True

    def _may_be_gone(self, chunk: Sequence[Item]) -> bool:
        """Whether a missing key is fine: where the caller says so, or where a job before may have deleted it."""
        sent_before = not self._failed.unsure.isdisjoint(item.place for item in chunk)
        return chunk[0].action.method == "DELETE" and (sent_before or not self._options.raise_not_exists)

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
        keys = [primary_key(item.given) for item in chunk]
        for some in split_keys(keys, room_for_filters(self._call, self._resource)):
            page = yield from self._call.page(f"{self._resource.path}/", {**some, "_limit": "1000", "_order": "id"})
            found |= {record["id"] for record in page.records}
        return found

    def _report(self, stop: BaseException) -> BulkError:
        return report(
            self._name,
            self._items,
            self._in,
            self._chunk,
            stop,
            lost=self._call.lost,
            unsure=self._failed.unsure,
            collided=self._failed.collided,
            repeated=self._failed.of(self._chunk) is not None,
            dry_run=self._options.dry_run,
            cid=self._call.cid,
        )

    def _warn(self, error: BulkError) -> None:
        request = self._call.session.request("POST", ENDPOINT)
        self._call.session.log(logging.WARNING, "%s", request, "", error)


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
