"""One call of a user, from the first try to the last: retries, deadline, log lines. Written once, without colour.

A flow is a generator that yields what it needs, a request to send or a pause to make, and is sent the answer, or has
the failure thrown into it. The drivers of the two clients do nothing else than serve flows.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import httpx
from keystone_client_core import KeystoneError

from ._answers import Page, clean_request, decode_error, is_json, page_of, record_of
from ._bounds import TooLargeError
from ._conversation import Conversation, Parameters
from ._errors import DeadlineExceededError, RequestTimeoutError, ResponseTooLargeError, TransportError
from ._exchange import LEFT_OF_CALL
from ._log import LOGGER
from ._retry import Failure, backoff_ceiling, hold_after, outcome_of, wait_before
from ._throttle import identity_of

T = TypeVar("T")


class Pause(NamedTuple):
    """A wait, in seconds."""

    seconds: float


class Ask(NamedTuple):
    """A question to code of the user; in the async client its answer may have to be awaited."""

    question: Callable[[], Any]


class Exclusive(NamedTuple):
    """A flow that never runs twice at once in one client.

    Answered with what it returned, or ``None`` if its turn did not come within ``patience`` seconds.
    """

    flow: Generator[Any, Any, Any]
    patience: float | None


Step: TypeAlias = httpx.Request | Pause | Ask | Exclusive
Flow: TypeAlias = Generator[Step, Any, T]

_ASKING: ContextVar[tuple[Conversation, ...]] = ContextVar("asking", default=())


@contextmanager
def asking(talk: Conversation) -> Iterator[None]:
    """Mark the calls that the user's code makes while it is asked for credentials: they cannot wait for these."""
    token = _ASKING.set((*_ASKING.get(), talk))
    try:
        yield
    finally:
        _ASKING.reset(token)


class Answer(NamedTuple):
    """What a driver has for a flow: what its step brought, or the failure instead of it."""

    value: Any
    failure: BaseException | None


NOTHING: Final = Answer(None, None)
S = TypeVar("S")


def advance(flow: Generator[S, Any, Any], answer: Answer) -> S:
    """Give a flow its answer and take its next step; ``StopIteration`` at its end."""
    return flow.send(answer.value) if answer.failure is None else flow.throw(answer.failure)


