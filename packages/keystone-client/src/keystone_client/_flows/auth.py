"""Flows about who is logged in, and the plain HTTP methods."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeAlias, TypedDict
from urllib.parse import urlencode

import httpx
from keystone_client_core import FieldError

from .._config.arguments import checked_headers, checked_timeout
from .._errors import AuthenticationError
from .._flow import Ask, Flow
from .._protocol.bodies import json_body, with_known_length
from .._protocol.call import Call
from .._protocol.cookies import SESSION
from .._protocol.renewal import asking
from .._protocol.responses import acknowledged, is_json, record_of, status_error
from .._protocol.session_state import Conversation

WHOAMI = "authentication/whoami/"

Provider: TypeAlias = Callable[[], tuple[str, str]]
"""Gives a username and a password."""
AsyncProvider: TypeAlias = Callable[[], tuple[str, str] | Awaitable[tuple[str, str]]]
"""The same, at once or when it is awaited."""


class ReadOptions(TypedDict, total=False):
    """What ``http_get`` takes besides the endpoint, each as httpx takes it."""

    params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None
    headers: Mapping[str, str] | None
    timeout: float | httpx.Timeout | None


class WriteOptions(ReadOptions, total=False):
    """What the other HTTP methods take besides the endpoint, each as httpx takes it."""

    json: Any
    data: Mapping[str, Any] | None
    files: Any


def http(call: Call, method: str, endpoint: str, options: Mapping[str, Any]) -> Flow[httpx.Response]:
    """Send any request below the base URL and give back the answer as it came."""
    path = call.talk.endpoint(endpoint)
    given = _checked(method, options)
    params = _query(given.pop("params", None))
    headers = checked_headers(given.pop("headers", None) or {})
    timeout = checked_timeout(given.pop("timeout")) if "timeout" in given else None
    body = {name: value for name, value in given.items() if value is not None}
    if "json" in body and len(body) > 1:
        raise FieldError("give json, or data and files, not both: a request has one body", field="json")
    if not isinstance(body.get("data", {}), Mapping):
        raise FieldError(
            "data must be a mapping, the fields of a form; for JSON use json=, for files files=", field="data"
        )
    _check_encodable("data", body.get("data"))
    if "json" in body:
        body["content"] = json_body(body.pop("json"))
    with ExitStack() as copies:
        if "files" in body:
            body["files"] = with_known_length(body["files"], copies)
        return (
            yield from call.send(
                lambda: call.talk.request(method, path, params=params, headers=headers, timeout=timeout, **body)
            )
        )


def _query(params: Any) -> list[tuple[str, str]]:
    try:
        pairs = httpx.QueryParams(params).multi_items()
    except (AttributeError, TypeError, ValueError):  # a number too long to be written is one
        raise FieldError("params: give a mapping, or pairs of names and values", field="params") from None
    _check_encodable("params", pairs)
    return pairs


def _check_encodable(what: str, values: Any) -> None:
    try:
        urlencode(values or {}, doseq=True)
    except (TypeError, ValueError):  # UnicodeError is one
        problem = "holds text that is not Unicode, or a number too long to be written"
        raise FieldError(f"{what} {problem}", field=what) from None


def _checked(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, or an error for one this method does not take: httpx has more, which would go past our checks."""
    known = ["params", "headers", "timeout", *([] if method == "GET" else ["json", "data", "files"])]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise FieldError(
            f"http_{method.lower()} takes no {', '.join(unknown)}; it takes {', '.join(known)}", field=unknown[0]
        )
    return dict(options)


def login(call: Call, username: object, password: object, provider: object) -> Flow[dict[str, Any]]:
    """Start a session, with credentials or a provider of them; what there was stays if this fails."""
    renew = None
    if provider is None:
        user = yield from _login(call, username, password)
    elif username is not None or password is not None or not callable(provider):
        raise FieldError("give a username and a password, or a function that returns both", field="provider")
    else:
        renew = partial(_login_anew, provider=provider)
        user = yield from renew(call)
    call.talk.renew = renew
    call.talk.throttle.release()
    return user


def _login_anew(call: Call, provider: Callable[[], object]) -> Flow[dict[str, Any]]:
    """Start a session with the credentials of the moment."""
    credentials = yield from _credentials(call, provider)
    if not isinstance(credentials, tuple) or len(credentials) != 2:
        raise FieldError(
            f"the provider must return a username and a password, not {type(credentials).__name__}", field="provider"
        )
    return (yield from _login(call, *credentials))


def _credentials(call: Call, provider: Callable[[], object]) -> Flow[Any]:
    try:
        with asking(call.talk):
            return (yield Ask(provider, call.patience))
    except TimeoutError as error:
        if call.patience == 0:
            raise call.too_late("the provider of credentials") from error
        raise


def _login(call: Call, username: object, password: object) -> Flow[dict[str, Any]]:
    talk = call.talk
    if talk.has_token:
        raise FieldError("this client sends a token, which would win over a session: make one without", field="token")
    for field, value in (("username", username), ("password", password)):
        if not isinstance(value, str) or not value:
            raise FieldError(f"the {field} must be text that is not empty", field=field)
    content = json_body({"username": username, "password": password})
    response = yield from call.send(lambda: _login_request(call, content), renew=False)
    if response.status_code in (400, 401) and is_json(response):
        raise status_error(response, call.cid, kind=AuthenticationError, hint="the login was refused")
    user = record_of(response, call.cid)
    if not talk.has_session and not _opened(talk, response):
        raise status_error(response, call.cid, kind=AuthenticationError, hint=_why_no_session(call))
    return user


def _login_request(call: Call, content: bytes) -> httpx.Request:
    """With a session cookie the server wants a CSRF token; where that is lost, log in as a stranger would."""
    request = call.talk.request("POST", "authentication/login/", content=content)
    call.talk.begin_session(request)
    if "x-csrftoken" not in request.headers:
        request.headers.pop("cookie", None)
    return request


def _opened(talk: Conversation, response: httpx.Response) -> bool:
    """Whether there was a session, which another thread or task has ended since."""
    cookies = response.headers.get_list("set-cookie")
    return any(cookie.startswith(f"{SESSION}=") for cookie in cookies) and not talk.keeps_secure_cookies_back


def _why_no_session(call: Call) -> str:
    if call.talk.keeps_secure_cookies_back:
        return f"the session cookie is Secure and does not travel over {call.talk.base_url}: use https"
    return "the answer set no session cookie: does a proxy remove it?"


def logout(call: Call) -> Flow[None]:
    """End the session and forget its cookies; silent if there is none."""
    talk = call.talk
    talk.renew = None
    session = talk.session
    if not talk.has_session:
        talk.forget_session(session)
        return
    try:
        response = yield from call.json("POST", "authentication/logout/", content=b"{}")
        if response.status_code != 401:
            acknowledged(response, call.cid)
    finally:
        talk.forget_session(session)


def whoami(call: Call) -> Flow[dict[str, Any] | None]:
    """The user the server takes us for, or ``None`` for nobody."""
    response = yield from call.json("GET", WHOAMI)
    if response.status_code == 401:
        return None
    return record_of(response, call.cid)


def is_authenticated(call: Call) -> Flow[bool]:
    """Whether the server knows us."""
    return (yield from whoami(call)) is not None
