"""The plain HTTP methods: send any request below the base URL and return the response as it came."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, TypedDict

import httpx
from keystone_client_core import FieldError, encode_query

from .._config.arguments import checked_headers, checked_timeout
from .._flow import Flow
from .._protocol.bodies import json_body, with_known_length
from .._protocol.call import Call
from .._protocol.requests import Draft


class ReadOptions(TypedDict, total=False):
    """The options of ``http_get``, each as httpx takes it."""

    params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None
    headers: Mapping[str, str] | None
    timeout: float | httpx.Timeout | None


class WriteOptions(ReadOptions, total=False):
    """The options of the other HTTP methods, each as httpx takes it."""

    json: Any
    data: Mapping[str, Any] | None
    files: Any


def http(call: Call, method: str, endpoint: str, options: Mapping[str, Any]) -> Flow[httpx.Response]:
    """Send any request below the base URL and return the response as it came."""
    path = call.session.endpoint(endpoint)
    given = _checked(method, options)
    params = _query(given.pop("params", None))
    headers = checked_headers(given.pop("headers", None) or {})
    timeout = checked_timeout(given.pop("timeout")) if "timeout" in given else None
    body = {name: value for name, value in given.items() if value is not None}
    if "json" in body and len(body) > 1:
        raise FieldError("give json, or data and files, not both: a request has one body", field="json")
    if not isinstance(body.get("data", {}), Mapping):
        raise FieldError(
            "data must be a mapping, the fields of a form; for JSON use json=, for files files=", field="data"
        )
    _check_encodable("data", body.get("data"))
    if "json" in body:
        body["content"] = json_body(body.pop("json"))
    with ExitStack() as copies:
        if "files" in body:
            body["files"] = with_known_length(body["files"], copies)
        content = body.pop("content", None)
        return (yield from call.send(Draft(method, path, params, content, headers, timeout, body)))


def _query(params: Any) -> list[tuple[str, str]]:
    try:
        pairs = httpx.QueryParams(params).multi_items()
    except (AttributeError, TypeError, ValueError):  # ValueError: an integer too long for Python to write
        raise FieldError("params: give a mapping, or pairs of names and values", field="params") from None
    _check_encodable("params", pairs)
    return pairs


def _check_encodable(what: str, values: Any) -> None:
    try:
        encode_query(values or {})
    except (TypeError, ValueError):  # UnicodeError is a ValueError
        problem = "holds text that is not Unicode, or a number too long to be written"
        raise FieldError(f"{what} {problem}", field=what) from None


def _checked(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options; refuse those that this method does not take. More options of httpx would evade the checks."""
    known = ["params", "headers", "timeout", *([] if method == "GET" else ["json", "data", "files"])]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise FieldError(
            f"http_{method.lower()} takes no {', '.join(unknown)}; it takes {', '.join(known)}", field=unknown[0]
        )
    return dict(options)
