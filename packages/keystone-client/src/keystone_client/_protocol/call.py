"""One call of a user, from the first try to the last: retries, deadline, log lines. Written once, without colour."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from keystone_client_core import KeystoneError

from .._errors import DeadlineExceededError, TransportError
from .._flow import Exclusive, Flow, Pause
from .._log import LOGGER
from .._transport.deadline import limited
from .._transport.outgoing import OutgoingRequest
from .failures import harmless, may_have_acted, name_of, no_answer, status_of
from .renewal import is_over, renewal
from .requests import Parameters
from .responses import Page, page_of, record_of
from .retries import Failure, backoff_ceiling, hold_after, wait_before
from .session_state import SessionState
from .throttle import identity_of


class Call:
    """One call: what was tried, what may have happened unseen, and when it must be over."""

    def __init__(self, session: SessionState) -> None:
        """Start the clock of the call."""
        self.session: Final = session
        self.cid: Final = session.cid
        self.lost = False
        """Whether an answer was lost: the server may have acted without our knowing."""
        self._outcome = "not sent"
        self._until: float | None = None
        self.restart()

    def restart(self) -> None:
        """Begin the time of the deadline anew: what the caller does between the pages of an iteration is not ours."""
        deadline = self.session.retry.deadline
        self._until = None if deadline is None else self.session.clock() + deadline

    def send(
        self,
        build: Callable[[], OutgoingRequest],
        *,
        may_retry: Callable[[Failure], bool] | None = None,
        renew: bool = True,
    ) -> Flow[httpx.Response]:
        """Send a request until it is answered or the policy says that it is enough.

        Args:
            build: Gives the request; called anew for each try, so that it carries the cookies of the moment.
            may_retry: Says for which failures the same request may be sent again; all the policy allows if left out.
            renew: Whether a session that is over may be begun again.

        Returns:
            The answer of the last try, whatever its status.

        Raises:
            TransportError: No answer arrived.
            DeadlineExceededError: The deadline of the policy passed.
        """
        attempt = 0
        self._outcome = "not sent"
        while True:
            attempt += 1
            renewals = self.session.renewals
            request = yield from self._admitted(build, attempt)
            failure = yield from self._attempt(request)
            if isinstance(failure, httpx.Response) and failure.status_code < 400:
                return failure
            if may_have_acted(failure):
                self.lost, self._outcome = True, "unknown"
            if renew and is_over(self.session, failure):
                renew = False
                if (yield from self._renewed(request, renewals)):
                    attempt -= 1  # nobody has acted on a request of nobody
                    continue
            wait = self._wait(request, attempt, failure, may_retry)
            if wait is None:
                return self._ended(request, failure, attempt)
            yield from self._pause_before(request, failure, attempt + 1, wait)

    def _wait(
        self, request: OutgoingRequest, attempt: int, failure: Failure, may_retry: Callable[[Failure], bool] | None
    ) -> float | None:
        """The seconds before the next try, ``None`` if there is none; after a 429 the calls of others wait as well."""
        policy = self.session.retry
        wait = None
        if may_retry is None or may_retry(failure):
            wait = wait_before(policy, request.method, attempt, failure, draw=self.session.draw())
        seconds = hold_after(policy, failure, wait)
        if seconds is not None:
            self.session.throttle.hold(identity_of(request), self.session.clock() + seconds)
        return wait

    def _ended(self, request: OutgoingRequest, failure: Failure, attempts: int) -> httpx.Response:
        """The answer of the last try, or the error of there being none."""
        if isinstance(failure, httpx.Response):
            return failure
        error: KeystoneError
        if self._too_long(0):
            error = self._too_late(request, failure)
        else:
            where = f"{request.method} {self.session.base_url}{request.endpoint}"
            error = no_answer(failure, request, where=where, attempts=attempts, outcome=self._outcome, cid=self.cid)
        raise error from harmless(failure, request)

    def _pause_before(self, request: OutgoingRequest, failure: Failure, attempt: int, wait: float) -> Flow[None]:
        if self._too_long(wait):
            raise self._too_late(request, failure, wait) from harmless(failure, request)
        message = "%s: try %d follows in %.2f s"
        self.session.log(logging.WARNING, message, request, status_of(failure), name_of(failure), attempt, wait)
        yield Pause(wait)

    def _admitted(self, build: Callable[[], OutgoingRequest], attempt: int) -> Flow[OutgoingRequest]:
        """A request that may be sent now: while the server throttles us, all wait, and come back spread out."""
        waited = None
        while True:
            request = self._within_deadline(build())
            now = self.session.clock()
            until = self.session.throttle.until(request, now)
            if until is None or until == waited:
                return request
            wait = until - now + self.session.draw() * backoff_ceiling(self.session.retry, attempt)
            if self._too_long(wait):
                raise self._too_late(request, wait=wait)
            waited = until
            self._log_hold(request, wait)
            yield Pause(wait)

    def _renewed(self, request: OutgoingRequest, renewals: int) -> Flow[bool]:
        """Whether there is a session again, by the doing of this call or of another."""
        self.session.log(logging.WARNING, "the session is over: a login follows", request, 401)
        renewed = yield Exclusive(self._renewal(renewals), self.time_left)
        if renewed is None:
            raise self._too_late(request)
        return bool(renewed)

    def _renewal(self, renewals: int) -> Flow[bool]:
        try:
            return (yield from renewal(self.session, renewals, self._login))
        except Exception as error:
            if isinstance(error, TransportError | DeadlineExceededError):
                error.outcome = self._outcome  # of what the caller wants, not of the login
            raise

    def _login(self) -> "Call":
        """A call that logs in within the time this one has left."""
        login = Call(self.session)
        login._until = self._until
        return login

    def json(
        self,
        method: str,
        endpoint: str,
        *,
        params: Parameters | None = None,
        content: bytes | None = None,
        may_retry: Callable[[Failure], bool] | None = None,
    ) -> Flow[httpx.Response]:
        """Send a request of the typed methods; see ``send``."""
        return self.send(
            lambda: self.session.request(method, endpoint, params=params, content=content), may_retry=may_retry
        )

    def page(
        self, endpoint: str, params: Mapping[str, str], *, may_retry: Callable[[Failure], bool] | None = None
    ) -> Flow[Page]:
        """Fetch one page of a listing."""
        return page_of((yield from self.json("GET", endpoint, params=params, may_retry=may_retry)), self.cid)

    def record(self, method: str, endpoint: str, content: bytes) -> Flow[dict[str, Any]]:
        """Write a record and give it back as the server keeps it."""
        return record_of((yield from self.json(method, endpoint, content=content)), self.cid)

    def pause(self, seconds: float) -> Flow[bool]:
        """Wait, and say so; not at all where the deadline would pass meanwhile."""
        if self._too_long(seconds):
            return False
        yield Pause(seconds)
        return True

    @property
    def time_left(self) -> float | None:
        """The seconds that are left of the call, 0 where its time is over; ``None`` without a deadline."""
        return None if self._until is None else max(self._left(), 0)

    def _left(self) -> float:
        return float("inf") if self._until is None else self._until - self.session.clock()

    def _too_long(self, seconds: float) -> bool:
        return self._until is not None and self.session.clock() + seconds >= self._until

    def _attempt(self, request: OutgoingRequest) -> Flow[Failure]:
        listened = LOGGER.isEnabledFor(logging.INFO)
        if listened:
            self.session.log(logging.DEBUG, "%s %s", request, "", request.method, request.endpoint)
        try:
            response: httpx.Response = yield request
        except httpx.RequestError as error:
            return error
        except KeystoneError:  # the client is closed
            raise
        except BaseException:  # interrupted, cancelled
            self.lost = True
            raise
        self.session.receive(response)
        if listened:
            self._log_response(request, response)
        return response

    def _log_response(self, request: OutgoingRequest, response: httpx.Response) -> None:
        endpoint = request.endpoint
        milliseconds = response.elapsed.total_seconds() * 1000
        self.session.log(
            logging.INFO,
            "%s %s %d in %.0f ms",
            request,
            response.status_code,
            request.method,
            endpoint or "/",
            response.status_code,
            milliseconds,
        )

    def _log_hold(self, request: OutgoingRequest, wait: float) -> None:
        self.session.log(logging.DEBUG, "%s %s waits %.2f s: the server throttles this client", request, "",
                      request.method, request.endpoint, wait)  # fmt: skip

    def _within_deadline(self, request: OutgoingRequest) -> OutgoingRequest:
        """The request with timeouts that do not outlast the call."""
        if self._until is not None:
            left = self._until - self.session.clock()
            if left <= 0:
                raise self._too_late(request)
            request.time_left = self._left
            request.extensions["timeout"] = limited(request.timeouts, left)
        return request

    def _too_late(
        self, request: OutgoingRequest, failure: Failure | None = None, wait: float = 0
    ) -> DeadlineExceededError:
        last = ""
        if failure is not None:
            last = f"; the last ended in {name_of(failure)}, the next would be {wait:.2f} s away"
        elif wait:
            last = f"; the server throttles this client for {wait:.2f} s"
        return self.too_late(f"{request.method} {request.endpoint}", last)

    def too_late(self, where: str, last: str = "") -> DeadlineExceededError:
        """The error of a call whose deadline leaves no time: where it was, and what came last."""
        deadline = self.session.retry.deadline
        error = DeadlineExceededError(f"{where}: the deadline of {deadline} s leaves no time for another try{last}")
        error.cid = self.cid
        error.outcome = self._outcome
        return error
