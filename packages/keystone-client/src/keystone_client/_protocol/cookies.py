"""The cookies of a server: taken from its answers within bounds, so that none of them can harm the next request.

What they mean, who is logged in, is for the conversation to say.
"""

import re
from collections.abc import Mapping
from typing import Final

import httpx

SESSION, CSRF = "sessionid", "csrftoken"
"""The cookies of Keystone itself; any other is for the machines in front of it."""

MOST_COOKIES: Final = 50
_ENDLESS: Final = re.compile("[0-9]{20}")
"""A number of seconds or a year that Python's cookie jar stumbles over."""

LONGEST_COOKIE: Final = 4096
"""Bytes of a line. RFC 6265, section 6.1, wants a client to take so much; more would only swell each request."""


class CookieStore(httpx.Cookies):
    """Cookies that take what is fit to be sent back, and show no values."""

    def __repr__(self) -> str:
        return f"<{len(self.jar)} cookies>"

    def copy(self) -> "CookieStore":
        """The same cookies, with a lock of their own."""
        copy = CookieStore()
        for cookie in self.jar:
            copy.jar.set_cookie(cookie)
        return copy

    def take(self, response: httpx.Response) -> None:
        """Take the cookies of an answer; of a flood, no more than a browser would, Keystone's own first."""
        lines = [line for line in response.headers.get_list("set-cookie") if _is_fit(line)]
        headers = [("set-cookie", line) for line in lines[:MOST_COOKIES]]
        self.extract_cookies(httpx.Response(200, headers=headers, request=response.request))
        ours_last = sorted(self.jar, key=lambda cookie: cookie.name in (SESSION, CSRF))
        for cookie in ours_last[:-MOST_COOKIES]:
            self.jar.clear(cookie.domain, cookie.path, cookie.name)

    def header(self, url: str) -> str:
        """The ``Cookie`` header of a request; empty without cookies for it."""
        probe = httpx.Request("GET", url)
        self.set_cookie_header(probe)
        return str(probe.headers.get("cookie", ""))


class SecretHeaders(httpx.Headers):
    """Headers that show no values."""

    def __repr__(self) -> str:
        return f"<{len(self)} headers>"


def cookies_of(header: str) -> Mapping[str, str]:
    """The cookies in a ``Cookie`` header, by name."""
    pairs = (pair.partition("=") for pair in header.split("; "))
    return {name: value for name, _, value in pairs}


def _is_fit(line: str) -> bool:
    """Whether what a cookie holds can stand in a header: text without controls, of a reasonable length."""
    pair, _, attributes = line.partition(";")
    fits = line.isascii() and line.isprintable() and len(line) <= LONGEST_COOKIE and "=" in pair
    return fits and _ENDLESS.search(attributes) is None
