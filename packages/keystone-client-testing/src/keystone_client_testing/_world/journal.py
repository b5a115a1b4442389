"""The requests and answers of a world, kept for assertions: all, or the last ones. Nothing secret is in it."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from .._wire import Answer, Request
from .changes import HIDDEN, Change, changes_of
from .faults import Fault
from .matchers import Wanted
from .store import Write

_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "x-csrftoken", "proxy-authorization"})
_SECRET_FIELDS = frozenset({"password", "csrfmiddlewaretoken"})
_HAS_SECRET = re.compile("|".join(_SECRET_FIELDS).encode()).search
_LAST = 20


class Entry:
    """One request and what became of it; bodies are decoded when they are looked at."""

    def __init__(
        self,
        request: Request,
        path: str,
        route: str,
        user: str | None,
        answer: Answer,
        fault: Fault | None = None,
        writes: Sequence[Write] = (),
    ) -> None:
        """Record one request and its answer.

        Args:
            request: what was asked.
            path: below the base URL, with its outer slashes.
            route: the endpoint behind the path; empty where the server has none.
            user: the login name of the caller; ``None`` for anonymous.
            answer: what was answered.
            fault: the planned fault that hit.
            writes: what the request did to the store.
        """
        self.method: str = request.method
        self.path = path
        self.route = route
        """The endpoint, like ``/users/teams/{id}/``; empty where the server has none."""
        self.query: str = request.query
        self.user = user
        self.status: int = answer.status
        """The status of the answer, whether or not the answer arrived; 0 if the request never reached the server."""
        self.fault: str = fault.name if fault else ""
        """The planned fault that hit: ``reset``, ``html``, ``status 503``, ``delay`` and so on; empty for none."""
        self._writes = writes
        self.headers: Mapping[str, str] = _without_values(request.headers)
        """The request's headers in lower case; the values of secret ones are hidden."""
        self._sent = _without_secrets(self.headers.get("content-type", ""), request.body)
        self._answered = answer.body

    def __repr__(self) -> str:
        """Show the line a log would."""
        query, fault = f"?{self.query}" if self.query else "", f", fault: {self.fault}" if self.fault else ""
        return f"<{self.method} {self.path}{query} {self.status} by {self.user or 'nobody'}{fault}>"

    @cached_property
    def changes(self) -> list[Change]:
        """The records this request created, updated or deleted; what was rolled back is not among them."""
        return changes_of(self._writes)

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

    def __init__(self) -> None:
        """Start empty, and without a limit."""
        super().__init__()
        self.dropped: int = 0
        """How many entries were dropped because the journal was full."""
        self._most: int | None = None

    def limit(self, most: int | None) -> None:
        """Keep only the last entries from now on.

        Args:
            most: how many; ``None`` for all.

        Raises:
            ValueError: it is negative.
        """
        if most is not None and most < 0:
            raise ValueError(f"journal={most!r} is negative")
        self._most = most
        self._drop()

    def append(self, entry: Entry) -> None:
        """Add an entry; where the journal is full, the oldest goes."""
        super().append(entry)
        self._drop()

    def clear(self) -> None:
        """Forget every entry; the limit stays."""
        super().clear()
        self.dropped = 0

    def _drop(self) -> None:
        surplus = 0 if self._most is None else len(self) - self._most
        if surplus > 0:
            del self[:surplus]
            self.dropped += surplus

    def find(
        self,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        user: str | None = None,
        *,
        route: str | None = None,
        fault: str | None = None,
    ) -> list[Entry]:
        """Return the entries that fit all that is given; method, path, route and user are as in ``FakeKeystone.fail``.

        Args:
            method: HTTP method, in any case.
            path: what the path below the base URL starts with, by whole segments; ``*`` is any one segment.
            status: HTTP status of the answer.
            user: login name of the caller; an empty text for nobody.
            route: the endpoint, like ``/users/teams/`` or ``/users/teams/{id}/``.
            fault: the planned fault that hit, as ``Entry.fault`` names it; an empty text for none.

        Returns:
            The entries, in the order of the requests.
        """
        wanted = Wanted(method, path, route, user)
        return [
            entry
            for entry in self
            if wanted.fits(entry) and status in (None, entry.status) and fault in (None, entry.fault)
        ]

    def assert_requested(
        self, method: str | None = None, path: str | None = None, *, times: int | None = None, **more: Any
    ) -> list[Entry]:
        """Check that such requests were made, and return them.

        Args:
            method: see ``find``.
            path: see ``find``.
            times: how many; ``None`` for at least one, 0 for none.
            **more: ``status``, ``user``, ``route``, ``fault``; see ``find``.

        Returns:
            The entries.

        Raises:
            AssertionError: there were none, or another number; it shows what was requested instead.
        """
        found = self.find(method, path, **more)
        if (not found) if times is None else len(found) != times:
            given = {"method": method, "path": path, **more}
            asked = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
            number = "at least one request" if times is None else f"{times} requests"
            raise AssertionError(f"expected {number} with {asked or 'anything'}, got {len(found)}\n{self.summary()}")
        return found

    def summary(self) -> str:
        """Return the last requests as text, one per line."""
        lines = [f"  ({self.dropped} earlier requests are no longer in the journal)"] if self.dropped else []
        left = len(self) - _LAST
        lines += [f"  ({left} earlier requests)"] if left > 0 else []
        return "\n".join([*lines, *(f"  {entry!r}" for entry in self[-_LAST:])]) or "  (no requests)"


def _without_values(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: HIDDEN if name in _SECRET_HEADERS else value for name, value in headers.items()}


def _without_secrets(content_type: str, body: bytes) -> bytes:
    """Keep a JSON body; what has a password in it is cleaned before it is kept."""
    if not body or "json" not in content_type:
        return b""
    if not _HAS_SECRET(body):
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
