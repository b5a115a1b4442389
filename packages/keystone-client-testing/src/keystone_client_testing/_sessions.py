"""Who is calling: tokens, sessions, cookies, and the CSRF check with the server's own reasons.

Source: Django's session and CSRF middleware and DRF's authentication, as seen on the wire.
"""

import secrets
import string
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ._call import SAFE, Call
from ._store import Record
from ._wire import detail

SESSION_AGE = 1_209_600
CSRF_AGE = 31_449_600
_ALPHABET = string.ascii_letters + string.digits
_SESSION_ALPHABET = string.ascii_lowercase + string.digits
TRUSTED = frozenset(
    f"{scheme}://{host}:{port}"
    for host in ("localhost", "127.0.0.1")
    for scheme, port in (("http", 80), ("https", 443), ("http", 4200), ("http", 8000))
)
"""Origins the server trusts by default; the port is part of the match."""


class Session(NamedTuple):
    """A login: ends when it is too old or the password changes."""

    user: int
    secret: Any
    expires: float


class Sessions:
    """The sessions and tokens of one world."""

    def __init__(self) -> None:
        """Start with nobody logged in."""
        self.live: dict[str, Session] = {}
        self.tokens: dict[str, int] = {}

    def open(self, user: Record, now: float) -> str:
        """Start a session and return its key."""
        key = _random(32, _SESSION_ALPHABET)
        self.live[key] = Session(user["id"], user["password"], now + SESSION_AGE)
        return key

    def add_token(self, user: int) -> str:
        """Return a new API token of a user."""
        token = secrets.token_hex(20)
        self.tokens[token] = user
        return token


def _random(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def identify(call: Call) -> None:
    """Find out who calls; sets ``call.user``.

    Args:
        call: the request.

    Raises:
        RefusedError: 401 for a bad token, 403 for a failed CSRF check.
    """
    if _by_token(call):
        return
    recognise(call)
    if call.user is not None and call.method not in SAFE:
        try:
            check_csrf(call)
        except Exception:
            call.user = None
            raise


def recognise(call: Call) -> None:
    """Take the session's word for who calls, with nothing checked; pages outside the API are logged under that user."""
    user = session_user(call)
    call.user = user if user and user["is_active"] else None


def session_user(call: Call) -> Record | None:
    """Return the user of the session cookie; a dead session's cookie is deleted with the answer."""
    key = call.cookies.get("sessionid")
    if key is None:
        return None
    sessions, store = call.world.sessions, call.world.store
    session = sessions.live.get(key)
    user = session and store.get("user", session.user)
    if session and user and session.secret is user["password"] and session.expires > call.world.clock.time():
        return user
    sessions.live.pop(key, None)
    forget_session(call)
    return None


def _by_token(call: Call) -> bool:
    scheme, *rest = call.headers.get("authorization", "").split() or [""]
    if scheme.lower() != "token":
        return False
    if len(rest) != 1:
        raise _bad_token("No credentials provided." if not rest else "Token string should not contain spaces.")
    if not rest[0].isascii():
        raise _bad_token("Token string should not contain invalid characters.")
    pk = call.world.sessions.tokens.get(rest[0])
    user = pk and call.world.store.get("user", pk)
    if not user:
        raise _unauthorized("Invalid token.")
    if not user["is_active"]:
        raise _unauthorized("User inactive or deleted.")
    call.user, call.by_token = user, True
    return True


def _bad_token(reason: str) -> Exception:
    return _unauthorized(f"Invalid token header. {reason}")


def _unauthorized(text: str) -> Exception:
    return detail(401, text, (("WWW-Authenticate", "Token"),))


def require_user(call: Call) -> None:
    """Refuse anonymous callers."""
    if call.user is None:
        raise _unauthorized("Authentication credentials were not provided.")


def start_session(call: Call, user: Record) -> None:
    """Log a user in: keep his session if it is his, rotate the CSRF token, set both cookies."""
    sessions = call.world.sessions
    key = call.cookies.get("sessionid", "")
    old = sessions.live.get(key)
    if old is None or old.user != user["id"]:
        sessions.live.pop(key, None)
        key = sessions.open(user, call.world.clock.time())
    call.cookies_out[:] = session_cookies(key, call.world.secure_cookies)


def session_cookies(key: str, secure: bool) -> list[tuple[str, str]]:
    """Return the two cookies of a login, with a fresh CSRF token.

    Args:
        key: the session.
        secure: whether they may travel over https only.

    Returns:
        Headers of an answer.
    """
    session = f"sessionid={key}; HttpOnly; Max-Age={SESSION_AGE}; Path=/; SameSite=Lax{'; Secure' if secure else ''}"
    return [_csrf_cookie(secure), ("Set-Cookie", session)]


def _csrf_cookie(secure: bool) -> tuple[str, str]:
    token = _random(32, _ALPHABET)
    return "Set-Cookie", f"csrftoken={token}; Max-Age={CSRF_AGE}; Path=/; SameSite=Lax{'; Secure' if secure else ''}"


def end_session(call: Call) -> None:
    """Log out: only this session ends, the CSRF cookie stays."""
    key = call.cookies.get("sessionid")
    call.world.sessions.live.pop(key or "", None)
    if key is not None:
        forget_session(call)


def forget_session(call: Call) -> None:
    """Have the client drop its session cookie."""
    cookie = 'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax'
    call.cookies_out[:] = [("Set-Cookie", cookie)]


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


def _bad_token_pair(call: Call) -> str:
    cookie = call.cookies.get("csrftoken")
    if not cookie:
        return "CSRF cookie not set."
    if reason := _malformed(cookie):
        call.cookies_out.append(_csrf_cookie(call.world.secure_cookies))
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
    return "" if all(char in _ALPHABET for char in token) else "has invalid characters"


def _unmasked(token: str) -> str:
    if len(token) == 32:
        return token
    pairs = zip(token[32:], token[:32], strict=True)
    return "".join(_ALPHABET[_ALPHABET.index(char) - _ALPHABET.index(mask)] for char, mask in pairs)
