"""What is known of one call while it lasts. What is done with it, one try after the other, is in ``call``."""

from functools import cached_property
from typing import Final

from .._config.call_options import CallOptions
from .._errors import DeadlineExceededError
from .._flow import Flow, Pause
from .._transport.deadline import NO_DEADLINE, Deadline
from .._transport.outgoing import OutgoingRequest
from .call_log import CallLog
from .failures import words_for
from .requests import Draft
from .retries import Failure
from .session_state import SessionState


class CallState:
    """What is known of one call: its options, its deadline, and what the server may have done unnoticed."""

    def __init__(self, session: SessionState, options: CallOptions) -> None:
        """Start the time of the call."""
        self.session: Final = session
        self.options: Final = options
        self.cid: Final = options.cid
        self.lost = False
        """Whether a response was lost: the server may have acted, and nothing tells whether it has."""
        self.outcome = "not sent"
        """What an error says of the request: ``"not sent"``, or ``"unknown"`` if the server may have acted."""
        seconds = options.retry.deadline
        self.deadline: Final = NO_DEADLINE if seconds is None else Deadline(seconds, session.clock)

    @cached_property
    def log(self) -> CallLog:
        """What to log records about this call with."""
        return CallLog(self.session.base_url, self.cid)

    def built(self, draft: Draft) -> OutgoingRequest:
        """Build a request as it would be sent now."""
        return self.session.builder.build(draft, self.session.headers, self.options)

    def pause(self, seconds: float) -> Flow[bool]:
        """Wait and return ``True``; return ``False`` at once if the deadline would pass meanwhile."""
        if self.deadline.passes_within(seconds):
            return False
        yield Pause(seconds)
        return True

    def too_late_for(
        self, request: OutgoingRequest, failure: Failure | None = None, wait: float = 0
    ) -> DeadlineExceededError:
        """Return the error for a request that may not be tried again.

        Args:
            request: The request.
            failure: What the last try ended in, if there was one.
            wait: The seconds that the call would have to wait.
        """
        last = ""
        if failure is not None:
            last = f"; the last ended in {words_for(failure, request)}"
            last += f", the next would be {wait:.2f} s away" if wait else ""
        elif wait:
            last = f"; the server throttles this client for {wait:.2f} s"
        return self.too_late(f"{request.method} {request.endpoint}", last)

    def too_late(self, where: str, last: str = "") -> DeadlineExceededError:
        """Return the error of a call whose deadline leaves no time.

        Args:
            where: What the call was doing, such as its method and endpoint.
            last: What it ended in, to be added to the message.
        """
        deadline = self.options.retry.deadline
        error = DeadlineExceededError(f"{where}: the deadline of {deadline} s leaves no time for another try{last}")
        error.cid = self.cid
        error.outcome = self.outcome
        return error
