"""The life of one call: its tries, and between them the throttle, the renewal of the session and the deadline.

The idea
--------
A call of the user is a flow, a generator that yields what it needs and is sent the result, like ``Auth.auth_flow`` of
httpx. ``Call.send`` is the part that all flows share. What happens in it, in this order:

1. The request is built. This is done anew for each try, so that it has the cookies and the CSRF token of the moment.
2. The deadline is looked at: timeouts are cut to the time left; if none is left, ``DeadlineExceededError``.
3. The throttle is looked at. While a 429 holds back the identity of the request, the call pauses and returns to step 1.
   A random part of the wait spreads out the calls that were held back together.
4. The request is yielded. The driver sends it and answers with the response, or throws the error in.
5. A response below 400 is the result.
6. Otherwise it is noted whether the server may have acted (``lost``, ``_outcome``). What one try may have done stays
   true for the call, however the later ones end: an error says ``"unknown"`` if any of its tries may have arrived.
7. If the session is over and the user gave a provider of credentials, the call logs in again, or waits for another call
   that does, and returns to step 1. That happens once in a call, and the try that met the end of the session does not
   count: the server rejected it before acting.
8. ``retries`` decides whether there is another try, and after how long. After a 429 the other calls of the same
   identity are told to wait as well.
9. With another try, the call pauses and returns to step 1, unless the deadline would pass meanwhile. Without one, the
   response is returned whatever its status (what it means is up to ``responses``), or the error of the last try raised.

Why a generator
---------------
Two clients, sync and async, have to behave alike. Here the behaviour is written once, without threads and without
``await``, and each driver only does what is yielded: send, sleep, ask the user's code, run alone.

What must never be done here
----------------------------
- Do I/O, sleep, or read a clock other than ``session.clock``: tests, and the fake, put their own in its place.
- Send again what the server may have acted on, outside of the rules in ``retries``: it would act twice.
- Let an exception of httpx out with its request: that carries the body and the credentials. ``harmless`` removes them.
- Take an interrupted request (``KeyboardInterrupt``, cancellation) for one that was not sent: it counts as lost.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from keystone_client_core import KeystoneError

from .._errors import DeadlineExceededError, TransportError
from .._flow import Exclusive, Flow, Pause
from .._log import LOGGER, LONGEST_SILENCE, tell_of_silence
from .._transport.deadline import limited
from .._transport.outgoing import OutgoingRequest
from .failures import harmless, may_have_acted, no_answer, status_of, words_for
from .renewal import is_over, renewal
from .requests import Parameters
from .responses import Page, page_of, record_of
from .retries import Failure, backoff_ceiling, hold_after, wait_before
from .session_state import SessionState
from .throttle import identity_of


class Call:
    """One call: its tries, what the server may have done unnoticed, and its deadline."""

    def __init__(self, session: SessionState) -> None:
        """Start the time of the call."""
        self.session: Final = session
        self.cid: Final = session.cid
        self.lost = False
        """Whether a response was lost: the server may have acted, and nothing tells whether it has."""
        self._outcome = "not sent"
        self._silent = True
        self._until: float | None = None
        self.restart()

    def restart(self) -> None:
        """Start the deadline again, because the time the caller spends between two pages does not count against it."""
        deadline = self.session.retry.deadline
        self._until = None if deadline is None else self.session.clock() + deadline

    def send(
        self,
        build: Callable[[], OutgoingRequest],
        *,
        may_retry: Callable[[Failure], bool] | None = None,
        renew: bool = True,
        tried: int = 0,
    ) -> Flow[httpx.Response]:
        """Send a request, and again as long as it fails and the retry policy allows another try.

        Args:
            build: Returns the request; called for each try, so that each has the cookies of the moment.
            may_retry: Returns whether the request may be sent again after a failure; by default after each that the
                policy allows.
            renew: Whether the call may log in again if the session is over.
            tried: How many requests for the same answer have failed before, such as larger pages; they count as tries.

        Returns:
            The response to the last try, whatever its status.

        Raises:
            TransportError: There was no response.
            DeadlineExceededError: The deadline of the policy passed.
        """
        attempt = tried
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
                    attempt -= 1  # the server rejected it before acting, so this try does not count
                    continue
            wait = self._wait(request, attempt, failure, may_retry)
            if wait is None:
                return self._ended(request, failure, attempt)
            yield from self._pause_before(request, failure, attempt + 1, wait)

    def _wait(
        self, request: OutgoingRequest, attempt: int, failure: Failure, may_retry: Callable[[Failure], bool] | None
    ) -> float | None:
        """Return the seconds to wait before the next try, ``None`` for no further try.

        After a 429 this also holds back the other calls of the same identity.
        """
        policy = self.session.retry
        wait = None
        if may_retry is None or may_retry(failure):
            wait = wait_before(policy, request.method, attempt, failure, draw=self.session.draw())
        seconds = hold_after(policy, failure, wait)
        if seconds is not None:
            self.session.throttle.hold(identity_of(request), self.session.clock() + seconds)
        return wait

    def _ended(self, request: OutgoingRequest, failure: Failure, attempts: int) -> httpx.Response:
        """Return the response to the last try, or raise the error that reports that there is none."""
        if isinstance(failure, httpx.Response):
            return failure
        error: KeystoneError
        if self._too_long(0):
            error = self._too_late(request, failure)
        else:
            where = f"{request.method} {self.session.base_url}{request.endpoint}"
            error = no_answer(
                failure,
                request,
                where=where,
                attempts=attempts,
                outcome=self._outcome,
                cid=self.cid,
                proxy=self.session.route.proxy,
            )
        raise error from harmless(failure, request)

    def _pause_before(self, request: OutgoingRequest, failure: Failure, attempt: int, wait: float) -> Flow[None]:
        """Log that another try follows, and wait for it; raise the error now if the deadline would pass meanwhile."""
        if self._too_long(wait):
            raise self._too_late(request, failure, wait) from harmless(failure, request)
        reason = words_for(failure, request)
        message = "%s %s: %s: try %d follows in %.2f s"
        details = request.method, request.endpoint, reason, attempt, wait
        self.tell(logging.WARNING, message, request, status_of(failure), *details, wait=wait)
        yield Pause(wait)

    def _admitted(self, build: Callable[[], OutgoingRequest], attempt: int) -> Flow[OutgoingRequest]:
        """Return a request that may be sent now, after the throttle has let this call pass.

        A call waits once for each time that the throttle gives, even if the clock says afterwards that it is not over.
        """
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
        """Log in again, or wait for another call that does, and return whether there is a session."""
        message = "%s %s: the session is over: a login follows"
        self.session.log(logging.WARNING, message, request, 401, request.method, request.endpoint)
        renewed = yield Exclusive(self._renewal(renewals), self.time_left)
        if renewed is None:
            raise self._too_late(request)
        return bool(renewed)

    def _renewal(self, renewals: int) -> Flow[bool]:
        try:
            return (yield from renewal(self.session, renewals, self._login))
        except Exception as error:
            if isinstance(error, TransportError | DeadlineExceededError):
                error.outcome = self._outcome  # the outcome of the caller's request, not of the login
            raise

    def _login(self) -> "Call":
        """Return a call for the login, with the deadline of this one."""
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
        """Build and send a request to an endpoint, with a body that is JSON already; see ``send``."""
        return self.send(
            lambda: self.session.request(method, endpoint, params=params, content=content), may_retry=may_retry
        )

    def page(
        self, endpoint: str, params: Mapping[str, str], *, may_retry: Callable[[Failure], bool] | None = None
    ) -> Flow[Page]:
        """Fetch one page of a listing."""
        return page_of((yield from self.json("GET", endpoint, params=params, may_retry=may_retry)), self.cid)

    def record(self, method: str, endpoint: str, content: bytes) -> Flow[dict[str, Any]]:
        """Write a record, and return it as the server has stored it."""
        return record_of((yield from self.json(method, endpoint, content=content)), self.cid)

    def tell(
        self, level: int, message: str, request: httpx.Request, status: int | str, *details: object, wait: float
    ) -> None:
        """Log that the call waits. The first long wait is told to somebody even where no logging is configured."""
        self.session.log(level, message, request, status, *details)
        if self._silent and wait > LONGEST_SILENCE:
            self._silent = False
            tell_of_silence(message % details)

    def pause(self, seconds: float) -> Flow[bool]:
        """Wait and return ``True``; return ``False`` at once if the deadline would pass meanwhile."""
        if self._too_long(seconds):
            return False
        yield Pause(seconds)
        return True

    @property
    def time_left(self) -> float | None:
        """The seconds left before the deadline, at least 0; ``None`` without a deadline."""
        return None if self._until is None else max(self._left(), 0)

    def _left(self) -> float:
        return float("inf") if self._until is None else self._until - self.session.clock()

    def _too_long(self, seconds: float) -> bool:
        """Return whether the deadline passes within so many seconds."""
        return self._until is not None and self.session.clock() + seconds >= self._until

    def _attempt(self, request: OutgoingRequest) -> Flow[Failure]:
        """Send a request once, and return the response or the error of httpx."""
        listened = LOGGER.isEnabledFor(logging.INFO)
        if listened:
            self.session.log(logging.DEBUG, "%s %s", request, "", request.method, request.endpoint)
        try:
            response: httpx.Response = yield request
        except httpx.RequestError as error:
            return error
        except KeystoneError:  # the client is closed
            raise
        except BaseException:  # interrupted or cancelled while it was on its way
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
        message = "%s %s waits %.2f s: the server throttles this client"
        self.tell(logging.DEBUG, message, request, "", request.method, request.endpoint, wait, wait=wait)

    def _within_deadline(self, request: OutgoingRequest) -> OutgoingRequest:
        """Cut the timeouts of a request to the time left, and let it ask for the time left later on."""
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
            last = f"; the last ended in {words_for(failure, request)}, the next would be {wait:.2f} s away"
        elif wait:
            last = f"; the server throttles this client for {wait:.2f} s"
        return self.too_late(f"{request.method} {request.endpoint}", last)

    def too_late(self, where: str, last: str = "") -> DeadlineExceededError:
        """Return the error of a call whose deadline leaves no time.

        Args:
            where: What the call was doing, such as its method and endpoint.
            last: What it ended in, to be added to the message.
        """
        deadline = self.session.retry.deadline
        error = DeadlineExceededError(f"{where}: the deadline of {deadline} s leaves no time for another try{last}")
        error.cid = self.cid
        error.outcome = self._outcome
        return error
