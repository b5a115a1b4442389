"""Reads the answers to jobs: what each action brought, or which action is to blame and why.

Pure functions of a response; nothing is sent from here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from keystone_client_core import Action, FieldError, culprit, dropped_fields

from .._errors import JobError
from .._protocol.error_messages import decode_error, status_error
from .._protocol.json_decoding import json_of
from .._protocol.responses import decoded

PROTECTED = "Keystone fails like this where others still refer to what is deleted, or an account deletes itself"

_TOKEN = re.compile(r"@ref\{a[0-9a-f]+_([1-9][0-9]{0,5})\.([A-Za-z0-9_.]+)\}")
"""A reference as ``_batch`` writes it: the number of the action, and the way to the value."""


def results_of(response: httpx.Response, cid: str, actions: Sequence[Action], advice: str = "") -> list[Any]:
    """Return what each action brought.

    Args:
        response: The answer to the job.
        cid: The correlation id of the client.
        actions: The actions of the job.
        advice: What the error of an answer from 500 on tells the caller to do.

    Raises:
        JobError: An action failed.
        StatusError: The job was refused as a whole.
        DecodeError: The answer does not say what the actions brought.
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
    """Return the error of a job that failed, naming the action."""
    said = json_of(response)
    place = culprit(said, actions)
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
    """What the reference meant that the server could not follow, in the words of the caller."""
    found = _TOKEN.fullmatch(str(said.get("token")))
    number = int(found[1]) if found else 0
    if found is None or number > len(actions):
        return ""
    labels = "".join(f"[{label}]" if label.isdigit() else f"[{label!r}]" for label in found[2].split("."))
    return f", refers to {labels} of action {number}, {actions[number - 1].call}"


def check_kept(actions: Sequence[Action], results: Sequence[Any]) -> None:
    """Compare what was sent with what the server kept: it drops some fields of callers who are not staff.

    Raises:
        FieldError: A field was dropped; its record and its place are with the error.
    """
    for place, (action, record) in enumerate(zip(actions, results, strict=True)):
        if not isinstance(record, Mapping):
            continue
        dropped = [
            name
            for name in dropped_fields(action.resource, action.payload, record)
            if not isinstance(action.payload[name], str)  # a reference, whose value only the server knows
        ]
        if dropped:
            raise FieldError(
                f"the server carried out {action.call} but ignored {', '.join(dropped)}: only staff may set that",
                field=dropped[0],
                position=place,
                record=record,
            )
