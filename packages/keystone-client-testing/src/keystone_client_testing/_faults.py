"""Planned faults: which requests they hit, how often, and what happens instead of, or after, the answer."""

import threading
from collections.abc import Mapping
from typing import NamedTuple

from ._wire import Answer, Reply, page, to_answer

EXPIRED = "expired"
"""The error that is none of the transport: the caller's session ends."""
ERRORS = frozenset({"connect", "timeout", "reset", "cut", "html", EXPIRED})
_BODIES: Mapping[int, str] = {
    400: "Bad request.",
    401: "Authentication credentials were not provided.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    429: "Request was throttled. Expected available in 60 seconds.",
}
_PROXY_PAGE = b"<html><head><title>Proxy</title></head><body><h1>This is not the page you asked for</h1></body></html>"


class Fault(NamedTuple):
    """One rule."""

    method: str | None
    path: str | None
    user: str | None
    status: int | None
    error: str | None
    after: bool
    delay: float


class Faults:
    """The rules of a world, with what is left of their counts."""

    def __init__(self) -> None:
        """Start without faults."""
        self._left: list[list[Fault | int]] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, times: int) -> None:
        """Plan a fault for the next ``times`` requests that match."""
        self._left.append([fault, times])

    @property
    def unused(self) -> list[Fault]:
        """The faults that have hits left."""
        return [fault for fault, left in self._left if left and isinstance(fault, Fault)]

    def take(self, method: str, path: str, user: str | None) -> Fault | None:
        """Return the first planned fault that matches, and use it up by one."""
        with self._lock:
            for slot in self._left:
                fault, left = slot
                if isinstance(fault, Fault) and isinstance(left, int) and left and _hits(fault, method, path, user):
                    slot[1] = left - 1
                    return fault
        return None


def make_fault(
    method: str | None,
    path: str | None,
    status: int | None,
    error: str | None,
    when: str,
    user: str | None,
    delay: float,
) -> Fault:
    """Check the arguments of ``FakeKeystone.fail`` and build the rule.

    Raises:
        ValueError: an argument makes no sense.
    """
    if error is not None and error not in ERRORS:
        raise ValueError(f"error={error!r} is unknown: one of {', '.join(sorted(ERRORS))}")
    if status is not None and error is not None:
        raise ValueError("give status or error, not both")
    if status is None and error is None and not delay:
        raise ValueError("give a status, an error or a delay")
    if when not in ("before", "after"):
        raise ValueError(f'when={when!r} is unknown: "before" or "after" the write')
    return Fault(method and method.upper(), path, user, status, error, when == "after", delay)


def apply_fault(fault: Fault, answer: Answer | None) -> Answer:
    """Return what the client gets.

    Args:
        fault: the rule that hit.
        answer: the true answer; ``None`` when the fault comes before the request is handled.

    Returns:
        The answer to deliver, with the transport fault and delay to act out.
    """
    if fault.status is not None:
        return _status_answer(fault.status)._replace(delay=fault.delay)
    if fault.error == "html":
        headers = (("Content-Type", "text/html"), ("Content-Length", str(len(_PROXY_PAGE))))
        return Answer(200, headers, _PROXY_PAGE, "", fault.delay)
    lost = answer or Answer(0, (("Content-Type", "application/json"),), b'{"id": 1, "na')
    return lost._replace(fault=fault.error or "", delay=fault.delay)


def _status_answer(status: int) -> Answer:
    if status == 500:
        return to_answer(page(500), False, "")
    retry = (("Retry-After", "60"),) if status == 429 else ()
    return to_answer(Reply(status, {"detail": _BODIES.get(status, f"Status {status}.")}, retry), False, "")


def _hits(fault: Fault, method: str, path: str, user: str | None) -> bool:
    return (
        fault.method in (None, method)
        and (fault.path is None or path.strip("/").startswith(fault.path.strip("/")))
        and fault.user in (None, user)
    )
