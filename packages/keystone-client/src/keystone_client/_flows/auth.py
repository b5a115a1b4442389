"""Log in and out, and ask who is logged in."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import httpx
from keystone_client_core import FieldError

from .._config.environment import Credentials
from .._errors import AuthenticationError
from .._flow import Ask, Flow
from .._protocol import csrf
from .._protocol.bodies import json_body
from .._protocol.call import Call
from .._protocol.cookies import SESSION
from .._protocol.error_messages import status_error
from .._protocol.renewal import asking, in_turn
from .._protocol.requests import Draft
from .._protocol.responses import acknowledged, is_json, record_of
from .._protocol.session_state import SessionState
from .._transport.outgoing import OutgoingRequest

WHOAMI = "authentication/whoami/"

Provider: TypeAlias = Callable[[], tuple[str, str]]
"""A function that returns a username and a password."""
AsyncProvider: TypeAlias = Callable[[], tuple[str, str] | Awaitable[tuple[str, str]]]
"""A function that returns a username and a password, or an awaitable that returns them."""


def login(call: Call, username: object, password: object, provider: object) -> Flow[dict[str, Any]]:
    """Start a session, with credentials or a provider of them; if that fails, the session before it stays."""
    return (yield from in_turn(call, _login_of_caller(call, username, password, provider), "login"))


def _login_of_caller(call: Call, username: object, password: object, provider: object) -> Flow[dict[str, Any]]:
    renew = None
    if provider is None:
        user = yield from _login(call, username, password)
    elif username is not None or password is not None or not callable(provider):
        raise FieldError("give a username and a password, or a function that returns both", field="provider")
    else:
        renew = partial(_login_anew, provider=provider)
        user = yield from renew(call)
    session = call.session
    if renew is None and session.keeps_credentials:
        renew = partial(_login_anew, provider=Credentials(str(username), str(password)).provide)
    session.renew, session.login_pending = renew, False
    session.throttle.release()
    return user


def log_in_when_needed(session: SessionState, credentials: Credentials) -> None:
    """Have the first call that needs a session log in, and again each call that finds the session over."""
    session.renew = partial(_login_anew, provider=credentials.provide)
    session.login_pending = session.keeps_credentials = True


def _login_anew(call: Call, provider: Callable[[], object]) -> Flow[dict[str, Any]]:
    """Ask the provider for credentials and start a session with them."""
    credentials = yield from _credentials(call, provider)
    if not isinstance(credentials, tuple) or len(credentials) != 2:
        raise FieldError(
            f"the provider must return a username and a password, not {type(credentials).__name__}", field="provider"
        )
    return (yield from _login(call, *credentials))


def _credentials(call: Call, provider: Callable[[], object]) -> Flow[Any]:
    try:
        with asking(call.session):
            return (yield Ask(provider, call.deadline.time_left))
    except TimeoutError as error:
        if call.deadline.time_left == 0:
            raise call.too_late("the provider of credentials") from error
        raise


def _login(call: Call, username: object, password: object) -> Flow[dict[str, Any]]:
    session = call.session
    if session.has_token:
        raise FieldError("this client sends a token, which would win over a session: make one without", field="token")
    for field, value in (("username", username), ("password", password)):
        if not isinstance(value, str) or not value:
            raise FieldError(f"the {field} must be text that is not empty", field=field)
    content = json_body({"username": username, "password": password})
    draft = Draft("POST", "authentication/login/", content=content, change=_as_login)
    response = yield from call.send(draft, renew=False)
    if response.status_code in (400, 401) and is_json(response):
        raise status_error(response, call.cid, kind=AuthenticationError, hint="the login was refused")
    user = record_of(response, call.cid)
    if not session.has_session and not _opened(session, response):
        raise status_error(response, call.cid, kind=AuthenticationError, hint=_why_no_session(call))
    return user


def _as_login(request: OutgoingRequest) -> None:
    """Turn a request into a login.

    With a session cookie the server demands a CSRF token. Where there is none, the cookies are left out as well.
    """
    request.session = None  # its answer sets cookies whichever session is current by then
    if csrf.HEADER not in request.headers:
        request.headers.pop("cookie", None)


def _opened(session: SessionState, response: httpx.Response) -> bool:
    """Check that the login opened a session; another thread or task may have ended it since."""
    cookies = response.headers.get_list("set-cookie")
    return any(cookie.startswith(f"{SESSION}=") for cookie in cookies) and not session.keeps_secure_cookies_back


def _why_no_session(call: Call) -> str:
    if call.session.keeps_secure_cookies_back:
        return f"the session cookie is Secure and does not travel over {call.session.base_url}: use https"
    return "the answer set no session cookie: does a proxy remove it?"


def logout(call: Call) -> Flow[None]:
    """End the session and forget its cookies; do nothing if there is none."""
    yield from in_turn(call, _logout(call), "logout")


def _logout(call: Call) -> Flow[None]:
    session = call.session
    session.renew, session.login_pending = None, False
    number = session.number
    if not session.has_session:
        session.forget_session(number)
        return
    try:
        response = yield from call.send(Draft("POST", "authentication/logout/", content=b"{}"))
        if not _is_unknown(response):
            acknowledged(response, call.cid)
    finally:
        session.forget_session(number)


def _is_unknown(response: httpx.Response) -> bool:
    """Return whether the API says that it knows no session; a web page with a 401 comes from a proxy."""
    return response.status_code == 401 and (not response.content or is_json(response))


def whoami(call: Call, *, renew: bool = True) -> Flow[dict[str, Any] | None]:
    """Fetch the user this client is logged in as; ``None`` if it is not logged in."""
    response = yield from call.send(Draft("GET", WHOAMI), renew=renew)
    if _is_unknown(response):
        return None
    return record_of(response, call.cid)


def is_authenticated(call: Call) -> Flow[bool]:
    """Ask the server whether this client is logged in. With credentials of the environment, this never logs in."""
    return (yield from whoami(call, renew=not call.session.keeps_credentials)) is not None
