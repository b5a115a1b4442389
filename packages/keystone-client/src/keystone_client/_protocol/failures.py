"""What a try that failed means: whether the server may have acted, its name in log lines, and the error it becomes."""

from collections.abc import Mapping

import httpx
from keystone_client_core import KeystoneError

from .._errors import RequestTimeoutError, ResponseTooLargeError, TransportError
from .._network_errors import advice_on, reason_of, words_of
from .._transport.response_guard import TooLargeError
from .clean_copies import clean_request
from .error_messages import cut, decode_error, printable
from .retries import Failure, outcome_of

RAISE_LIMIT = "max_response_size=… of the client raises the limit, None lifts it; a smaller page_size may do, too"
MEANING = {"not sent": "the request was not sent", "unknown": "whether the server acted on it is unknown"}

UNEXPLAINED: Mapping[type[httpx.RequestError], str] = {
    httpx.PoolTimeout: "every connection was in use for too long: raise `limits`, or do less at once"
}
"""What failures are about that httpx raises without a word."""


def may_have_acted(failure: Failure) -> bool:
    """Whether the server may have done what it was asked although the answer says nothing of it."""
    if isinstance(failure, httpx.Response):
        return failure.status_code >= 500  # also a 500: it may come from behind the commit, or from a front end
    return outcome_of(failure) == "unknown"


def harmless(failure: Failure, request: httpx.Request) -> Exception | None:
    """The failure of httpx, without the body and the credentials its request carries; an answer is none."""
    if isinstance(failure, httpx.Response):
        return None
    failure.request = clean_request(request)
    return failure


def status_of(failure: Failure) -> int | str:
    """The status of an answer, as the field of a log record."""
    return failure.status_code if isinstance(failure, httpx.Response) else ""


def name_of(failure: Failure) -> str:
    """What a failure is called in a sentence."""
    return str(failure.status_code) if isinstance(failure, httpx.Response) else type(failure).__name__


def no_answer(
    failure: httpx.RequestError, request: httpx.Request, *, where: str, attempts: int, outcome: str, cid: str
) -> KeystoneError:
    """The error of a call that was not answered, or with something that cannot be read.

    Args:
        failure: What the last try ended in.
        request: What was sent in it.
        where: The method and the address, without a query.
        attempts: How many tries there were.
        outcome: Of all of them: one before the last may have arrived.
        cid: The correlation id of the client.

    Returns:
        The error, not raised.
    """
    found = reason_of(failure)
    reason = cut(printable(str(found or failure) or UNEXPLAINED.get(type(failure)) or words_of(failure)))
    if isinstance(failure, TooLargeError):
        return ResponseTooLargeError(f"{where}: {reason} ({RAISE_LIMIT})", cid=cid)
    if isinstance(failure, httpx.DecodingError):
        return decode_error(httpx.Response(200, request=request), f"cannot be unpacked ({reason})", cid)
    kind = RequestTimeoutError if isinstance(failure, httpx.TimeoutException) else TransportError
    tries = "" if attempts == 1 else f" after {attempts} tries"
    message = f"no answer{tries}: {where}: {name_of(failure)}: {reason}; {MEANING[outcome]}"
    if found is not None:
        message += f" ({advice_on(found)})"
    return kind(message, request=clean_request(request), outcome=outcome, attempts=attempts, cid=cid)
