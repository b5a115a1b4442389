"""Carry out a bulk operation: send chunk after chunk, recover where that is safe, and report on every record.

The idea. A chunk is one batch job, which the server carries out whole or not at all. So the records of a chunk share
their fate, and what follows depends only on how the job ended:

- It was carried out. Its results are kept, and the next chunk follows.
- It was refused, and a better job can follow (``_recover``). Throttled: the same records after a wait, perhaps fewer
  (``throttled_jobs``). A key to delete is missing: the chunk without it (``missing_keys``). A 500: what ``job_outcome``
  allows. A 413: half as many records.
- Anything else stops the operation. The ``BulkError`` puts every record in one of four lists: completed, failed,
  unknown, pending (``report``).

How many records a chunk has is bounded by the caller's ``chunk_size``, by the time that jobs take (module
``chunk_size``), and by the size of the body that front-end web servers accept.

Rejected:

- All records in one job: one bad record would undo all of them, and a job that outlasts the timeout leaves all unknown.
- To send a job again whose answer was lost: its records might be written twice.
- To halve at will after a 500, or to take it for "nothing was written": see ``job_outcome``.

What must never be done here: to send a job again that may have reached the server and got no answer; to call the
caller's progress function, or wait, before the results of an answer are kept: an interrupt there would lose the report
of what the server has written.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final, cast

import httpx
from keystone_client_core import Action, FieldError, KeystoneError, job_body

from .._config.arguments import checked_flag
from .._errors import JobError, StatusError
from .._flow import Flow
from .._listing.query import BulkOptions
from .._progress import check_progress
from .._protocol.bodies import json_body
from .._protocol.call import Call
from .._protocol.requests import Draft
from .._protocol.retries import Failure, backoff_ceiling
from .chunk_size import checked_chunk_size, first_chunk_size, next_chunk, next_chunk_size
from .failed_jobs import FailedJob, FailedJobs
from .job import ENDPOINT
from .job_outcome import may_be_sent_twice, next_size, note_created, wrote_nothing
from .job_results import check_kept, results_of
from .missing_keys import missing
from .report import BROKEN, TOO_LARGE, Item, Outcome, bulk_error, outcome
from .throttled_jobs import ThrottledJobs, is_throttled

MOST_BYTES: Final = 900_000
"""The most JSON in one job: front-end web servers refuse 1 MB."""

_ENVELOPE = 60  # the JSON around the actions of a job


class Run:
    """One bulk operation."""

    _advice = ""
    """What an error tells the caller to do, if that does not depend on what became of the records."""

    def __init__(self, call: Call, name: str, items: Sequence[Item], options: BulkOptions) -> None:
        """Take records that were checked, and check the options; nothing is sent."""
        self._call, self._name = call, name
        self._options = options._replace(
            dry_run=checked_flag("dry_run", options.dry_run),
            raise_not_exists=checked_flag("raise_not_exists", options.raise_not_exists),
        )
        self._most = checked_chunk_size(options.chunk_size)
        self._size = first_chunk_size([item.action for item in items], self._most)
        check_progress(options.on_progress)
        self._items = self._waiting = items
        self._chunk: Sequence[Item] = ()
        self._newest: Mapping[str, int] = {}
        """The highest key of each model that was known when the last job was sent."""
        self._response: httpx.Response | None = None
        """The answer to the last job; an error holds only a copy without secrets."""
        self._in: dict[int, Any] = {}
        """What the server answered for the records whose jobs were carried out, by their place."""
        self._failed = FailedJobs(self._options.dry_run)
        self._throttled = ThrottledJobs(call, name)

    def flow(self) -> Flow[list[Any]]:
        """Send chunk after chunk.

        Returns:
            What the server answered for each record, in order.

        Raises:
            BulkError: The operation stopped before its end. An interrupt or a cancellation is raised as it is, because
                code further up waits for it; its cause is the ``BulkError``.
        """
        try:
            while self._waiting:
                yield from self._advance()
        except Exception as error:
            raise self._report(error) from error
        except BaseException as stop:
            report_of_all = self._report(stop)
            self._warn(report_of_all)  # a cancel scope swallows the exception, and its cause with it
            raise stop from report_of_all
        results = list(self._in.values())
        try:
            check_kept([item.action for item in self._items], results)
        except FieldError as error:
            error.label = None if error.position is None else self._items[error.position].label
            raise error from self._report(error)
        return results

    def _advance(self) -> Flow[None]:
        self._chunk = self._next()
        try:
            results = yield from self._job(self._chunk)
        except KeystoneError as error:
            yield from self._recover(error, self._chunk)
        else:
            self._throttled.passed()
            self._done({item.place: result for item, result in zip(self._chunk, results, strict=True)})
            self._failed.passed(self._chunk, self._waiting)

    def _next(self) -> list[Item]:
        """Return the next chunk; records of a job that failed are not mixed with others."""
        group = self._waiting[0].group
        together = list(takewhile(lambda item: item.group == group, self._waiting[: self._most]))
        alike, failure = self._failed.alike(together), self._failed.of(self._waiting)
        most = min(self._most, self._size, len(alike) if failure is None else failure.size)
        return next_chunk(alike, most, MOST_BYTES - _ENVELOPE)

    def _actions(self, chunk: Sequence[Item]) -> list[Action]:
        """Return the actions of a job: those of its records, which may be preceded by others that they need."""
        return [item.action for item in chunk]

    def _job(self, chunk: Sequence[Item]) -> Flow[list[Any]]:
        actions = self._actions(chunk)
        job = job_body([action.json() for action in actions], self._options.dry_run)
        draft = Draft("POST", ENDPOINT, content=json_body({"job": job}))
        self._newest = dict(self._call.session.newest_keys)
        response = yield from self._call.send(draft, may_retry=_not_throttled, until_kept=True)
        self._response = response
        before = len(actions) - len(chunk)
        try:
            results = results_of(response, self._call.cid, actions)[before:]
        except JobError as error:
            error.action = error.action - before if error.action and error.action > before else None
            raise
        seconds, timeout = response.elapsed.total_seconds(), self._call.options.timeout["read"]
        self._size = next_chunk_size(self._size, len(chunk), seconds, timeout)
        return results

    def _done(self, results: Mapping[int, Any]) -> None:
        self._in.update(results)  # first, and in one step: an interrupt may come between any two lines
        self._call.lost = False
        if not self._options.dry_run:
            note_created(self._call.session, ((item.action, results.get(item.place)) for item in self._chunk))
        left = [item for item in self._chunk if item.place not in results]
        self._waiting = [*left, *self._waiting[len(self._chunk) :]]
        if self._options.on_progress is not None:
            self._options.on_progress(len(self._in), len(self._items))

    def _recover(self, error: KeystoneError, chunk: Sequence[Item]) -> Flow[None]:
        """Prepare a next job that can succeed, or raise the error."""
        status = error.status_code if isinstance(error, StatusError) else None
        if is_throttled(error):
            self._most = yield from self._throttled.wait_out(cast("StatusError", error), self._most)
        elif isinstance(error, JobError) and error.action and error.step_status == 404 and self._may_be_gone(chunk):
            gone = yield from missing(self._call, chunk[error.action - 1], chunk)
            self._failed.unsure -= gone
            self._done(dict.fromkeys(gone))
        elif status == BROKEN:
            yield from self._after_500(cast("StatusError", error), chunk)
        elif status == TOO_LARGE and len(chunk) > 1:
            self._most = len(chunk) // 2
        else:
            raise error

    def _after_500(self, error: StatusError, chunk: Sequence[Item]) -> Flow[None]:
        """Prepare to send the records again, in jobs that cannot write them twice, or raise the error."""
        policy, draw = self._call.options.retry, self._call.session.draw
        harmless = (yield from self._wrote_nothing(chunk)) or all(may_be_sent_twice(each.action) for each in chunk)
        past = self._failed.of(chunk)
        jobs = 1 if past is None else past.jobs + 1
        if not harmless or jobs >= policy.attempts:
            raise error
        size = next_size(len(chunk), jobs, policy.attempts)
        self._failed.note(chunk, FailedJob(jobs, len(chunk), size, error))
        wait = draw() * backoff_ceiling(policy, jobs)
        message = "%s: a job of %d records was answered with a 500: the next follows in %.2f s"
        details = self._name, len(chunk), wait
        fields = {"endpoint": ENDPOINT, "status_code": BROKEN}
        self._call.log.problem(message, error.request, *details, wait=wait, **fields)
        if not (yield from self._call.pause(wait)):
            raise self._call.too_late(f"POST {ENDPOINT}", "; the last job ended in a 500") from error

    def _wrote_nothing(self, chunk: Sequence[Item]) -> Flow[bool]:
        """Check whether it is known that the job wrote nothing; if not, note its records as unsure."""
        places = set() if self._options.dry_run else {item.place for item in chunk} - self._failed.unsure
        self._failed.unsure |= places
        self._call.lost = False  # the call as a whole is not lost: which records are unsure has been noted
        if self._options.dry_run:
            return True
        assert self._response is not None
        if (yield from wrote_nothing(self._call, chunk, self._response, self._newest)):
            self._failed.unsure -= places
            return True
        return False

    def _may_be_gone(self, chunk: Sequence[Item]) -> bool:
        """Check whether a missing key is no error: the caller allows it, or an earlier job may have deleted it."""
        sent_before = not self._failed.unsure.isdisjoint(item.place for item in chunk)
        return chunk[0].action.method == "DELETE" and (sent_before or not self._options.raise_not_exists)

    def _outcome(self, stop: BaseException) -> Outcome:
        return outcome(
            self._name,
            self._items,
            self._in,
            self._chunk,
            stop,
            lost=self._call.lost,
            unsure=self._failed.unsure,
            collided=self._failed.collided,
            dry_run=self._options.dry_run,
            advice=self._advice,
        )

    def _report(self, stop: BaseException) -> KeystoneError:
        return bulk_error(self._outcome(stop), self._call.cid)

    def _warn(self, error: KeystoneError) -> None:
        self._call.log.problem("%s", self._call.built(Draft("POST", ENDPOINT)), error)


def _not_throttled(failure: Failure) -> bool:
    return getattr(failure, "status_code", None) != 429
