"""The options that every call has and that ``with_options`` changes for the calls made through it."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import httpx
from keystone_client_core import FieldError, adopt_cid, brief, new_cid

from .arguments import Timeouts, checked_headers, checked_timeout
from .retry_policy import NO_RETRIES, RetryPolicy

CID_HEADER: Final = "X-KEYSTONE-CID"


class NotGiven:
    """The type of ``NOT_GIVEN``."""

    def __repr__(self) -> str:
        return "<not given>"


NOT_GIVEN: Final = NotGiven()
"""Stands for an option that was left out, where ``None`` has a meaning of its own."""
LEFT_OUT: Final = (NOT_GIVEN, httpx.USE_CLIENT_DEFAULT)
"""A timeout that was left out; programs that pass timeouts on may have httpx's own mark for that."""


class CallOptions(NamedTuple):
    """How the calls made through one client object are sent."""

    cid: str
    """The correlation id."""
    timeout: Timeouts
    retry: RetryPolicy
    headers: Mapping[str, str] = {}
    """Headers on top of those that all requests of the client have, the correlation id among them if it is another."""

    def __repr__(self) -> str:
        """Hide the values: a header may hold a secret."""
        return "<call options>"


def changed_options(options: CallOptions, *, timeout: Any, headers: Any, retry: Any, cid: Any) -> CallOptions:
    """Return options with some replaced; ``headers`` are merged, and an option that is ``NOT_GIVEN`` stays.

    Raises:
        FieldError: A timeout, a header or a retry policy has a wrong type or value.
        InvalidCIDError: The correlation id is no UUID.
    """
    more = {} if headers is None else checked_headers(headers)
    if cid is not NOT_GIVEN:
        more[CID_HEADER] = new_cid() if cid is None else adopt_cid(cid)
    return CallOptions(
        more.get(CID_HEADER, options.cid),
        options.timeout if any(timeout is mark for mark in LEFT_OUT) else checked_timeout(timeout),
        options.retry if retry is NOT_GIVEN else checked_retry(retry),
        merged(options.headers, more) if options.headers else more,
    )


def merged(headers: Mapping[str, str], more: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers with some added or replaced, whatever the case of their names."""
    replaced = {name.lower() for name in more}
    return {**{name: value for name, value in headers.items() if name.lower() not in replaced}, **more}


def checked_retry(retry: object) -> RetryPolicy:
    """Return a retry policy; ``None`` is one without retries.

    Raises:
        FieldError: It is neither.
    """
    if retry is None:
        return NO_RETRIES
    if not isinstance(retry, RetryPolicy):
        advice = "give a RetryPolicy, such as RetryPolicy(attempts=3), or None to switch retries off"
        raise FieldError(f"retry={brief(retry)}: {advice}", field="retry")
    return retry