class Call:
    """One call: what was tried, what may have happened unseen, and when it must be over."""

    def __init__(self, talk: Conversation) -> None:
        """Start the clock of the call."""
        self.talk: Final = talk
        self.cid: Final = talk.cid
        self.lost = False
        """Whether an answer was lost: the server may have acted without our knowing."""
        self._outcome = "not sent"
        self._until: float | None = None
        self.restart()

    def restart(self) -> None:
        """Begin the time of the deadline anew: what the caller does between the pages of an iteration is not ours."""
        deadline = self.talk.retry.deadline
        self._until = None if deadline is None else self.talk.clock() + deadline

    def send(
        self,
        build: Callable[[], httpx.Request],
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
            renewals = self.talk.renewals
            request = yield from self._admitted(build, attempt)
            failure = yield from self._attempt(request)
            if isinstance(failure, httpx.Response) and failure.status_code < 400:
                return failure
            if _may_have_acted(failure):
                self.lost, self._outcome = True, "unknown"
            if renew and self._is_over(failure):
                renew = False
                if (yield from self._renewed(request, renewals)):
                    attempt -= 1  # nobody has acted on a request of nobody
                    continue
            wait = None
            if may_retry is None or may_retry(failure):
                wait = self._wait(request.method, attempt, failure)
            self._hold_others(request, failure, wait)
            if wait is None:
                if isinstance(failure, httpx.Response):
                    return failure
                if self._too_long(0):
                    raise self._too_late(request, failure) from _harmless(failure, request)
                raise self._error(failure, request, attempt) from _harmless(failure, request)
            if self._too_long(wait):
                raise self._too_late(request, failure, wait) from _harmless(failure, request)
            self._log_retry(request, failure, attempt + 1, wait)
            yield Pause(wait)

    def _admitted(self, build: Callable[[], httpx.Request], attempt: int) -> Flow[httpx.Request]:
        """A request that may be sent now: while the server throttles us, all wait, and come back spread out."""
        waited = None
        while True:
            request = self._within_deadline(build())
            now = self.talk.clock()
            until = self.talk.throttle.until(request, now)
            if until is None or until == waited:
                return request
            wait = until - now + self.talk.draw() * backoff_ceiling(self.talk.retry, attempt)
            if self._too_long(wait):
                raise self._too_late(request, wait=wait)
            waited = until
            self._log_hold(request, wait)
            yield Pause(wait)

    def _hold_others(self, request: httpx.Request, failure: Failure, wait: float | None) -> None:
        seconds = hold_after(self.talk.retry, failure, wait, time.time())
        if seconds is not None:
            self.talk.throttle.hold(identity_of(request), self.talk.clock() + seconds)

    def _is_over(self, failure: Failure) -> bool:
        """Whether the answer says that the session has ended, and there is a way to begin another."""
        if self.talk.renew is None or not isinstance(failure, httpx.Response) or failure.status_code != 401:
            return False
        return is_json(failure) and self.talk not in _ASKING.get()

    def _renewed(self, request: httpx.Request, renewals: int) -> Flow[bool]:
        """Whether there is a session again, by the doing of this call or of another."""
        self.talk.log(logging.WARNING, "the session is over: a login follows", request, 401)
        patience = None if self._until is None else max(self._left(), 0)
        renewed = yield Exclusive(self._renewal(renewals), patience)
        if renewed is None:
            raise self._too_late(request)
        return bool(renewed)

    def _renewal(self, renewals: int) -> Flow[bool]:
        """Begin a session, unless another call has tried since; whoever gives up midway leaves it to the next."""
        renew = self.talk.renew
        if self.talk.renewals == renewals and renew is not None:
            login = Call(self.talk)
            login._until = self._until
            try:
                yield from renew(login)
            except Exception as error:
                self.talk.renewals += 1
                if hasattr(error, "outcome"):
                    error.outcome = self._outcome  # of what the caller wants, not of the login
                raise
            self.talk.renewals += 1
        return self.talk.has_session

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
            lambda: self.talk.request(method, endpoint, params=params, content=content), may_retry=may_retry
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

    def _left(self) -> float:
        return float("inf") if self._until is None else self._until - self.talk.clock()

    def _too_long(self, seconds: float) -> bool:
        return self._until is not None and self.talk.clock() + seconds >= self._until

    def _attempt(self, request: httpx.Request) -> Flow[Failure]:
        listened = LOGGER.isEnabledFor(logging.INFO)
        if listened:
            self.talk.log(logging.DEBUG, "%s %s", request, "", request.method, request.extensions["keystone.endpoint"])
        try:
            response: httpx.Response = yield request
        except httpx.RequestError as error:
            return error
        except KeystoneError:  # the client is closed
            raise
        except BaseException:  # interrupted, cancelled
            self.lost = True
            raise
        self.talk.receive(response)
        if listened:
            self._log_response(request, response)
        return response

    def _log_response(self, request: httpx.Request, response: httpx.Response) -> None:
        endpoint = request.extensions["keystone.endpoint"]
        milliseconds = response.elapsed.total_seconds() * 1000
        self.talk.log(
            logging.INFO,
            "%s %s %d in %.0f ms",
            request,
            response.status_code,
            request.method,
            endpoint or "/",
            response.status_code,
            milliseconds,
        )

    def _log_retry(self, request: httpx.Request, failure: Failure, attempt: int, wait: float) -> None:
        message = "%s: try %d follows in %.2f s"
        self.talk.log(logging.WARNING, message, request, _status(failure), _named(failure), attempt, wait)

    def _log_hold(self, request: httpx.Request, wait: float) -> None:
        self.talk.log(logging.DEBUG, "%s %s waits %.2f s: the server throttles this client", request, "",
                      request.method, request.extensions["keystone.endpoint"], wait)  # fmt: skip

    def _wait(self, method: str, attempt: int, failure: Failure) -> float | None:
        return wait_before(self.talk.retry, method, attempt, failure, draw=self.talk.draw(), now=time.time())

    def _within_deadline(self, request: httpx.Request) -> httpx.Request:
        """The request with timeouts that do not outlast the call."""
        if self._until is not None:
            left = self._until - self.talk.clock()
            if left <= 0:
                raise self._too_late(request)
            request.extensions[LEFT_OF_CALL] = self._left
            limits = request.extensions["timeout"]
            request.extensions["timeout"] = {
                name: left if limit is None else min(limit, left) for name, limit in limits.items()
            }
        return request

    def _too_late(
        self, request: httpx.Request, failure: Failure | None = None, wait: float = 0
    ) -> DeadlineExceededError:
        last = ""
        if failure is not None:
            last = f"; the last ended in {_named(failure)}, the next would be {wait:.2f} s away"
        elif wait:
            last = f"; the server throttles this client for {wait:.2f} s"
        return self.too_late(f"{request.method} {request.extensions['keystone.endpoint']}", last)

    def too_late(self, where: str, last: str = "") -> DeadlineExceededError:
        """The error of a call whose deadline leaves no time: where it was, and what came last."""
        deadline = self.talk.retry.deadline
        error = DeadlineExceededError(f"{where}: the deadline of {deadline} s leaves no time for another try{last}")
        error.cid = self.cid
        error.outcome = self._outcome
        return error

    def _error(self, failure: httpx.RequestError, request: httpx.Request, attempts: int) -> KeystoneError:
        where = f"{request.method} {self.talk.base_url}{request.extensions['keystone.endpoint']}"
        reason = str(failure) or type(failure).__name__
        if isinstance(failure, TooLargeError):
            hint = "max_response_size=… of the client raises the limit, None lifts it; a smaller page_size may do, too"
            return ResponseTooLargeError(f"{where}: {reason} ({hint})", cid=self.cid)
        if isinstance(failure, httpx.DecodingError):
            response = httpx.Response(200, request=request)
            return decode_error(response, f"cannot be unpacked ({reason})", self.cid)
        kind = RequestTimeoutError if isinstance(failure, httpx.TimeoutException) else TransportError
        outcome = self._outcome  # of all tries: one before the last may have arrived
        what = "the request was not sent" if outcome == "not sent" else "whether the server acted on it is unknown"
        tries = "" if attempts == 1 else f" after {attempts} tries"
        message = f"no answer{tries}: {where}: {_named(failure)}: {reason}; {what}"
        return kind(message, request=clean_request(request), outcome=outcome, attempts=attempts, cid=self.cid)


def _may_have_acted(failure: Failure) -> bool:
    """Whether the server may have done what it was asked although the answer says nothing of it."""
    if isinstance(failure, httpx.Response):
        return failure.status_code in (502, 503, 504)
    return outcome_of(failure) == "unknown"


def _harmless(failure: Failure, request: httpx.Request) -> Exception | None:
    """The failure of httpx, without the body and the credentials its request carries; an answer is none."""
    if isinstance(failure, httpx.Response):
        return None
    failure.request = clean_request(request)
    return failure


def _status(failure: Failure) -> int | str:
    return failure.status_code if isinstance(failure, httpx.Response) else ""


def _named(failure: Failure) -> str:
    return str(failure.status_code) if isinstance(failure, httpx.Response) else type(failure).__name__
