"""The CSRF check with the server's own reasons, and the cookie it wants.

Source: Django's CSRF middleware, as seen on the wire. Who calls is found out in ``sessions``.
"""

import string
from urllib.parse import urlsplit

from .._wire import detail
from .._world.sessions import random_text
from .call import Call

CSRF_AGE = 31_449_600
_ALPHABET = string.ascii_letters + string.digits
TRUSTED = frozenset(
    f"{scheme}://{host}:{port}"
    for host in ("localhost", "127.0.0.1")
    for scheme, port in (("http", 80), ("https", 443), ("http", 4200), ("http", 8000))
)
"""Origins the server trusts by default; the port is part of the match."""


def csrf_cookie(secure: bool) -> tuple[str, str]:
    """Return the header that sets a fresh CSRF token.

    Args:
        secure: whether it may travel over https only.

    Returns:
        A header of an answer.
    """
    token = random_text(_ALPHABET)
    return "Set-Cookie", f"csrftoken={token}; Max-Age={CSRF_AGE}; Path=/; SameSite=Lax{'; Secure' if secure else ''}"


def check_csrf(call: Call) -> None:
    """Run Django's CSRF check.

    Args:
        call: the request.

    Raises:
        RefusedError: 403 with the reason; or what a POST body that cannot be parsed causes.
    """
    reason = _bad_origin(call) or _bad_token_pair(call)
    if reason:
        raise detail(403, f"CSRF Failed: {reason}")


def _bad_origin(call: Call) -> str:
    origin = call.headers.get("origin")
    if origin is not None:
        trusted = origin == call.base or origin in TRUSTED
        return "" if trusted else f"Origin checking failed - {origin} does not match any trusted origins."
    return _bad_referer(call) if call.secure else ""


def _bad_referer(call: Call) -> str:
    referer = call.headers.get("referer")
    if referer is None:
        return "Referer checking failed - no Referer."
    try:
        parts = urlsplit(referer)
    except ValueError:
        return "Referer checking failed - Referer is malformed."
    if not parts.scheme or not parts.netloc:
        return "Referer checking failed - Referer is malformed."
    if parts.scheme != "https":
        return "Referer checking failed - Referer is insecure while host is secure."
    trusted_hosts = {urlsplit(origin).netloc for origin in TRUSTED}
    if parts.netloc == call.request.host or parts.netloc in trusted_hosts:
        return ""
    return f"Referer checking failed - {referer} does not match any trusted origins."


def replace_malformed(call: Call) -> None:
    """Set a new CSRF cookie if the one that was sent is malformed, at every endpoint."""
    cookie = call.cookies.get("csrftoken")
    if cookie is not None and _malformed(cookie) and not any("csrftoken" in value for _, value in call.cookies_out):
        call.cookies_out.append(csrf_cookie(call.world.secure_cookies))


def _bad_token_pair(call: Call) -> str:
    cookie = call.cookies.get("csrftoken")
    if cookie is None:
        return "CSRF cookie not set."
    if reason := _malformed(cookie):
        return f"CSRF cookie {reason}."
    source, given = _given_token(call)
    if given is None:
        return "CSRF token missing."
    if reason := _malformed(given):
        return f"CSRF token from {source} {reason}."
    return "" if _unmasked(given) == _unmasked(cookie) else f"CSRF token from {source} incorrect."


def _given_token(call: Call) -> tuple[str, str | None]:
    if call.method == "POST":
        data = call.data
        fields = data.get("csrfmiddlewaretoken") if isinstance(data, dict) and hasattr(data, "last") else None
        if fields and fields[-1]:
            return "POST", str(fields[-1])
    return "the 'X-Csrftoken' HTTP header", call.headers.get("x-csrftoken")


def _malformed(token: str) -> str:
    if len(token) not in (32, 64):
        return "has incorrect length"
    return "" if token.isascii() and token.isalnum() else "has invalid characters"


def _unmasked(token: str) -> str:
    if len(token) == 32:
        return token
    pairs = zip(token[32:], token[:32], strict=True)
    return "".join(_ALPHABET[_ALPHABET.index(char) - _ALPHABET.index(mask)] for char, mask in pairs)
