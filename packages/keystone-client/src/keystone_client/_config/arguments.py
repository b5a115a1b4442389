"""Check the arguments that concern requests in general, so that a wrong one raises an error before anything is sent.

Pure functions of one argument each. What fields and filters may hold is checked in ``keystone_client_core``.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias, TypeGuard

import httpx
from keystone_client_core import FieldError, InvalidURLError, brief, integer, parse_base_url, python_scalar, real

from .retry_policy import LONGEST_SECONDS

OURS = frozenset(
    {"host", "cookie", "content-length", "transfer-encoding", "authorization", "x-csrftoken", "x-keystone-cid"}
)
"""Headers that the caller may not set, because the client sets them itself or relies on them."""

INSTEAD: Mapping[str, str] = {
    "authorization": "; give token=, or log in",
    "x-keystone-cid": "; give cid=",
    "cookie": "; login() sets it",
    "x-csrftoken": "; login() sets it",
}
"""What sets a header that the caller may not set."""

PHASES = ("connect", "read", "write", "pool")

Timeouts: TypeAlias = Mapping[str, float | None]
"""Seconds by phase (``connect``, ``read``, ``write``, ``pool``); ``None`` for no end."""


def checked_base_url(url: str) -> str:
    """Return the base URL, ending in one slash.

    Raises:
        InvalidURLError: It is no base URL, or httpx cannot send to it, or would ask for another host.
    """
    return _kept_base_url(url) if isinstance(url, str) else parse_base_url(url)  # which refuses it


@lru_cache(32)
def _kept_base_url(url: str) -> str:
    base_url = parse_base_url(url)
    try:
        host = httpx.Request("GET", base_url).url.raw_host
        # Core has no tables of the characters that IDNA 2008 allows; httpx has.
        known = url.isascii() or httpx.URL(url).raw_host == host
    except (httpx.InvalidURL, UnicodeError):
        known = False
    if not known:
        raise InvalidURLError("The base URL has a host that cannot be one, or is longer than a URL can be.")
    return base_url


def checked_headers(headers: Any) -> dict[str, str]:
    """Return the caller's headers as plain strings.

    Raises:
        FieldError: A header is the client's to set, or could inject another line. The error names it without its value.
    """
    if not isinstance(headers, Mapping):
        raise FieldError(f"headers: give a mapping of names to values, not {type(headers).__name__}", field="headers")
    return dict(_checked_header(name, value) for name, value in headers.items())


def checked_header_pairs(headers: Any) -> list[tuple[str, str]]:
    """Return headers that httpx takes, a mapping or pairs of text or bytes, as pairs; ``None`` is no headers.

    Raises:
        FieldError: As for ``checked_headers``.
    """
    try:
        pairs = list(() if headers is None else headers.items() if isinstance(headers, Mapping) else headers)
        pairs = [(_as_text(name), _as_text(value)) for name, value in pairs]
    except (TypeError, ValueError):
        problem = f"give a mapping of names to values, or pairs of both, not {type(headers).__name__}"
        raise FieldError(f"headers: {problem}", field="headers") from None
    return [_checked_header(name, value) for name, value in pairs]


def _as_text(text: object) -> object:
    return text.decode("latin-1") if isinstance(text, bytes) else text


def _checked_header(name: Any, value: Any) -> tuple[str, str]:
    if not isinstance(name, str) or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise FieldError(f"{brief(name)} is no name for a header", field="headers")
    if name.lower().replace("_", "-") in OURS:  # most web servers treat both spellings alike
        instead = INSTEAD.get(name.lower().replace("_", "-"), "")
        raise FieldError(f"the header {name} is set by the client and cannot be given{instead}", field="headers")
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
        kind = "" if isinstance(value, str) else f", not {type(value).__name__}"
        raise FieldError(f"the value of the header {name} must be printable ASCII text{kind}", field="headers")
    return str.__str__(name), str.__str__(value)


def checked_timeout(timeout: object) -> Timeouts:
    """Return a timeout as seconds by phase, ``None`` for no end.

    Raises:
        FieldError: It is not a number of seconds above 0, a tuple of four as httpx takes it, an ``httpx.Timeout``, or
            ``None``.
    """
    if type(timeout) in (int, float) and 0 < timeout <= LONGEST_SECONDS:  # type: ignore[operator]  # a number by now
        return dict.fromkeys(PHASES, timeout)  # type: ignore[arg-type]  # as above; most are this, and copies are made often
    given: Mapping[str, Any]
    if isinstance(timeout, httpx.Timeout):
        given = timeout.as_dict()
    elif isinstance(timeout, tuple) and len(timeout) == len(PHASES):
        given = dict(zip(PHASES, timeout, strict=True))
    else:
        given = dict.fromkeys(PHASES, timeout)
    phases = {phase: real(seconds) for phase, seconds in given.items()}  # None stays None
    for phase, seconds in phases.items():
        if given[phase] is not None and (seconds is None or not 0 < seconds <= LONGEST_SECONDS):
            advice = "give a number of seconds above 0, an httpx.Timeout of such, or None for no end"
            raise FieldError(f"timeout={brief(timeout)}: {advice}", field="timeout")
    return phases


def checked_size(size: object) -> int | None:
    """Return the size limit in bytes, ``None`` for no limit.

    Raises:
        FieldError: It is neither a whole number from 1 nor ``None``.
    """
    number = integer(size)
    if size is None or (number is not None and number > 0):
        return number
    advice = "give bytes, a whole number from 1, or None for no limit"
    raise FieldError(f"max_response_size={brief(size)}: {advice}", field="max_response_size")


def is_token(token: object) -> TypeGuard[str]:
    """Return whether a value can be sent as a token."""
    return isinstance(token, str) and token != "" and token.isascii() and token.isprintable() and " " not in token


def checked_token(token: object) -> str | None:
    """Return a token as plain text, ``None`` for none.

    Raises:
        FieldError: It cannot be sent.
    """
    if token is None:
        return None
    if not is_token(token):
        advice = "give the token alone, without the word 'Token' and without a line end"
        raise FieldError(f"the token must be printable ASCII text without blanks: {advice}", field="token")
    return str.__str__(token)  # the text itself: str() of a member of an enum could be its name


def checked_flag(name: str, value: object) -> bool:
    """Return an argument that is true or false.

    Raises:
        FieldError: It is neither, as the text ``"false"``, which Python takes for true.
    """
    if isinstance(value, bool):
        return value
    number = value if isinstance(value, int) else python_scalar(value)
    if not isinstance(number, int) or number not in (0, 1):
        raise FieldError(f"{name}={brief(value)}: give True or False", field=name)
    return bool(number)
