"""What browsers ask of another origin's pages: preflights, and the headers that let trusted origins read answers.

Source: django-cors-headers as seen on the wire. Nothing here refuses anything.
"""

from urllib.parse import urlsplit

from .._wire import HTML_TYPE, Answer, Headers
from .call import Call
from .csrf import TRUSTED

_METHODS = "DELETE, GET, OPTIONS, PATCH, POST, PUT"
_HEADERS = "accept, authorization, content-type, user-agent, x-csrftoken, x-requested-with, x-keystone-cid"
_MAX_AGE = "86400"  # seconds


def answer_preflight(call: Call) -> Answer | None:
    """Answer a preflight. It reaches no endpoint, passes no check, and is not logged."""
    if call.method != "OPTIONS" or "access-control-request-method" not in call.headers:
        return None
    return Answer(200, [HTML_TYPE, ("Content-Length", "0"), ("Vary", "origin"), *cors_headers(call)], b"")


def cors_headers(call: Call) -> Headers:
    """Return the headers that let a trusted origin read the answer."""
    origin = call.headers.get("origin")
    if origin is None or not _is_trusted(origin):
        return ()
    headers = (("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"))
    if call.method != "OPTIONS":
        return headers
    return (
        *headers,
        ("Access-Control-Allow-Headers", _HEADERS),
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Max-Age", _MAX_AGE),
    )


def _is_trusted(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}" in TRUSTED
