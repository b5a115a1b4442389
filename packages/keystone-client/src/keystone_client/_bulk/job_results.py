"""Read the answer to a job: the result of each action, or the action to blame and the reason.

Pure functions of a response; nothing is sent from here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from keystone_client_core import Action, FieldError, failed_action, ignored_fields

from .._errors import JobError
from .._protocol.error_messages import decode_error, status_error
from .._protocol.json_decoding import json_of
from .._protocol.responses import decoded

PROTECTED = "Keystone fails like this where others still refer to what is deleted, or an account deletes itself"

_TOKEN = re.compile(r"@ref\{a[0-9a-f]+_([1-9][0-9]{0,5})\.([A-Za-z0-9_.]+)\}")
"""A reference as ``job`` writes it: the number of the action, and the path to the value."""


def results_of(response: httpx.Response, cid: str, actions: Sequence[Action], advice: str = "") -> list[Any]:
    """Return the result of each action.

    Args:
        response: The answer to the job.
        cid: The correlation id of the client.
        actions: The actions of the job.
        advice: What the error for a status of 500 or more tells the caller to do.

    Raises:
        JobError: An action failed.
        StatusError: The job was refused as a whole.
        DecodeError: The answer does not hold a result for each action.
    """
    if not 200 <= response.status_code < 300:
        raise refusal(response, cid, actions, advice)
    match decoded(response, cid):
        case {"results": list(steps)} if len(steps) == len(actions) and all(
            isinstance(step, dict) and "body" in step for step in steps
        ):
            return [step["body"] for step in steps]
    raise decode_error(response, f"does not hold the results of {len(actions)} actions", cid)


def refusal(response: httpx.Response, cid: str, actions: Sequence[Action], advice: str) -> Exception:
    """Return the error for a job that failed; it names the action to blame, where the answer does."""
    said = json_of(response)
    place = failed_action(said, actions)
    if place is None:
        return status_error(response, cid, hint=_broken(response, actions, advice))
    action = actions[place]
    hint = f"action {place + 1} of {len(actions)}, {action.call}{_referred(said, actions)}; the job wrote nothing"
    error = status_error(response, cid, hint=hint)
    if isinstance(error, JobError):
        error.action, error.method, error.path, error.call = place + 1, action.method, action.path, action.call
    return error


def _broken(response: httpx.Response, actions: Sequence[Action], advice: str) -> str:
    if response.status_code < 500:
        return ""
    deletes = any(action.method == "DELETE" for action in actions)
    return "; ".join(part for part in (advice, PROTECTED if deletes and response.status_code == 500 else "") if part)


def _referred(said: Any, actions: Sequence[Action]) -> str:
    """Return which value of which action an unresolved reference meant, as the caller wrote it."""
    found = _TOKEN.fullmatch(str(said.get("token")))
    number = int(found[1]) if found else 0
    if found is None or number > len(actions):
        return ""
    labels = "".join(f"[{label}]" if label.isdigit() else f"[{label!r}]" for label in found[2].split("."))
    return f", refers to {labels} of action {number}, {actions[number - 1].call}"


def check_kept(actions: Sequence[Action], results: Sequence[Any]) -> None:
    """Check that the server kept every field that was sent: it drops some in silence unless the caller is staff.

    Raises:
        FieldError: A field was dropped; the error has the record and its place.
    """
    for place, (action, record) in enumerate(zip(actions, results, strict=True)):
        if not isinstance(record, Mapping):
            continue
        dropped = [
            name
            for name in ignored_fields(action.resource, action.payload, record)
            if not isinstance(action.payload[name], str)  # a reference, whose value only the server knows
        ]
        if dropped:
            raise FieldError(
                f"the server carried out {action.call} but ignored {', '.join(dropped)}: only staff may set that",
                field=dropped[0],
                position=place,
                record=record,
            )
