"""Decide whether a failed request is sent again, and how long to wait first.

The idea
--------
Two questions, answered by arithmetic alone: the random number and the time a response came are arguments.

*May it be sent again?* A request whose method is idempotent may, after a failure that may pass. Any other (POST, PATCH)
may only if the server cannot have acted on it: no connection was made, or it answered 429, before acting.

*How long to wait?* Full jitter: a random part of an exponentially growing backoff, so that many clients that failed
together do not come back together (M. Brooker, "Exponential Backoff And Jitter", 2015). A ``Retry-After`` comes on top:
those who were told the same number of seconds have to be spread out, too, and none of them may come earlier. One that
is longer than ``max_retry_after`` ends the call instead.

What it does not do, and why
----------------------------
- Retry after every failure: a POST whose response was lost may have created the record, and would create another.
- Retry TLS failures that the next handshake would meet again, such as a certificate that is not trusted: see
  ``is_hopeless`` in ``_network_errors.py``.
- Cut a long ``Retry-After`` down to ``max_retry_after``: the server would only refuse again.

What must never be done here
----------------------------
- Read a clock or draw a random number.
- Add a failure to ``NOT_SENT`` that can also come when the server has received the request.
"""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

import httpx

from .._config.retry_policy import RetryPolicy
from .._network_errors import is_hopeless

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods whose requests may be sent twice (RFC 9110, section 9.2.2)."""

PASSING = frozenset({429, 502, 503, 504})
"""Statuses of temporary failures: a later try may succeed."""

OUR_FAULT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
"""Failures of requests that cannot be sent, now or later."""

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,  # the proxy refused to open a tunnel
    httpx.UnsupportedProtocol,
)
"""Failures after which the server cannot have acted.

``LocalProtocolError`` is not among them. It is raised, for one, when a body is longer than its ``Content-Length``, and
by then the server has been sent all the bytes it waits for.
"""

RECEIVED: Final = "keystone.received"
"""The key in a response's ``extensions`` for the time at which it came, in seconds since the epoch by our clock."""


Failure: TypeAlias = httpx.Response | httpx.RequestError


def outcome_of(error: httpx.RequestError) -> str:
    """Return ``"not sent"`` if the server cannot have acted on the request, else ``"unknown"``."""
    return "not sent" if isinstance(error, NOT_SENT) else "unknown"


def may_repeat(method: str, failure: Failure) -> bool:
    """Return whether a request with this method may be sent again after this failure.

    If the method is not idempotent, only if the server cannot have acted: it was never connected, or it throttled us.
    """
    if isinstance(failure, httpx.Response):
        passing = failure.status_code in PASSING
        return passing and (method in IDEMPOTENT or failure.status_code == 429)
    passing = isinstance(failure, httpx.TransportError) and not isinstance(failure, OUR_FAULT)
    if not passing or is_hopeless(failure):
        return False
    return method in IDEMPOTENT or isinstance(failure, NOT_SENT)


def wait_before(policy: RetryPolicy, method: str, attempt: int, failure: Failure, *, draw: float) -> float | None:
    """Return the seconds to wait before the next try, or ``None`` for no further try.

    Args:
        policy: The retry policy.
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
    """Return the seconds for which the other calls of the same identity are held back, or ``None`` if they are not.

    The server counts requests by identity, so a 429 to one call would be the answer to all of them. If it asks for a
    longer wait than the policy allows, or the policy allows no retries, nothing is held back: each call then learns it
    from the server itself.

    Args:
        policy: The retry policy.
        failure: What the last try ended in.
        wait: How long this call itself waits, in seconds.

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
    """Return the longest backoff before try ``attempt + 1``, in seconds."""
    return min(policy.max_backoff, policy.backoff * 2.0 ** min(attempt - 1, 64))


def retry_after(response: httpx.Response) -> float | None:
    """Return how many seconds a response asks to wait.

    If there are several ``Retry-After`` headers, one of the server and one of a proxy, the longest counts.

    Args:
        response: The response.

    Returns:
        Seconds, or ``None`` without a ``Retry-After`` that can be understood.
    """
    asked = (_seconds_asked(value.strip(), response) for value in response.headers.get_list("retry-after"))
    return max((seconds for seconds in asked if seconds is not None), default=None)


def _seconds_asked(value: str, response: httpx.Response) -> float | None:
    """Return the seconds a ``Retry-After`` asks for, as a number or as a date (RFC 9110, section 10.2.3).

    A date is compared with the server's own clock, taken from the ``Date`` header, or with ours if there is none.
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
    """Return when a response was sent, in seconds since the epoch, by the server's clock if known, else by ours."""
    told = _seconds_since_epoch(response.headers.get("date", ""))
    return response.extensions.get(RECEIVED) if told is None else told


def _seconds_since_epoch(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()  # HTTP dates are UTC
    except (ValueError, OverflowError):
        return None
