"""The batch endpoint: the actions of a job one after the other, all of them or none.

The engine finds the endpoint that answers an action; what a job looks like is in ``job_schema``.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from .._parsing.bodies import Form, Upload
from .._wire import PageError, RefusedError, Reply, Request, written_json
from .call import Call
from .endpoints import GROUPS
from .job_schema import Job, Step, read_job

_TOKEN = re.compile(r"@(file|ref)\{([^}]*)\}")
_LABELS = {"file": re.compile(r"[a-zA-Z0-9_]+"), "ref": re.compile(r"[a-zA-Z0-9_]+\.[a-zA-Z0-9_.]+")}
_RAISING = frozenset({
    ("POST", "/authentication/login/"), ("POST", "/authentication/logout/"),
    *(("GET", f"/{group}/") for group in GROUPS),
})  # fmt: skip
"""Endpoints that make the server fail with 500 inside a job: the actions of a job have no session and no URL."""
_PAGES = "/admin/"
"""Pages for administrators, which need a session too."""


class _UnresolvedError(Exception):
    """A reference that cannot be resolved; carries the body of the answer."""

    def __init__(self, token: str, why: str) -> None:
        super().__init__(token, why)
        self.body = {"detail": f'Cannot resolve reference "{token}": {why}', "token": token}


class _FailedError(Exception):
    """An action that failed; carries the body of the answer."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.body = body


def run_job(call: Call) -> Reply:
    """Carry out a job; the engine undoes what it wrote if this raises.

    Args:
        call: the request.

    Returns:
        What each action was answered.

    Raises:
        RefusedError: 400 for a job of the wrong shape.
        PageError: 500 where an action raises on the server.
    """
    job, store = read_job(call), call.world.store
    before = store.mark()
    try:
        answer = written_json(200, {"results": _Running(call, job).results()})
    except (_UnresolvedError, _FailedError) as error:
        answer = written_json(422, error.body)
    if job.dry_run or answer.status != 200:
        store.undo_to(before)
        call.broken_links.clear()
    return answer


class _Running:
    """A job while its actions run."""

    def __init__(self, call: Call, job: Job) -> None:
        self._call, self._job = call, job
        self._bodies: dict[str, Any] = {}
        self._files = dict(job.files)

    def results(self) -> list[dict[str, Any]]:
        return [self._result(number, step) for number, step in enumerate(self._job.steps, 1)]

    def _result(self, number: int, step: Step) -> dict[str, Any]:
        path = _resolved(step.path, self._value_of)
        reply = self._reply(step, path, _resolved(step.payload, self._value_of))
        body = reply.data if reply.text is None else None
        if reply.status >= 400:
            text = f"Step #{number} ({step.method} {path}) failed with status {reply.status}"
            raise _FailedError({"detail": text, "step": number, "status": reply.status, "body": body})
        if step.ref:
            self._bodies[step.ref] = body
        row = {"ref": step.ref, "index": number, "method": step.method, "path": path}
        return {**row, "status": reply.status, "body": body}

    def _reply(self, step: Step, path: str, payload: dict[str, Any]) -> Reply:
        bare, _, query = path.partition("?")
        more = urlencode(step.query_params, doseq=True)
        call = self._inner(step.method, bare, "?".join(part for part in (query, more) if part), payload)
        if (step.method, bare) in _RAISING or bare.startswith(_PAGES):
            raise PageError(500)
        try:
            return call.act(call) or Reply(404, {"detail": f"No route matched: {bare}"})
        except RefusedError as error:
            return error.reply

    def _inner(self, method: str, path: str, query: str, payload: dict[str, Any]) -> Call:
        outer = self._call
        request = Request(
            method,
            "http",  # whatever the job came by: so the server builds it
            outer.request.host,
            path,
            query,
            {name: value for name, value in outer.headers.items() if name in _KEPT},
            b"",
            outer.request.peer,
        )
        call = Call(outer.world, request, path, outer.act)
        call.path = path  # the server looks a step's path up as it is written
        call.user, call.cid, call.signed, call.broken_links = outer.user, outer.cid, outer.signed, outer.broken_links
        call.data = _form(payload) if _holds_files(payload) else payload
        return call

    def _value_of(self, kind: str, body: str, token: str) -> Any:
        if not _LABELS[kind].fullmatch(body):
            raise _UnresolvedError(token, "Reference labels may only contain letters, numbers, and underscores")
        if kind == "file":
            return self._file(body, token)
        alias, _, path = body.partition(".")
        if alias not in self._bodies:
            raise _UnresolvedError(token, f'Alias "{alias}" has not been defined by a previous step')
        return _followed(self._bodies[alias], path, token)

    def _file(self, part: str, token: str) -> list[Upload]:
        if part not in self._files:
            raise _UnresolvedError(token, f'File part "{part}" was not uploaded with this request')
        uploads = self._files[part]
        self._files[part] = [upload._replace(content=b"") for upload in uploads]  # read to their end, never rewound
        return uploads


_KEPT = frozenset({"x-forwarded-for", "x-forwarded-port"})


def _holds_files(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_holds_files(item) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, Upload)


def _form(payload: Mapping[str, Any]) -> Form:
    """The payload as a multipart body, which an action with a file becomes."""
    if any(value is None for value in payload.values()):
        raise PageError(500)
    form = Form()
    for name, value in payload.items():
        values = list(value) if isinstance(value, list | dict) else [value]
        if values:
            form[name] = [each if isinstance(each, Upload) else str(each) for each in values]
    return form


def _resolved(value: Any, value_of: Callable[[str, str, str], Any]) -> Any:
    """A copy with every token replaced: one that is the whole text keeps its type."""
    if isinstance(value, dict):
        return {name: _resolved(item, value_of) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, value_of) for item in value]
    if not isinstance(value, str):
        return value
    whole = _TOKEN.fullmatch(value)
    if whole:
        return value_of(whole[1], whole[2], whole[0])
    return _TOKEN.sub(lambda token: str(value_of(token[1], token[2], token[0])), value)


def _followed(value: Any, path: str, token: str) -> Any:
    for label in path.split("."):
        if isinstance(value, dict):
            if label not in value:
                raise _UnresolvedError(token, f'Key "{label}" not found in response')
            value = value[label]
        elif isinstance(value, list):
            if not label.isdecimal() or int(label) >= len(value):
                raise _UnresolvedError(token, f'Invalid list index "{label}"')
            value = value[int(label)]
        else:
            raise _UnresolvedError(token, f'Cannot traverse into {type(value).__name__} with "{label}"')
    return value
