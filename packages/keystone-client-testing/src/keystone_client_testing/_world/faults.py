"""Planned faults: which requests they hit, how often, and what happens instead of, or after, the answer."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._wire import Answer, Reply, page, to_answer
from .matchers import Seen, Wanted

EXPIRED = "expired"
"""The error that is none of the transport: the caller's session ends."""
HTML = "html"
DATABASE = "database"
"""The error that is none of the transport either: the server has lost its database."""
TIMEOUT = "timeout"
ERRORS = frozenset({"connect", TIMEOUT, "reset", "cut", HTML, EXPIRED, DATABASE})
_BODIES: Mapping[int, str] = {
    400: "Bad request.",
    401: "Authentication credentials were not provided.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    405: "Method not allowed.",
    406: "Could not satisfy the request Accept header.",
    415: "Unsupported media type in request.",
    429: "Request was throttled. Expected available in {wait} seconds.",
}
_JOB_BODY = {"detail": "Step #1 failed with status 400", "step": 1, "status": 400, "body": {"detail": "Bad request."}}
_RETRY_AFTER = 60
_PROXY_PAGE = b"<html><head><title>Proxy</title></head><body><h1>This is not the page you asked for</h1></body></html>"


class Fault(NamedTuple):
    """One rule."""

    method: str | None = None
    path: str | None = None
    route: str | None = None
    user: str | None = None
    status: int | None = None
    error: str | None = None
    after: bool = False
    delay: float = 0
    retry_after: int | None = None
    json: Any = None
    visible_after: float | None = None
    """How many seconds later others see what was written; at once by default."""

    @property
    def wanted(self) -> Wanted:
        """Which requests it is meant for."""
        return Wanted(self.method, self.path, self.route, self.user)

    @property
    def name(self) -> str:
        """What the journal calls it."""
        return self.error or (f"status {self.status}" if self.status else "delay")

    @property
    def replaces(self) -> bool:
        """Whether the client gets something else than the answer of the server."""
        return bool(self.status or (self.error and self.error not in (EXPIRED, DATABASE)))


@dataclass
class _Plan:
    """A rule with what is left of its counts."""

    fault: Fault
    skip: int
    left: int | None
    hits: int = 0

    @property
    def unused(self) -> bool:
        return self.hits == 0 if self.left is None else self.left > 0

    def take(self, seen: Seen) -> bool:
        """Tell whether it hits this request, and count."""
        if self.left == 0 or not self.fault.wanted.fits(seen):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The rules of a world."""

    def __init__(self) -> None:
        """Start without faults."""
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, times: int | None, skip: int) -> None:
        """Plan a fault for the next ``times`` requests that match, behind ``skip`` of them that are spared."""
        if skip < 0 or (times is not None and times < 1):
            raise ValueError(f"times={times!r} and skip={skip!r}: a fault hits at least once (None: every time)")
        self._plans.append(_Plan(fault, skip, times))

    def clear(self) -> None:
        """Forget every rule: none hits any more, none is unused."""
        self._plans = []

    @property
    def planned(self) -> bool:
        """Whether there are any."""
        return bool(self._plans)

    @property
    def unused(self) -> list[Fault]:
        """The faults that have hits left, or never hit."""
        return [plan.fault for plan in self._plans if plan.unused]

    def take(self, seen: Seen) -> Fault | None:
        """Return the first planned fault that matches, and use it up by one."""
        with self._lock:
            return next((plan.fault for plan in self._plans if plan.take(seen)), None)


def check_fault(fault: Fault, when: str) -> Fault:
    """Check the arguments of ``FakeKeystone.fail`` and complete the rule.

    Args:
        fault: as the test gave it.
        when: ``before`` or ``after``.

    Returns:
        The rule.

    Raises:
        ValueError: an argument makes no sense.
    """
    if fault.error is not None and fault.error not in ERRORS:
        raise ValueError(f"error={fault.error!r} is unknown: one of {', '.join(sorted(ERRORS))}")
    if fault.status is not None and fault.error not in (None, HTML):
        raise ValueError('give status or error, not both; only error="html", a page of a proxy, may have a status')
    if fault.status is None and fault.error is None and not fault.delay:
        raise ValueError("give a status, an error or a delay")
    if fault.status is not None and not 200 <= fault.status <= 599:  # what a server may answer
        raise ValueError(f"status={fault.status!r} is no status of an answer: 200 to 599")
    if fault.delay < 0:
        raise ValueError(f"delay={fault.delay!r} is negative")
    if when not in ("before", "after"):
        raise ValueError(f'when={when!r} is unknown: "before" or "after" the write')
    if fault.error == DATABASE and when == "after":
        raise ValueError('error="database" has no when="after": without its database the server writes nothing')
    fault = fault._replace(method=fault.method and fault.method.upper(), after=when == "after")
    _check_visible_after(fault)
    return fault


def _check_visible_after(fault: Fault) -> None:
    if fault.visible_after is None:
        return
    if fault.visible_after < 0:
        raise ValueError(f"visible_after={fault.visible_after!r} is negative")
    if not (fault.after and fault.replaces):
        raise ValueError('visible_after= is for a lost answer: give when="after", and an error or a status')


def apply_fault(fault: Fault, answer: Answer | None) -> Answer:
    """Return what the client gets.

    Args:
        fault: the rule that hit.
        answer: the true answer; ``None`` when the fault comes before the request is handled.

    Returns:
        The answer to deliver, with the transport fault to act out.
    """
    if fault.error == HTML:
        headers = (("Content-Type", "text/html"), ("Content-Length", str(len(_PROXY_PAGE))))
        return Answer(fault.status or 200, headers, _PROXY_PAGE)
    if fault.status is not None:
        return _status_answer(fault, fault.status)
    lost = answer or Answer(0, (("Content-Type", "application/json"),), b'{"id": 1, "na')
    return lost._replace(fault=fault.error or "")


def _status_answer(fault: Fault, status: int) -> Answer:
    if status == 500 and fault.json is None:
        return to_answer(page(500), False, "")
    if status == 204:
        return to_answer(Reply(status), False, "")
    wait = fault.retry_after if fault.retry_after is not None else _RETRY_AFTER if status == 429 else None
    headers = (("Retry-After", str(wait)),) if wait is not None else ()
    return to_answer(Reply(status, _body(fault, status, wait), headers), False, "")


def _body(fault: Fault, status: int, wait: int | None) -> Any:
    if fault.json is not None:
        return fault.json
    if status == 422:
        return _JOB_BODY
    return {"detail": _BODIES.get(status, f"Status {status}.").format(wait=wait)}
