"""Every request and answer of a world, kept for assertions. Nothing secret is in it."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ._wire import Answer, Headers, Request

_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "x-csrftoken", "proxy-authorization"})
_SECRET_FIELDS = frozenset({"password", "csrfmiddlewaretoken"})
HIDDEN = "[hidden]"


class Entry:
    """One request and what became of it; bodies are decoded when they are looked at."""

    def __init__(self, request: Request, path: str, user: str | None, answer: Answer) -> None:
        """Write down one request and its answer.

        Args:
            request: what was asked.
            path: below the base URL, with its outer slashes.
            user: the login name of the caller; ``None`` for anonymous.
            answer: what was answered.
        """
        self.method = request.method
        self.path = path
        self.query = request.query
        self.user = user
        self.status = answer.status
        """What the server answered, whether or not the answer arrived; 0 where it was never asked."""
        self.fault = answer.fault
        """The transport error acted out, or nothing."""
        self._headers = [pair for pair in request.headers if pair[0].lower() not in _SECRET_HEADERS]
        self._hidden = [name.lower() for name, _ in request.headers if name.lower() in _SECRET_HEADERS]
        self._sent = _without_secrets(request.headers, request.body)
        self._answered = answer.body

    def __repr__(self) -> str:
        """Show the line a log would."""
        return f"<{self.method} {self.path} {self.status}{' ' + self.fault if self.fault else ''} by {self.user}>"

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The request's headers in lower case; the values of secret ones are hidden."""
        return {**{name.lower(): value for name, value in self._headers}, **dict.fromkeys(self._hidden, HIDDEN)}

    @cached_property
    def json(self) -> Any:
        """The request's JSON body, without passwords; ``None`` where there was none."""
        return _decoded(self._sent)

    @cached_property
    def answer(self) -> Any:
        """The answer's JSON; ``None`` where there was none."""
        return _decoded(self._answered)


class Journal(list[Entry]):
    """The entries in the order of the requests."""

    def find(
        self,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        user: str | None = None,
    ) -> list[Entry]:
        """Return the matching entries.

        Args:
            method: HTTP method, in any case.
            path: the whole path; outer slashes do not matter.
            status: HTTP status.
            user: login name of the caller.

        Returns:
            The entries that fit all that is given.
        """
        return [
            entry
            for entry in self
            if (method is None or entry.method == method.upper())
            and (path is None or entry.path.strip("/") == path.strip("/"))
            and (status is None or entry.status == status)
            and (user is None or entry.user == user)
        ]


def _without_secrets(headers: Headers, body: bytes) -> bytes:
    """Keep a JSON body; what has a password in it is cleaned before it is kept."""
    if not body or not any(name.lower() == "content-type" and "json" in value for name, value in headers):
        return b""
    if not any(field.encode() in body for field in _SECRET_FIELDS):
        return body
    return json.dumps(_censored(_decoded(body))).encode()


def _decoded(body: bytes) -> Any:
    try:
        return _censored(json.loads(body)) if body else None
    except (ValueError, RecursionError):
        return None


def _censored(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: HIDDEN if key in _SECRET_FIELDS else _censored(value) for key, value in data.items()}
    return [_censored(item) for item in data] if isinstance(data, list) else data
