"""Every request and answer of a world, kept for assertions. Nothing secret is in it."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ._wire import Answer, Request

_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "x-csrftoken", "proxy-authorization"})
_SECRET_FIELDS = frozenset({"password", "csrfmiddlewaretoken"})
HIDDEN = "[hidden]"


class Entry(NamedTuple):
    """One request and what became of it."""

    method: str
    path: str
    query: str
    user: str | None
    """The login name of the caller; ``None`` for anonymous."""
    status: int
    """What the server answered, whether or not the answer arrived."""
    headers: Mapping[str, str]
    """The request's headers in lower case; the values of secret ones are hidden."""
    json: Any
    """The request's JSON body, without passwords; ``None`` where there was none."""
    answer: Any
    """The answer's JSON; ``None`` where there was none."""
    fault: str
    """The transport error acted out, or nothing."""


class Journal(list[Entry]):
    """The entries in the order of the requests."""

    def find(self, method: str | None = None, path: str | None = None, status: int | None = None) -> list[Entry]:
        """Return the matching entries.

        Args:
            method: HTTP method, in any case.
            path: the whole path; outer slashes do not matter.
            status: HTTP status.

        Returns:
            The entries that fit all that is given.
        """
        return [
            entry
            for entry in self
            if (method is None or entry.method == method.upper())
            and (path is None or entry.path.strip("/") == path.strip("/"))
            and (status is None or entry.status == status)
        ]


def make_entry(request: Request, path: str, user: str | None, answer: Answer) -> Entry:
    """Write down one request and its answer."""
    return Entry(
        request.method,
        path,
        request.query,
        user,
        answer.status,
        {name.lower(): HIDDEN if name.lower() in _SECRET_HEADERS else value for name, value in request.headers},
        _json(request.headers, request.body),
        _json(answer.headers, answer.body),
        answer.fault,
    )


def _json(headers: Any, body: bytes) -> Any:
    if not body or not any(name.lower() == "content-type" and "json" in value for name, value in headers):
        return None
    try:
        return _censored(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _censored(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: HIDDEN if key in _SECRET_FIELDS else _censored(value) for key, value in data.items()}
    return [_censored(item) for item in data] if isinstance(data, list) else data
