"""Say what an answer that is not the API's probably is: a page of a web server, a proxy or another application.

The API answers in JSON. Whatever else comes with a status of 400 and above has been written by somebody in front of it,
or by Django before the API had its turn. Which status they choose says little; their texts say more.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import httpx

from .json_decoding import is_page

LONGEST_READ: Final = 65_536
"""How many bytes of an answer are searched; such pages are short."""

_INVISIBLE: Final = r"<(script|style|head)\b.*?</\1>|<!--.*?-->|<[^>]*>"
_TITLE: Final = r"<title[^>]*>(.*?)</title>"
_TAGS: Final = re.DOTALL | re.IGNORECASE

NOT_THE_API: Final = "this is not an answer of the API: is {url} below the right base URL?"


class Sign(NamedTuple):
    """What an answer has to be, and what it means then."""

    statuses: Sequence[int]
    """The statuses it may have; any if none are given."""
    text: str
    """A pattern that is found in its text."""
    hint: str


SIGNS: Final = (
    Sign(
        [400],
        r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS server|HTTP to an SSL-enabled",
        "this port speaks TLS: write https:// in the base URL",
    ),
    Sign(
        [403],
        "(Referer|Origin) checking failed|Referer header|CSRF verification failed|CSRF Failed",
        "a web server in front of Keystone may change the request: it has to pass on Host, cookies and Referer, and to "
        "say in X-Forwarded-Proto that it was https",
    ),
    Sign(
        [413],
        "",
        "a web server in front of Keystone refused the size of the request; its limit is lower than Keystone's own "
        "(with nginx client_max_body_size, 1 MB if it is not set): send less at once, or have it raised",
    ),
    Sign([414, 431], "", "a web server in front of Keystone refused the length of the URL or of the headers"),
    Sign(
        [400],
        "Request Header Or Cookie Too Large",
        "a web server in front of Keystone refused the length of the headers",
    ),
    Sign(
        [400],
        r"Bad Request \(400\)|Invalid HTTP_HOST|Invalid Host|DisallowedHost",
        "Django answers so to a host name it does not know: is {host} one of the server's ALLOWED_HOSTS, and does a "
        "web server in front of it pass Host on?",
    ),
    Sign([401], "", "a web server in front of Keystone asks for a login of its own; Keystone's answers are JSON"),
    Sign([407], "", "a proxy asks for a login: proxy='http://user:password@host:port', or the variable that names it"),
    Sign([502, 503, 504], "", "a web server in front of Keystone got no answer from it"),
    Sign([429], "", "a web server in front of Keystone allows fewer requests than Keystone itself"),
    Sign([501], "", NOT_THE_API),
    Sign(range(500, 600), "", ""),  # Django's page for an error of Keystone, or of a proxy: nothing is known
    Sign([], "", NOT_THE_API),
)
"""The first that fits counts."""


def words_of(response: httpx.Response) -> str:
    """Return what a response says on one line: the title of a page, or else its text without tags."""
    text = _text(response)
    title = re.search(_TITLE, text, _TAGS) if is_page(response) else None
    return " ".join((title[1] if title else _visible(response, text)).split())


def foreign_hint(response: httpx.Response) -> str:
    """Return what an error that the API did not write probably is, and what to do; empty if nothing is known."""
    url, text = response.request.url.copy_with(query=None), _text(response)
    sign = next(
        each
        for each in SIGNS
        if (not each.statuses or response.status_code in each.statuses) and re.search(each.text, text, re.IGNORECASE)
    )
    hint = sign.hint.format(host=url.host, url=url)
    proxy = getattr(response.request, "proxy", "") if url.scheme == "http" else ""  # https is a tunnel through it
    return "; ".join(part for part in (proxy and f"perhaps of the proxy {proxy}", hint) if part)


def _text(response: httpx.Response) -> str:
    return response.content[:LONGEST_READ].decode("utf-8", "replace")


def _visible(response: httpx.Response, text: str) -> str:
    return re.sub(_INVISIBLE, " ", text, flags=_TAGS) if is_page(response) else text
