"""Wait out the server's throttle between the jobs of a bulk operation.

The idea. The server counts requests over a window, and each step of a job is one. A job that goes beyond the limit is
undone, but the steps before the throttled one stay counted. So a job that is sent again before the window is over uses
up what the next one needs. Nothing is sent for a whole window instead; if a job is throttled once more after that, it
has more steps than a window allows, and the next one is shorter than the step it was stopped at.

Rejected: to send the job again as soon as the server takes a request. Most steps of the job that was undone are counted
still, so it would be stopped once more.
"""

import re
from typing import Final

from keystone_client_core import KeystoneError

from .._errors import JobError, StatusError, ThrottledError
from .._flow import Flow
from .._protocol.call import Call
from .job import ENDPOINT

WINDOW: Final = 60.0
"""Seconds over which the server counts requests."""

_EXPECTED = re.compile(r"available in (\d+) second")


class ThrottledJobs:
    """Waits out the throttle for one bulk operation, and makes its jobs fit in a window."""

    def __init__(self, call: Call, name: str) -> None:
        """Start without throttled jobs; ``name`` is the method that was called, for the log."""
        self._call, self._name = call, name
        self._waited = False
        """Whether a window was waited out and no job was carried out since."""
        self._failed_waits = 0
        """How many jobs were throttled even after such a wait, as a whole or at their first step."""

    def passed(self) -> None:
        """Record that a job was carried out."""
        self._waited, self._failed_waits = False, 0

    def wait_out(self, error: StatusError, most: int) -> Flow[int]:
        """Send nothing for a whole window.

        Args:
            error: The error of the throttled job.
            most: The most records a job may have so far.

        Returns:
            The most records a job may have from now on.

        Raises:
            StatusError: The error itself, where the retry policy allows no such wait.
            DeadlineExceededError: The deadline would pass meanwhile.
        """
        policy = self._call.options.retry
        seconds = max(WINDOW, _asked_for(error))
        step = error.action if isinstance(error, JobError) else None
        if self._waited:
            most = max(1, step - 1) if step else most
            self._failed_waits += step in (None, 1)
        if policy.attempts == 1 or seconds > policy.max_retry_after or self._failed_waits >= policy.attempts:
            raise error
        message, details = "%s: throttled, on with it in %.0f s", (self._name, seconds)
        fields = {"endpoint": ENDPOINT, "status_code": 429}
        self._call.log.problem(message, error.request, *details, wait=seconds, **fields)
        if not (yield from self._call.pause(seconds)):
            last = f"; the last was throttled, the next would be {seconds:.0f} s away"
            raise self._call.too_late(f"POST {ENDPOINT}", last)
        self._waited = True
        return most


def is_throttled(error: KeystoneError) -> bool:
    """Check whether a job was throttled: as a whole, or at one of its steps."""
    return isinstance(error, ThrottledError) or (isinstance(error, JobError) and error.step_status == 429)


def _asked_for(error: KeystoneError) -> float:
    """Return the seconds that the server asks to wait; for a throttled step they stand in its message only."""
    if isinstance(error, ThrottledError):
        return error.retry_after or 0
    found = _EXPECTED.search(str(error))
    return float(found[1]) if found else 0
