"""Bulk operations: many records of one kind in chunks, each a batch job that is carried out whole or not at all.

All records are checked before the first is sent, and none is sent again unless the server says that it did nothing.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn, cast

import httpx
from keystone_client_core import (
    RESOURCES,
    Action,
    FieldError,
    KeystoneError,
    ReferenceTokenError,
    Resource,
    Sized,
    check_chunk_size,
    create_action,
    delete_action,
    job_json,
    next_chunk,
    primary_key,
    update_action,
)

from ._answers import is_missing
from ._batch import ENDPOINT, check_kept, results_of
from ._bodies import json_body
from ._call import Call, Flow
from ._errors import BulkError, DecodeError, JobError, ServerError, StatusError, ThrottledError, TransportError
from ._listing import split_keys
from ._query import BulkOptions
from ._retry import outcome_of

MOST_BYTES: Final = 900_000
"""Of JSON in a chunk: front-end web servers refuse 1 MB."""

WINDOW: Final = 60.0
"""Seconds over which the server counts requests."""

_ENVELOPE = 60
_EXPECTED = re.compile(r"available in (\d+) second")


class Item(NamedTuple):
    """One record of a bulk operation."""

    place: int
    given: Any
    action: Action


def create(call: Call, name: str, records: Iterable[object], options: BulkOptions) -> Flow[list[Any]]:
    """Create records, in the order given."""
    resource = RESOURCES[name]
    items = _items(_several(records, "records"), lambda fields: create_action(resource, cast("Any", fields)))
    return (yield from Run(call, resource, f"bulk_create_{name}", items, options).flow())


def update(call: Call, name: str, changes: object, options: BulkOptions) -> Flow[list[Any]]:
    """Change records by key, in the order given."""
    resource = RESOURCES[name]
    if not isinstance(changes, Mapping):
        raise FieldError(f"bulk_update_{name} takes a mapping from key to fields, not {type(changes).__name__}")
    pairs = list(changes.items())
    items = _items(pairs, lambda pair: _update_action(resource, *pair))
    _refuse_repeated([primary_key(pk) for pk, _ in pairs])
    return (yield from Run(call, resource, f"bulk_update_{name}", items, options).flow())


def delete(call: Call, name: str, pks: Iterable[object], options: BulkOptions) -> Flow[None]:
    """Delete records by key; a key that is given twice is deleted once."""
    resource = RESOURCES[name]
    items = _items(_several(pks, "keys"), lambda pk: delete_action(resource, pk))
    once = {item.action.path: item for item in reversed(items)}
    kept = [item for item in items if once[item.action.path] is item]
    yield from Run(call, resource, f"bulk_delete_{name}", kept, options).flow()


def _several(given: Iterable[object], what: str) -> list[object]:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise FieldError(f"give several {what}, as a list or any other iterable, not {type(given).__name__}")
    return list(given)


def _items(given: Sequence[object], make: Callable[[Any], Action]) -> list[Item]:
    """The records, each checked; an error tells the place of its record."""
    items = []
    for place, each in enumerate(given):
        try:
            items.append(Item(place, each, make(each)))
        except FieldError as error:
            told = f"record {place}, counted from 0: {error}"
            raise FieldError(told, field=error.field, position=place, matches=error.matches) from None
        except ReferenceTokenError as error:
            misread = ReferenceTokenError(f"record {place}, counted from 0: {error}")
            misread.position = place
            raise misread from None
    return items


def _update_action(resource: Resource, pk: object, data: object) -> Action:
    action = update_action(resource, pk, cast("Any", data))
    files = [name for name in action.payload if resource.fields[name].kind == "file"]
    if files:
        raise FieldError(f"{files[0]} is a file: change it with update_{resource.name} or in a batch", field=files[0])
    return action


def _refuse_repeated(keys: Sequence[int]) -> None:
    seen: set[int] = set()
    for place, key in enumerate(keys):
        if key in seen:
            raise FieldError(
                f"record {place}, counted from 0: the key {key} is there twice", field="pk", position=place
            )
        seen.add(key)


class Run:
    """One bulk operation under way."""

    def __init__(self, call: Call, resource: Resource, name: str, items: Sequence[Item], options: BulkOptions) -> None:
        """Take records that were checked."""
        self._call, self._resource, self._name, self._options = call, resource, name, options
        self._waiting = [Sized(item, len(json_body(item.action.json()))) for item in items]
        self._total = len(items)
        self._most = check_chunk_size(options.chunk_size)
        self._suspect = 0
        """How many of the records that wait were in a job that raised on the server."""
        self._waited = False
        """Whether the last job was throttled and a whole window was waited since."""
        self._vain = 0
        self._sent: list[Item] = []
        self._results: list[Any] = []

    def flow(self) -> Flow[list[Any]]:
        """Send chunk after chunk.

        Returns:
            What the server answered for each record, in order.

        Raises:
            BulkError: A chunk failed.
        """
        while self._waiting:
            most = max(1, self._suspect // 2) if self._suspect else self._most
            chunk = [sized.item for sized in next_chunk(self._waiting, most, MOST_BYTES - _ENVELOPE)]
            try:
                results = yield from self._job(chunk)
            except KeystoneError as error:
                yield from self._recover(error, chunk)
            else:
                self._done(chunk, results)
        check_kept([item.action for item in self._sent], self._results)
        return self._results

    def _job(self, chunk: Sequence[Item]) -> Flow[list[Any]]:
        actions = [item.action for item in chunk]
        job = job_json([action.json() for action in actions], self._options.dry_run)
        content = json_body({"job": job})
        response = yield from self._call.json("POST", ENDPOINT, content=content, may_retry=_not_throttled)
        return results_of(response, self._call.cid, actions)

    def _done(self, chunk: Sequence[Item], results: Sequence[Any]) -> None:
        self._sent += chunk
        self._results += results
        del self._waiting[: len(chunk)]
        self._suspect = max(0, self._suspect - len(chunk))
        self._waited, self._vain = False, 0
        if self._options.on_progress is not None:
            self._options.on_progress(len(self._sent), self._total)

    def _recover(self, error: KeystoneError, chunk: Sequence[Item]) -> Flow[None]:
        """Make the next job a better one, or give up."""
        if _throttled(error):
            yield from self._wait_out(error, chunk)
        elif isinstance(error, JobError) and error.step_status == 404 and self._may_be_gone(chunk):
            yield from self._drop_gone(error, chunk)
        elif isinstance(error, ServerError) and error.status_code == 500 and len(chunk) > 1:
            self._suspect = len(chunk)
        else:
            self._give_up(error, chunk)

    def _wait_out(self, error: KeystoneError, chunk: Sequence[Item]) -> Flow[None]:
        """Send nothing for a whole window: each refused try would use up what the window has left."""
        policy = self._call.talk.retry
        seconds = max(WINDOW, _asked_for(error))
        step = error.step if isinstance(error, JobError) else None
        if self._waited and step is not None:
            self._most = max(1, step - 1)
            self._vain += step == 1
        if policy.attempts == 1 or seconds > policy.max_retry_after or self._vain >= policy.attempts:
            self._give_up(error, chunk)
        request = cast("StatusError", error).request
        self._call.talk.log(logging.WARNING, "%s: throttled, on with it in %.0f s", request, 429, self._name, seconds)
        if not (yield from self._call.pause(seconds)):
            last = f"; the last was throttled, the next would be {seconds:.0f} s away"
            self._give_up(self._call.too_late(f"POST {ENDPOINT}", last), chunk)
        self._waited = True

    def _may_be_gone(self, chunk: Sequence[Item]) -> bool:
        return chunk[0].action.method == "DELETE" and not self._options.raise_not_exists

    def _drop_gone(self, error: JobError, chunk: Sequence[Item]) -> Flow[None]:
        """Take what does not exist for deleted; one look at the list tells most of it."""
        gone = {chunk[(error.step or 1) - 1].place}
        try:
            listed = yield from self._listed(chunk)
            for item in chunk:
                if primary_key(item.given) not in listed and item.place not in gone:
                    response = yield from self._call.json("GET", item.action.path[1:])
                    gone |= {item.place} if is_missing(response) else set()
        except KeystoneError as failure:
            self._give_up(failure, chunk)
        self._sent += [item for item in chunk if item.place in gone]
        self._results += [None] * len(gone)
        self._waiting = [sized for sized in self._waiting if sized.item.place not in gone]
        self._suspect = 0

    def _listed(self, chunk: Sequence[Item]) -> Flow[set[int]]:
        found: set[int] = set()
        for some in split_keys([primary_key(item.given) for item in chunk]):
            page = yield from self._call.page(f"{self._resource.path}/", {**some, "_limit": "1000", "_order": "id"})
            found |= {record["id"] for record in page.records}
        return found

    def _give_up(self, error: KeystoneError, chunk: Sequence[Item]) -> NoReturn:
        fate = _fate(error)
        place = _place(error, chunk)
        rest = [sized.item for sized in self._waiting[len(chunk) :]]
        account: dict[str, list[Any]] = {"completed": self._completed(), "failed": [], "unknown": [], "pending": []}
        account[fate] += [item.given for item in chunk]
        account["pending"] += [item.given for item in rest]
        if self._options.dry_run:  # nothing is in
            account["pending"] = [item.given for item in self._sent] + account["pending"]
            account["completed"] = []
        counts = ", ".join(f"{len(items)} {name}" for name, items in account.items())
        where = "" if place is None else f"; record {place}, counted from 0, is to blame"
        bulk = BulkError(f"{self._name} stopped: {counts}{where}: {error}", **account, cid=self._call.cid)
        bulk.position = place
        raise bulk from error

    def _completed(self) -> list[Any]:
        return [
            item.given if result is None else result for item, result in zip(self._sent, self._results, strict=True)
        ]


def _not_throttled(failure: httpx.Response | httpx.RequestError) -> bool:
    return not (isinstance(failure, httpx.Response) and failure.status_code == 429)


def _throttled(error: KeystoneError) -> bool:
    return isinstance(error, ThrottledError) or (isinstance(error, JobError) and error.step_status == 429)


def _asked_for(error: KeystoneError) -> float:
    """The seconds the server names; for a step it does so in words."""
    if isinstance(error, ThrottledError):
        return error.retry_after or 0
    found = _EXPECTED.search(str(error))
    return float(found[1]) if found else 0


def _fate(error: KeystoneError) -> str:
    """What became of the chunk whose job ended like this."""
    if isinstance(error, TransportError):
        return "unknown" if error.outcome == "unknown" else "pending"
    if isinstance(error, DecodeError):
        return "unknown"
    if isinstance(error.__cause__, httpx.RequestError):  # the deadline passed while its answer was waited for
        return "unknown" if outcome_of(error.__cause__) == "unknown" else "pending"
    if isinstance(error, StatusError):
        return "unknown" if error.status_code > 500 else "failed"
    return "pending"  # no time was left, or the client is closed


def _place(error: KeystoneError, chunk: Sequence[Item]) -> int | None:
    """The place of the record that is to blame, where that is known."""
    if isinstance(error, JobError) and error.action is not None:
        return chunk[error.action - 1].place
    return chunk[0].place if len(chunk) == 1 and _fate(error) == "failed" else None
