"""Who is calling: tokens, sessions, and their cookies. The CSRF check is in ``csrf``.

Source: Django's session middleware and DRF's authentication, as seen on the wire.
"""

from .._wire import detail
from .._world.sessions import SESSION_AGE
from .._world.store import Record
from .call import SAFE, Call
from .csrf import check_csrf, csrf_cookie


def identify(call: Call) -> None:
    """Find out who calls; sets ``call.user``.

    Args:
        call: the request.

    Raises:
        RefusedError: 401 for a bad token, 403 for a failed CSRF check.
    """
    recognise(call)
    if _by_token(call):
        return
    if call.user is not None and call.method not in SAFE:
        try:
            check_csrf(call)
        except Exception:
            call.user = None
            raise


def recognise(call: Call) -> None:
    """Set the caller from the session without any check: pages outside the API are logged under that user."""
    call.user = call.signed = session_user(call)


def session_user(call: Call) -> Record | None:
    """Return the user of the session cookie; a dead session's cookie is deleted with the answer.

    The session of an account that is asleep or gone is not dead: its user is just not found.
    """
    key = call.cookies.get("sessionid")
    if key is None:
        return None
    session = call.world.sessions.live.get(key)
    if session and session.expires > call.world.clock.time():
        user = call.world.store.get("user", session.user)
        if not user or not user["is_active"]:
            return None
        if session.secret is user["password"]:
            return user
    call.world.sessions.live.pop(key, None)
    forget_session(call)
    return None


def _by_token(call: Call) -> bool:
    if "authorization" not in call.headers:
        return False
    scheme, *rest = call.headers["authorization"].split() or [""]
    if scheme.lower() != "token":
        return False
    call.user = None
    if len(rest) != 1:
        raise _bad_token("No credentials provided." if not rest else "Token string should not contain spaces.")
    if "\ufffd" in rest[0]:  # what was no UTF-8
        raise _bad_token("Token string should not contain invalid characters.")
    pk = call.world.sessions.tokens.get(rest[0])
    user = pk and call.world.store.get("user", pk)
    if not user:
        raise _unauthorized("Invalid token.")
    if not user["is_active"]:
        raise _unauthorized("User inactive or deleted.")
    call.user = user
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
    """Log a user in: keep a live session of the same user, rotate the CSRF token, set both cookies."""
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
    return [csrf_cookie(secure), ("Set-Cookie", session)]


def end_session(call: Call) -> None:
    """Log out: only this session ends, the CSRF cookie stays."""
    key = call.cookies.get("sessionid")
    call.world.sessions.live.pop(key or "", None)
    if key is not None:
        forget_session(call)


def forget_session(call: Call) -> None:
    """Delete the session cookie of the client."""
    cookie = 'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax'
    call.cookies_out[:] = [("Set-Cookie", cookie)]
