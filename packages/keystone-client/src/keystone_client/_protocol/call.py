"""The life of one call: its tries, and between them the throttle, the renewal of the session and the deadline.

The idea
--------
A call of the user is a flow; ``_flow`` says why. ``Call.send`` is the part that all flows share. In this order:

1. The request is built. This is done anew for each try, so that it has the cookies and the CSRF token of the moment.
2. The deadline is looked at: timeouts are cut to the time left; if none is left, ``DeadlineExceededError``.
3. The throttle is looked at. While a 429 holds back the identity of the request, the call pauses and returns to step 1.
   A random part of the wait spreads out the calls that were held back together.
4. The request is yielded. The driver sends it and answers with the response, or throws the error in.
5. A response below 400 is the result.
6. Otherwise it is noted whether the server may have acted (``lost``, ``outcome``). What one try may have done stays
   true for the call, however the later ones end: an error says ``"unknown"`` if any of its tries may have arrived.
7. If the session is over and the user gave a provider of credentials, the call logs in again, or waits for another call
   that does, and returns to step 1. That happens once in a call, and the try that met the end of the session does not
   count: the server rejected it before acting.
8. ``retries`` decides whether there is another try, and after how long. After a 429 the other calls of the same
   identity are told to wait as well.
9. With another try, the call pauses and returns to step 1, unless the deadline would pass meanwhile. Without one, the
   response is returned whatever its status (what it means is up to ``responses``), or the error of the last try raised.

What must never be done here
----------------------------
- Do I/O, sleep, or read a clock other than ``session.clock``: tests, and the fake, put their own in its place.
- Send again what the server may have acted on, outside of the rules in ``retries``: it would act twice.
- Let an exception of httpx out with its request: that carries the body and the credentials. ``harmless`` removes them.
- Take an interrupted request (``KeyboardInterrupt``, cancellation) for one that was not sent: it counts as lost.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import httpx
from keystone_client_core import KeystoneError

from .._errors import DeadlineExceededError, TransportError
from .._flow import Ask, Exclusive, Flow, Pause
from .._log import LOGGER
from .._transport.outgoing import OutgoingRequest
from .call_state import CallState
from .error_messages import status_error
from .failures import harmless, may_have_acted, no_answer, status_of, words_for
from .renewal import another, is_over, must_log_in_first, renewal
from .requests import Draft, check_origin
from .retries import Failure, backoff_ceiling, hold_after, wait_before
from .throttle import identity_of


class Call(CallState):
    """One call: its tries."""

    def send(
        self,
        draft: Draft,
        *,
        may_retry: Callable[[Failure], bool] | None = None,
        renew: bool = True,
        tried: int = 0,
        until_kept: bool = False,
    ) -> Flow[httpx.Response]:
        """Send a request, and again as long as it fails and the retry policy allows another try.

        Args:
            draft: What the request is made of.
            may_retry: Returns whether the request may be sent again after a failure; by default after each that the
                policy allows.
            renew: Whether the call may log in again if the session is over.
            tried: How many requests for the same answer have failed before, such as larger pages; they count as tries.
            until_kept: Let ``lost`` be set on return if the server has acted; the caller takes it back once it has kept
                what the response says, so that an interrupt before that counts as a lost response.

        Returns:
            The response to the last try, whatever its status.

        Raises:
            TransportError: There was no response.
            DeadlineExceededError: The deadline of the policy passed.
        """
        attempt = tried
        self.outcome = "not sent"
        if renew and must_log_in_first(self.session):
            yield from self._log_in_first(draft)
        while True:
            attempt += 1
            renewals = self.session.renewals
            request = yield from self._admitted(draft, attempt)
            failure = yield from self._attempt(request, attempt, until_kept)
            if isinstance(failure, httpx.Response) and failure.status_code < 400:
                return failure
            if may_have_acted(failure):
                self.outcome = "unknown"
            if renew and is_over(self.session, failure):
                renew = False
                if (yield from self._renewed(request, failure, renewals)):
                    attempt -= 1  # the server rejected it before acting, so this try does not count
                    continue
            wait = self._wait(request, attempt, failure, may_retry)
            if wait is None:
                return self._ended(request, failure, attempt)
            yield from self._pause_before(request, failure, attempt + 1, wait)

    def _admitted(self, draft: Draft, attempt: int) -> Flow[OutgoingRequest]:
        """Return a request that may be sent now, after the throttle has let this call pass.

        A call waits once for each time that the throttle gives, even if the clock says afterwards that it is not over.
        """
        session = self.session
        waited = None
        while True:
            request = self.built(draft)
            if self.deadline.until is not None and not self.deadline.limit(request):
                raise self.too_late_for(request)
            until = session.throttle.until(request, session.clock)
            if until is None or until == waited:
                return request
            wait = until - session.clock() + session.draw() * backoff_ceiling(self.options.retry, attempt)
            if self.deadline.passes_within(wait):
                raise self.too_late_for(request, wait=wait)
            waited = until
            self.log.held(request, wait)
            yield Pause(wait)

    def _attempt(self, request: OutgoingRequest, attempt: int, until_kept: bool) -> Flow[Failure]:
        """Send a request once, and return the response or the error of httpx."""
        listened = LOGGER.isEnabledFor(logging.INFO)
        if listened:
            self.log.sending(request, attempt)
        hooks = self.session.hooks
        if hooks.request:
            yield from self._call_hooks(hooks.request, request, request)
            check_origin(request, self.session.base_url)
        lost, self.lost = self.lost, True  # until it is known better: an interrupt may come between any two lines
        try:
            response: httpx.Response = yield request
        except httpx.RequestError as error:
            self.lost = lost or may_have_acted(error)
            return error
        except KeystoneError:  # the client is closed
            self.lost = lost
            raise
        self.session.receive(response)
        if listened:
            self.log.received(request, response, attempt)
        if hooks.response:
            yield from self._call_hooks(hooks.response, response, request)
        self.lost = lost or may_have_acted(response) or (until_kept and response.status_code < 400)
        return response

    def _call_hooks(
        self, hooks: Sequence[Callable[..., Any]], subject: httpx.Request | httpx.Response, request: OutgoingRequest
    ) -> Flow[None]:
        """Call functions of the user; what they raise passes unchanged and is not retried."""
        for hook in hooks:
            try:
                yield Ask(partial(hook, subject), self.deadline.time_left)
            except TimeoutError as error:
                if self.deadline.time_left == 0:
                    raise self.too_late_for(request) from error
                raise

    def _wait(
        self, request: OutgoingRequest, attempt: int, failure: Failure, may_retry: Callable[[Failure], bool] | None
    ) -> float | None:
        """Return the seconds to wait before the next try, ``None`` for no further try.

        After a 429 this also holds back the other calls of the same identity.
        """
        policy = self.options.retry
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
        # No variable keeps the error: its traceback has this frame, and the two would keep each other alive.
        if self.deadline.passes_within(0):
            raise self.too_late_for(request, failure) from harmless(failure, request)
        raise no_answer(
            failure,
            request,
            where=f"{request.method} {self.session.base_url}{request.endpoint}",
            attempts=attempts,
            outcome=self.outcome,
            cid=self.cid,
            proxy=self.session.route.proxy,
        ) from harmless(failure, request)

    def _pause_before(self, request: OutgoingRequest, failure: Failure, attempt: int, wait: float) -> Flow[None]:
        """Log that another try follows, and wait for it; raise the error now if the deadline would pass meanwhile."""
        if self.deadline.passes_within(wait):
            raise self.too_late_for(request, failure, wait) from harmless(failure, request)
        details = (words_for(failure, request), attempt, wait)
        fields = {"status_code": status_of(failure), "attempt": attempt - 1}
        self.log.problem("%s: try %d follows in %.2f s", request, *details, wait=wait, **fields)
        yield Pause(wait)

    def _log_in_first(self, draft: Draft) -> Flow[None]:
        """Log in with the credentials from the environment, or wait for another call that does."""
        logged_in = yield Exclusive(self._renewal(self.session.renewals), self.deadline.time_left)
        if logged_in is None:
            raise self.too_late(f"{draft.method} {draft.endpoint}")
        failed = self.session.failed_login
        if not logged_in and failed is not None:
            raise another(failed)  # of the call that was waited for: another login at once would fail as well

    def _renewed(self, request: OutgoingRequest, failure: Failure, renewals: int) -> Flow[bool]:
        """Log in again, or wait for another call that does, and return whether there is a session."""
        self.log.problem("the session is over: a login follows", request, status_code=401)
        renewed = yield Exclusive(self._renewal(renewals), self.deadline.time_left)
        if renewed is None:
            raise self.too_late_for(request)
        failed = self.session.failed_login
        if not renewed and failed is not None and isinstance(failure, httpx.Response):
            raise status_error(failure, self.cid, hint="the session is over, and another call failed to log in") from (
                another(failed)
            )
        return bool(renewed)

    def _renewal(self, renewals: int) -> Flow[bool]:
        try:
            return (yield from renewal(self.session, renewals, self._login))
        except Exception as error:
            if isinstance(error, TransportError | DeadlineExceededError):
                error.outcome = self.outcome  # the outcome of the caller's request, not of the login
            raise

    def _login(self) -> "Call":
        """Return a call for the login, with the deadline of this one."""
        login = Call(self.session, self.options)
        login.deadline.until = self.deadline.until  # both have none, or both have one
        return login
