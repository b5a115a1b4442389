"""When to try again, and how long to wait first: arithmetic only, without clock, network or randomness of its own.

Design of the waits: full jitter, so that many clients that failed together do not come back together
(M. Brooker, "Exponential Backoff And Jitter", 2015).
"""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

import httpx

from .._config.retry_policy import RetryPolicy
from .._network_errors import is_hopeless

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that may be sent twice (RFC 9110, section 9.2.2)."""

PASSING = frozenset({429, 502, 503, 504})
"""Statuses that a later try may not meet again."""

OUR_FAULT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
"""Failures of a request that cannot be sent, now or later."""

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,  # the proxy refused to open a tunnel
    httpx.UnsupportedProtocol,
)
"""Failures after which the server cannot have acted.

``LocalProtocolError`` is none of them: a body that outgrows its ``Content-Length`` is noticed when all the server waits
for is on its way.
"""

RECEIVED: Final = "keystone.received"
"""The extension of an answer that holds when it came, in seconds since the epoch by our clock."""


Failure: TypeAlias = httpx.Response | httpx.RequestError


def outcome_of(error: httpx.RequestError) -> str:
    """``"not sent"`` if the server cannot have acted on the request, else ``"unknown"``."""
    return "not sent" if isinstance(error, NOT_SENT) else "unknown"


def may_repeat(method: str, failure: Failure) -> bool:
    """Whether a request that failed like this may be sent again.

    Methods that are not idempotent only where the server cannot have acted: never connected, or throttled.
    """
    if isinstance(failure, httpx.Response):
        passing = failure.status_code in PASSING
        return passing and (method in IDEMPOTENT or failure.status_code == 429)
    passing = isinstance(failure, httpx.TransportError) and not isinstance(failure, OUR_FAULT)
    if not passing or is_hopeless(failure):
        return False
    return method in IDEMPOTENT or isinstance(failure, NOT_SENT)


def wait_before(policy: RetryPolicy, method: str, attempt: int, failure: Failure, *, draw: float) -> float | None:
    """The seconds to wait before the next try, or ``None`` for no further try.

    Args:
        policy: The policy.
        method: The HTTP method.
        attempt: How many tries there were, at least 1.
        failure: What the last try ended in.
        draw: A random number from 0 to 1.

    Returns:
        Seconds, or ``None``.
    """
    if attempt >= policy.attempts or not may_repeat(method, failure):
        return None
    asked = retry_after(failure) if isinstance(failure, httpx.Response) else None
    if asked is not None and asked > policy.max_retry_after:
        return None
    return (asked or 0.0) + draw * backoff_ceiling(policy, attempt)


def hold_after(policy: RetryPolicy, failure: Failure, wait: float | None) -> float | None:
    """The seconds for which no other call of the same identity has a chance either, or ``None``.

    That is after a 429: the server counts by identity, so its answer to one call is an answer to all. Where it asks for
    more than the policy waits for, or nothing is tried again, nobody is held back: each call hears it from the server.

    Args:
        policy: The policy.
        failure: What the last try ended in.
        wait: What the call itself waits, in seconds.

    Returns:
        Seconds, or ``None``.
    """
    if not isinstance(failure, httpx.Response) or failure.status_code != 429 or policy.attempts == 1:
        return None
    asked = retry_after(failure)
    if asked is None:
        return wait
    return None if asked > policy.max_retry_after else asked


def backoff_ceiling(policy: RetryPolicy, attempt: int) -> float:
    """The longest wait before try ``attempt + 1``, in seconds."""
    return min(policy.max_backoff, policy.backoff * 2.0 ** min(attempt - 1, 64))


def retry_after(response: httpx.Response) -> float | None:
    """The seconds an answer asks to wait: the longest where it does so twice, as with a proxy before the server.

    Args:
        response: The answer.

    Returns:
        Seconds, or ``None`` without a ``Retry-After`` that can be understood.
    """
    asked = (_seconds_asked(value.strip(), response) for value in response.headers.get_list("retry-after"))
    return max((seconds for seconds in asked if seconds is not None), default=None)


def _seconds_asked(value: str, response: httpx.Response) -> float | None:
    """A number, or a date (RFC 9110, section 10.2.3).

    A date is meant by the server's clock, which its ``Date`` tells; where there is none, ours serves.
    """
    try:
        seconds = float(value)
    except ValueError:
        until, now = _seconds_since_epoch(value), sent_at(response)
        if until is None or now is None:
            return None
        seconds = until - now
    return max(seconds, 0.0) if seconds < float("inf") else None


def sent_at(response: httpx.Response) -> float | None:
    """Return when an answer was sent, in seconds since the epoch: by the server's clock, else by ours."""
    told = _seconds_since_epoch(response.headers.get("date", ""))
    return response.extensions.get(RECEIVED) if told is None else told


def _seconds_since_epoch(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()  # HTTP knows no local time
    except (ValueError, OverflowError):
        return None
