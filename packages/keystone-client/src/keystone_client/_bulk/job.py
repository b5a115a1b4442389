"""Batch jobs: collect actions while nothing is sent, then send them as one atomic job.

Actions and references come from ``keystone_client_core``; the typed methods of a job are generated in ``_generated``.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from os import urandom
from typing import Any, Generic, TypedDict, TypeVar, cast

from keystone_client_core import (
    RESOURCES,
    Action,
    ReferenceTokenError,
    create_action,
    delete_action,
    job_body,
    list_action,
    reference,
    retrieve_action,
    update_action,
)

from .._config.arguments import checked_flag
from .._errors import ClosedError
from .._flow import Flow
from .._listing.plan import wants_one
from .._listing.query import Query
from .._protocol.bodies import json_body
from .._protocol.call import Call
from .._protocol.error_messages import UNKNOWN
from .._protocol.requests import Draft
from .._protocol.upload_limits import check_uploads
from .._protocol.uploads import Content, Upload, attachment_fields, open_upload
from .job_outcome import note_created
from .job_results import check_kept, results_of

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

ENDPOINT = "batch/"


class RecordPage(TypedDict, Generic[T]):
    """The result of an action that lists records: one page."""

    count: int
    next: str | None
    previous: str | None
    results: list[T]


class Handle(Generic[T_co]):
    """The result of an action, before and after its job is sent.

    While actions are collected, ``handle["id"]`` is a reference to a value of the result, to be used in later actions.
    Once the job was sent, it is that value.
    """

    __iter__ = None  # with __getitem__ alone, Python would take it for a sequence

    def __init__(self, action: Action, alias: str) -> None:
        self._action, self._alias = action, alias
        self._sent = False
        self._result: Any = None

    @property
    def result(self) -> T_co:
        """The result from the server: a record, a page for a listing, ``None`` for a delete.

        Raises:
            ReferenceTokenError: The job was not sent yet, or was not carried out.
        """
        if not self._sent:
            raise ReferenceTokenError(f"{self._action.call} has no result: the job was not carried out, or not yet")
        return cast(T_co, self._result)

    def __getitem__(self, label: str | int) -> Any:
        return self._result[label] if self._sent else reference(self._alias, self._action, label)

    def __repr__(self) -> str:
        return f"<{'result' if self._sent else 'action'} of {self._action.call}>"

    def _take(self, result: Any) -> None:
        self._sent, self._result = True, result


class Collector:
    """The base of ``Job``: collects its actions, files and references."""

    def __init__(self, dry_run: bool = False) -> None:
        """Start without actions.

        Args:
            dry_run: Let the server carry out the job and undo it.
        """
        self._dry_run = checked_flag("dry_run", dry_run)
        self._nonce = urandom(4).hex()  # unpredictable, so that text from elsewhere cannot hold a reference of this job
        self._numbers = count(1)
        self._handles: dict[str, Handle[Any]] = {}
        self._uploads: dict[str, Upload] = {}
        self._open = True

    def __len__(self) -> int:
        """Return the number of actions."""
        return len(self._handles)

    @property
    def results(self) -> list[Any]:
        """The result of each action, in their order; see ``Handle.result``."""
        return [handle.result for handle in self._handles.values()]

    def _add(self, action: Action) -> Handle[Any]:
        alias = f"a{self._nonce}_{next(self._numbers)}"
        handle = self._handles[alias] = Handle(action, alias)
        return handle

    def _create(self, name: str, fields: Mapping[str, object]) -> Handle[Any]:
        return self._with_files(lambda known: create_action(RESOURCES[name], fields, known))

    def _update(self, name: str, pk: object, data: Mapping[str, object]) -> Handle[Any]:
        return self._with_files(lambda known: update_action(RESOURCES[name], pk, data, known))

    def _delete(self, name: str, pk: object) -> Handle[Any]:
        return self._add(delete_action(RESOURCES[name], pk, self._known()))

    def _retrieve(self, name: str, pk: object, query: Query) -> Handle[Any]:
        if wants_one(pk, False, query):
            return self._add(retrieve_action(RESOURCES[name], pk, self._known()))
        return self._add(list_action(RESOURCES[name], query.filters, query.search, query.order, query.limit))

    def _create_attachment(self, request: object, file: Content, name: str | None, filename: str | None) -> Handle[Any]:
        upload = open_upload(file, filename)
        try:
            return self._create("attachment", attachment_fields(request, upload, name))
        except BaseException:
            upload.close()
            raise

    def _known(self) -> Mapping[str, Handle[Any]]:
        if not self._open:
            raise ClosedError("the job is over: actions are added inside its `with` block")
        return self._handles

    def _with_files(self, make: Callable[[Mapping[str, object]], Action]) -> Handle[Any]:
        """Add an action; its files are sent as further parts of the request, which the action refers to."""
        action = make(self._known())
        payload = dict(action.payload)
        for name in [name for name in payload if action.resource.fields[name].kind == "file"]:
            if payload[name] is None:
                continue
            content = payload[name]
            part = f"f{len(self._uploads) + 1}"
            self._uploads[part] = content if isinstance(content, Upload) else open_upload(cast(Content, content))
            payload[name] = f"@file{{{part}}}"
        return self._add(action._replace(payload=payload))

    def _close(self) -> None:
        self._open = False
        for upload in self._uploads.values():
            upload.close()


@contextmanager
def collecting(job: Any) -> Iterator[Any]:
    """Close the job and its files at the end of the block."""
    try:
        yield job
    finally:
        job._close()


def send(call: Call, job: Collector) -> Flow[None]:
    """Send a job, unless it is empty, and give each handle its result."""
    job._open = False
    handles = list(job._handles.values())
    if not handles:
        return
    check_uploads(job._uploads.values(), call.session.upload_limits)
    body = job_body([handle._action.json(handle._alias) for handle in handles], job._dry_run)
    actions = [handle._action for handle in handles]
    response = yield from call.send(_draft(body, job._uploads))
    results = results_of(response, call.cid, actions, UNKNOWN)
    for handle, result in zip(handles, results, strict=True):
        handle._take(result)
    if not job._dry_run:
        note_created(call.session, zip(actions, results, strict=True))
    check_kept(actions, results)


def _draft(body: Mapping[str, Any], uploads: Mapping[str, Upload]) -> Draft:
    if not uploads:
        return Draft("POST", ENDPOINT, content=json_body({"job": body}))
    files = {part: upload.part for part, upload in uploads.items()}
    return Draft("POST", ENDPOINT, body={"data": {"job": json_body(body).decode()}, "files": files})
