"""The shape of a batch job: what the server makes of the body before anything is carried out.

Only reads and complains; ``batch`` carries jobs out.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from keystone_client_core import Field

from .._parsing.bodies import Form, Upload
from .._parsing.field_values import NULL, InvalidError, clean_bool, clean_text, text_complaints
from .._wire import PageError, RefusedError, detail, written_json
from .._world.store import Store
from .call import Call

REQUIRED = "This field is required."
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Step(NamedTuple):
    """One action of a job, as sent."""

    ref: str
    method: str
    path: str
    payload: dict[str, Any]
    query_params: dict[str, Any]


class Job(NamedTuple):
    """A job that passed the checks of its schema."""

    dry_run: bool
    steps: list[Step]
    files: dict[str, list[Upload]]
    """All parts of a name: a token stands for all of them."""


def read_job(call: Call) -> Job:
    """Take a job out of a request.

    Args:
        call: the request.

    Returns:
        The job, checked for its shape.

    Raises:
        RefusedError: 400 with everything that is wrong.
        PageError: 500 for a body that is no object.
    """
    body = call.data
    if not isinstance(body, dict):
        raise PageError(500)
    files: dict[str, list[Upload]] = {}
    if isinstance(body, Form):
        uploads = {name: [value for value in values if isinstance(value, Upload)] for name, values in body.items()}
        files = {name: values for name, values in uploads.items() if values}
        body = {name: values[-1] for name, values in body.items()}
    job = _parsed(body.get("job"))
    dry_run = _dry_run(call.world.store, job)
    steps = _steps(call.world.store, job)
    errors = {name: value for name, value in (("dry_run", dry_run), ("actions", steps)) if isinstance(value, _Wrong)}
    if errors:
        raise RefusedError(400, {name: wrong.said for name, wrong in errors.items()})
    assert isinstance(dry_run, bool)
    assert not isinstance(steps, _Wrong)
    return Job(dry_run, steps, files)


class _Wrong(NamedTuple):
    said: Any


def _parsed(job: Any) -> dict[str, Any]:
    if isinstance(job, str):
        try:
            job = json.loads(job)
        except ValueError:
            refused = detail(400, "The `job` field is not valid JSON.")
            refused.reply = written_json(400, refused.reply.data)
            raise refused from None
    if isinstance(job, dict):
        return job
    text = f"Invalid data. Expected a dictionary, but got {type(job).__name__}."
    raise RefusedError(400, {"non_field_errors": ["No data provided" if job is None else text]})


def _dry_run(store: Store, job: dict[str, Any]) -> bool | _Wrong:
    value = job.get("dry_run", False)
    try:
        if value is None:
            raise InvalidError(NULL)
        return clean_bool(Field("dry_run", "bool"), value, store)
    except InvalidError as error:
        return _Wrong(error.messages)


def _steps(store: Store, job: dict[str, Any]) -> list[Step] | _Wrong:
    given = job.get("actions", ...)
    if given is ... or given is None:
        return _Wrong([REQUIRED if given is ... else NULL])
    if not isinstance(given, list):
        return _Wrong({"non_field_errors": [f'Expected a list of items but got type "{type(given).__name__}".']})
    if not given:
        return _Wrong({"non_field_errors": ["This list may not be empty."]})
    read = [_step(store, each) for each in given]
    if any(isinstance(each, _Wrong) for each in read):
        return _Wrong([each.said if isinstance(each, _Wrong) else {} for each in read])
    steps = [each for each in read if isinstance(each, Step)]
    if any(times > 1 for ref, times in Counter(step.ref for step in steps).items() if ref):
        return _Wrong(["Reference aliases must be unique within a job."])
    return steps


def _step(store: Store, given: Any) -> Step | _Wrong:
    if given is None:
        return _Wrong([NULL])
    if not isinstance(given, dict):
        return _Wrong({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(given).__name__}."]})
    values, errors = {}, {}
    for name, read in _READERS.items():
        try:
            values[name] = _value(store, name, read, given)
        except InvalidError as error:
            errors[name] = error.messages
    return _Wrong(errors) if errors else Step(**values)


def _value(store: Store, name: str, read: Callable[[Store, Any], Any], given: dict[str, Any]) -> Any:
    if name not in given:
        if name in ("method", "path"):
            raise InvalidError(REQUIRED)
        return "" if name == "ref" else {}
    if given[name] is None:
        raise InvalidError(NULL)
    return read(store, given[name])


def _ref(store: Store, value: Any) -> str:
    text = clean_text(Field("ref", "text", blank=True), value, store)
    if text and not text.replace("_", "").isalnum():
        raise InvalidError("Reference aliases may only contain alphanumeric characters and underscores.")
    return text


def _method(store: Store, value: Any) -> str:
    if value not in METHODS:
        raise InvalidError(f'"{value}" is not a valid choice.')
    return str(value)


def _path(store: Store, value: Any) -> str:
    field = Field("path", "text", length=2048)
    text = clean_text(field, value, store)
    if complaints := text_complaints(field, text):
        raise InvalidError(*complaints)
    return text


def _object(store: Store, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidError(f'Expected a dictionary of items but got type "{type(value).__name__}".')
    return value


_READERS: dict[str, Callable[[Store, Any], Any]] = {
    "ref": _ref,
    "method": _method,
    "path": _path,
    "payload": _object,
    "query_params": _object,
}
