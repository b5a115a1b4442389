"""Say what a failed try means: whether the server may have acted, how log lines name it, and which error reports it.

A failure is a response that is not a success, or an exception of httpx where there is no response.
"""

from collections.abc import Mapping

import httpx
from keystone_client_core import KeystoneError

from .._errors import RequestTimeoutError, ResponseTooLargeError, TransportError
from .._network_errors import advice_on, words_of
from .._transport.outgoing import OutgoingRequest
from .._transport.response_guard import TooLargeError
from .error_messages import UNKNOWN, cut, decode_error, printable, writes_a_record
from .redacted_copies import clean_request
from .retries import Failure, outcome_of

RAISE_LIMIT = "max_response_size=… of the client raises the limit, None lifts it"
SMALLER_PAGES = "; a smaller page_size may do, too"
MEANING = {"not sent": "the request was not sent", "unknown": "whether the server acted on it is unknown"}

UNEXPLAINED: Mapping[type[httpx.RequestError], str] = {
    httpx.PoolTimeout: "every connection was in use for too long: raise `limits`, or do less at once"
}
"""Messages for exceptions that httpx raises without one."""


def may_have_acted(failure: Failure) -> bool:
    """Return whether the server may have done what the request asked for, in spite of the failure."""
    if isinstance(failure, httpx.Response):
        return failure.status_code >= 500  # a 500, too: it may have failed after the commit, or a front end sent it
    return outcome_of(failure) == "unknown"


def harmless(failure: Failure, request: httpx.Request) -> Exception | None:
    """Remove body and credentials from the request of an exception of httpx, and return it; ``None`` for a response."""
    if isinstance(failure, httpx.Response):
        return None
    failure.request = clean_request(request)
    return failure


def status_of(failure: Failure) -> int | str:
    """Return the status code for the field of a log record; empty if there was no response."""
    return failure.status_code if isinstance(failure, httpx.Response) else ""


def words_for(failure: Failure, request: OutgoingRequest) -> str:
    """Return how messages name a failure: its status code, or in words what happened."""
    if isinstance(failure, httpx.Response):
        return str(failure.status_code)
    unexplained = UNEXPLAINED.get(type(failure)) if not str(failure) else None
    return cut(printable(unexplained or words_of(failure, request.timeouts)))


def _head(request: OutgoingRequest) -> httpx.Response:
    """Return a copy, without a body, of the response whose body could not be read."""
    # The status is not known where a transport of the user failed to decode the body itself: 200 is a guess.
    status, headers = request.unreadable or (200, [])
    return httpx.Response(status, headers=headers, request=request)


def no_answer(
    failure: httpx.RequestError,
    request: OutgoingRequest,
    *,
    where: str,
    attempts: int,
    outcome: str,
    cid: str,
    proxy: str = "",
) -> KeystoneError:
    """Return the error of a call without a response, or with one that cannot be read.

    Args:
        failure: The exception of the last try.
        request: The request of the last try.
        where: The method and the URL, without a query.
        attempts: How many tries there were.
        outcome: ``"unknown"`` if the server may have acted on any of the tries, not only the last; else ``"not sent"``.
        cid: The correlation id of the client.
        proxy: The proxy the request went through, without its password, and what named it; empty for none.

    Returns:
        The error, not raised.
    """
    reason = words_for(failure, request)
    if isinstance(failure, TooLargeError):
        advice = RAISE_LIMIT + (SMALLER_PAGES if request.method == "GET" else "")
        doubt = f"; {UNKNOWN}" if writes_a_record(request) else ""
        return ResponseTooLargeError(f"{where}: {reason} ({advice}){doubt}", cid=cid)
    if isinstance(failure, httpx.DecodingError):
        return decode_error(_head(request), f"cannot be unpacked ({reason})", cid, is_whole=False)
    kind = RequestTimeoutError if isinstance(failure, httpx.TimeoutException) else TransportError
    tries = "" if attempts == 1 else f" after {attempts} tries"
    way = f", through the proxy {printable(proxy)}" if proxy else ""
    message = f"no answer{tries}: {where}: {reason}{way}; {MEANING[outcome]}"
    advice = advice_on(failure, proxy)
    if advice:
        message += f" ({advice})"
    return kind(message, request=clean_request(request), outcome=outcome, attempts=attempts, cid=cid)
