"""The plain HTTP methods: send any request below the base URL and return the response as it came."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, TypedDict

import httpx
from keystone_client_core import FieldError, encode_query

from .._config.arguments import checked_headers, checked_timeout
from .._flow import Flow
from .._protocol.bodies import form_body, form_text, json_body, with_known_length
from .._protocol.call import Call


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
    if "data" in body:
        body["data"] = form_body(body["data"])
    if "json" in body:
        body["content"] = json_body(body.pop("json"))
    with ExitStack() as copies:
        if "files" in body:
            body["files"] = with_known_length(body["files"], copies)
        return (
            yield from call.send(
                lambda: call.session.request(method, path, params=params, headers=headers, timeout=timeout, **body)
            )
        )


def _query(params: Any) -> list[tuple[str, str]]:
    try:
        if params is None or isinstance(params, str | bytes | httpx.QueryParams):
            pairs = httpx.QueryParams(params).multi_items()
        else:
            pairs = [(name, value) for name, value in (params.items() if isinstance(params, Mapping) else params)]
        encode_query(pairs)
    except (TypeError, ValueError):  # UnicodeError is a ValueError
        raise FieldError("params: give a mapping, or pairs of names and values, all as text", field="params") from None
    return [(name, text) for name, value in pairs for text in _texts(name, value)]


def _texts(name: Any, value: Any) -> list[str]:
    if not isinstance(name, str):
        raise FieldError(f"params: a name is text, not {type(name).__name__}", field="params")
    items = value if isinstance(value, list | tuple) else [value]
    return [form_text("params", name, item) for item in items]


def _checked(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options; refuse those that this method does not take. More options of httpx would evade the checks."""
    known = ["params", "headers", "timeout", *([] if method == "GET" else ["json", "data", "files"])]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise FieldError(
            f"http_{method.lower()} takes no {', '.join(unknown)}; it takes {', '.join(known)}", field=unknown[0]
        )
    return dict(options)
