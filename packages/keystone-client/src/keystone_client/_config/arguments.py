"""Checks of what callers give for any request: what cannot be sent as it is meant is refused before anything is sent.

Pure functions of one argument each; what fields and filters may hold is for the core to say.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeGuard

import httpx
from keystone_client_core import FieldError, InvalidURLError, brief, parse_base_url

from .retry_policy import LONGEST_SECONDS

OURS = frozenset(
    {"host", "cookie", "content-length", "transfer-encoding", "authorization", "x-csrftoken", "x-keystone-cid"}
)
"""Headers a caller may not set: the client would break its promises."""

Timeouts: TypeAlias = Mapping[str, float | None]


def checked_base_url(url: str) -> str:
    """The base URL, ending in one slash.

    Raises:
        InvalidURLError: It is none, or httpx cannot send to it.
    """
    base_url = parse_base_url(url)
    try:
        httpx.Request("GET", base_url)
    except (httpx.InvalidURL, UnicodeError):
        raise InvalidURLError("The base URL has a host that cannot be one, or is longer than a URL can be.") from None
    return base_url


def checked_headers(headers: Any) -> dict[str, str]:
    """Headers of a caller, or an error if one is ours to set or could smuggle in another line.

    Raises:
        FieldError: The header, by name; its value is not repeated.
    """
    if not isinstance(headers, Mapping):
        raise FieldError(f"headers: give a mapping of names to values, not {type(headers).__name__}", field="headers")
    for name, value in headers.items():
        if not isinstance(name, str) or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise FieldError(f"{brief(name)} is no name for a header", field="headers")
        if name.lower().replace("_", "-") in OURS:  # to most web servers these are the same
            raise FieldError(f"the header {name} is set by the client and cannot be given", field="headers")
        if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
            raise FieldError(f"the value of the header {name} must be printable ASCII text", field="headers")
    return {str.__str__(name): str.__str__(value) for name, value in headers.items()}


def checked_timeout(timeout: object) -> Timeouts:
    """Seconds by phase, ``None`` for no end.

    Raises:
        FieldError: It is no number of seconds above 0, no ``httpx.Timeout`` of such, and not ``None``.
    """
    if timeout is None or (isinstance(timeout, int | float | httpx.Timeout) and not isinstance(timeout, bool)):
        phases: Timeouts = httpx.Timeout(timeout).as_dict()
        if all(seconds is None or 0 < seconds <= LONGEST_SECONDS for seconds in phases.values()):
            return phases
    advice = f"give seconds above 0, to {LONGEST_SECONDS:.0e}, an httpx.Timeout of such, or None for no end"
    raise FieldError(f"timeout={brief(timeout)}: {advice}", field="timeout")


def checked_size(size: object) -> int | None:
    """A number of bytes, or ``None`` for any.

    Raises:
        FieldError: It is neither.
    """
    if size is None or (type(size) is int and size > 0):
        return size
    advice = "give bytes, a whole number from 1, or None for no limit"
    raise FieldError(f"max_response_size={brief(size)}: {advice}", field="max_response_size")


def is_token(token: object) -> TypeGuard[str]:
    """Whether a value can be sent as a token."""
    return isinstance(token, str) and token != "" and token.isascii() and token.isprintable() and " " not in token


def checked_token(token: object) -> str | None:
    """Return a token as plain text, ``None`` for none.

    Raises:
        FieldError: It cannot be sent.
    """
    if token is None:
        return None
    if not is_token(token):
        raise FieldError("the token must be printable ASCII text without blanks", field="token")
    return str.__str__(token)  # not what an enum calls itself
