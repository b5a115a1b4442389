"""Keep the cookies of a server, within bounds: none of them can break the requests that carry them.

What the cookies say about the session is the business of ``session_state``.
"""

import re
from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any, Final

import httpx

from . import csrf

SESSION: Final = "sessionid"
OF_KEYSTONE: Final = (SESSION, csrf.COOKIE)
"""The cookies of Keystone itself. Any other comes from a machine in front of it, such as a load balancer."""

MOST_COOKIES: Final = 50
"""How many cookies are kept; RFC 6265, section 6.1, asks clients to keep as many for a domain."""
_ENDLESS: Final = re.compile("[0-9]{20}")
"""A number so long, as seconds or as a year, that Python's cookie jar fails on it."""

LONGEST_COOKIE: Final = 4096
"""The most bytes of a ``Set-Cookie`` line. RFC 6265, section 6.1, asks clients to accept as many; more would only make
each request longer."""


class CookieStore:
    """A cookie jar that keeps only cookies that are safe to send back; its repr hides their values.

    It asks Python's jar directly, and hands it no more of a request and a response than it reads. ``httpx.Cookies``
    asks the same jar, but takes requests and responses of httpx, which would have to be built for the purpose.
    """

    def __init__(self) -> None:
        """Start without cookies."""
        self.jar: Final = CookieJar()

    def __repr__(self) -> str:
        return f"<{len(self.jar)} cookies>"

    def copy(self) -> "CookieStore":
        """Return a copy with a lock of its own."""
        copy = CookieStore()
        for cookie in self.jar:
            copy.jar.set_cookie(cookie)
        return copy

    def take(self, response: httpx.Response) -> None:
        """Take in the cookies of a response. If there are too many, Keystone's own are the last to be dropped."""
        lines = [line for line in response.headers.get_list("set-cookie") if _is_fit(line)]
        answer: Any = _SetCookies(lines[:MOST_COOKIES])
        asked: Any = _Asked(str(response.request.url))
        self.jar.extract_cookies(answer, asked)
        surplus = len(self.jar) - MOST_COOKIES
        if surplus > 0:
            for cookie in sorted(self.jar, key=lambda cookie: cookie.name in OF_KEYSTONE)[:surplus]:
                self.jar.clear(cookie.domain, cookie.path, cookie.name)

    def header(self, url: str) -> str:
        """Return the ``Cookie`` header for a URL; empty if there is no cookie for it."""
        if not len(self.jar):
            return ""
        asked = _Asked(url)
        self.jar.add_cookie_header(asked)  # type: ignore[arg-type]  # it has all that the jar reads
        return asked.cookie


class _Asked:
    """A request as Python's cookie jar needs it: what the jar reads, and a place for the header that it adds.

    The documentation of ``http.cookiejar`` lists both.
    """

    unverifiable = False  # RFC 2965, section 3.3.6: the user has asked for it, not a page of another server

    def __init__(self, url: str) -> None:
        self._url = url
        self.type, _, rest = url.partition("://")
        self.host = rest.partition("/")[0]
        self.cookie = ""

    def get_full_url(self) -> str:
        return self._url

    def has_header(self, name: str) -> bool:
        return False

    def add_unredirected_header(self, name: str, value: str) -> None:
        self.cookie = value


class _SetCookies:
    """What Python's cookie jar reads of a response: its ``Set-Cookie`` lines."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def info(self) -> "_SetCookies":
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return self._lines if name == "Set-Cookie" else default


class SecretHeaders(httpx.Headers):
    """Headers whose repr hides their values."""

    def __repr__(self) -> str:
        return f"<{len(self)} headers>"


def cookies_of(header: str) -> Mapping[str, str]:
    """Return the cookies of a ``Cookie`` header by name."""
    pairs = (pair.partition("=") for pair in header.split("; "))
    return {name: value for name, _, value in pairs}


def _is_fit(line: str) -> bool:
    """Return whether a ``Set-Cookie`` line is safe to keep: printable ASCII of limited length, with sane numbers."""
    pair, _, attributes = line.partition(";")
    fits = line.isascii() and line.isprintable() and len(line) <= LONGEST_COOKIE and "=" in pair
    return fits and _ENDLESS.search(attributes) is None
