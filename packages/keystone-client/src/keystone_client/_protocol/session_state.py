"""What both clients know and remember: the address, the identity, the cookies, and how a request is built.

No I/O and no colour: requests are built from parts prepared once, and whatever an answer changes is taken in here.
"""

import functools
import random
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias
from urllib.parse import quote, urlencode

import httpx
from keystone_client_core import (
    ContextAdapter,
    FieldError,
    InvalidURLError,
    adopt_cid,
    check_page_size,
    endpoint_path,
    new_cid,
)

from .._config.arguments import Timeouts, checked_base_url, checked_headers, checked_size, checked_timeout, is_token
from .._config.retry_policy import NO_RETRIES, RetryPolicy
from .._log import LOGGER
from .._transport.exchange import MOST
from .cookies import CSRF, SESSION, CookieStore, SecretHeaders, cookies_of
from .retries import RECEIVED
from .throttle import Throttle
from .upload_limits import Limits

CID_HEADER = "X-KEYSTONE-CID"
ASKED_IN = "keystone.session"
"""The extension of a request that holds the number of the session it was built in; ``None`` for a login."""
NO_SESSION: Final = -1
"""The number of no session: cookies in the answer to such a request are dropped."""
CREDENTIALS = ("cookie", "authorization")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Parameters: TypeAlias = Mapping[str, Any] | Sequence[tuple[str, Any]]


class Session:
    """What the requests of one session have in common; replaced whole, so that a reader needs no lock."""

    __slots__ = ("key", "number", "safe", "unsafe")

    def __init__(self, number: int, key: str | None, safe: httpx.Headers, unsafe: httpx.Headers) -> None:
        """Take a number that grows with every login and logout, the session cookie, and the headers to send."""
        self.number: Final = number
        self.key: Final = key
        self.safe: Final = safe
        self.unsafe: Final = unsafe


class Conversation:
    """One client's side of the talk with one server."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        cid: Any,
        timeout: float | httpx.Timeout | None,
        retry: RetryPolicy | None,
        page_size: int,
        max_response_size: int | None,
        headers: Mapping[str, str] | None,
        agent: str,
    ) -> None:
        """Check everything the user gave; see ``KeystoneClient`` for the meaning of the arguments."""
        self.base_url: Final = checked_base_url(url)
        self.cid: Final = new_cid() if cid is None else adopt_cid(cid)
        self.page_size: Final = check_page_size(page_size)
        self._most: Final = checked_size(max_response_size)
        self.retry: Final = NO_RETRIES if retry is None else retry
        self.has_token: Final = token is not None
        self.clock: Callable[[], float] = time.monotonic
        self.now: Callable[[], float] = time.time
        """The time of day, for what a server says of it; no wait of ours is measured by it, for it jumps."""
        self.draw: Callable[[], float] = random.random
        self.throttle: Final = Throttle()
        self.renew: Callable[[Any], Generator[Any, Any, object]] | None = None
        """Begins a session anew for a call, where the user gave a provider of credentials."""
        self.renewals = 0
        """How often that was tried."""
        self.timeout: Final[Timeouts] = checked_timeout(timeout)
        self._log = ContextAdapter(LOGGER, {"cid": self.cid, "baseurl": self.base_url})
        self.upload_limits = Limits()
        """Known once the server was asked for its settings."""
        self.url_of = functools.lru_cache(256)(functools.partial(_url_of, self.base_url))
        self._lock = threading.Lock()
        self._cookies = CookieStore()
        self._fixed = SecretHeaders({"Accept": "application/json", "Accept-Encoding": "gzip, deflate"})
        self._fixed.update({"Connection": "keep-alive", "User-Agent": agent})
        self._fixed.update(checked_headers(headers or {}))
        self._fixed[CID_HEADER] = self.cid
        if token is not None:
            if not is_token(token):
                raise FieldError("the token must be printable ASCII text without blanks", field="token")
            self._fixed["Authorization"] = f"Token {str.__str__(token)}"  # not what an enum calls itself
        self._session = self._prepared(self._cookies, 0, None)

    @property
    def session(self) -> int:
        """The number of the session there is, or of the time without one."""
        return self._session.number

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: a session is nothing to be stored, and connections cannot be."""
        raise TypeError("a Keystone client can be neither pickled nor copied: it holds a session; make a new one")

    @property
    def has_session(self) -> bool:
        """Whether a session cookie would be sent."""
        return self._session.key is not None

    @property
    def has_credentials(self) -> bool:
        """Whether requests carry a token or a session."""
        return self.has_token or self.has_session

    @property
    def keeps_secure_cookies_back(self) -> bool:
        """Whether there is a session cookie that must not travel over plain http."""
        return any(cookie.name == SESSION and cookie.secure for cookie in self._cookies.jar)

    def request(
        self,
        method: str,
        endpoint: str,
        *,
        params: Parameters | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeouts | None = None,
        **body: Any,
    ) -> httpx.Request:
        """Build a request to an endpoint that is known to be good.

        Args:
            method: The HTTP method, upper case.
            endpoint: The path below the base URL, as ``endpoint_path`` gives it.
            params: Query parameters.
            content: A body that is JSON already.
            headers: Further headers, checked.
            timeout: Seconds by phase; the client's if left out.
            body: ``json``, ``data`` or ``files``, as httpx takes them.

        Returns:
            The request, with cookies, CSRF token and correlation id.
        """
        url = self.url_of(endpoint)
        if params:
            query = urlencode(params, quote_via=quote, safe=",", doseq=True)
            url = _url_of(f"{url}{'&' if url.query else '?'}", query)
        session = self._session
        chosen = session.safe if method in SAFE_METHODS else session.unsafe
        if content is not None:
            chosen = SecretHeaders(chosen)
            chosen["Content-Type"] = "application/json"
        if headers:
            chosen = SecretHeaders(chosen)
            chosen.update(headers)
        extensions = {
            "timeout": timeout or self.timeout,
            "keystone.endpoint": endpoint.partition("?")[0],
            MOST: self._most,
            ASKED_IN: session.number,
        }
        return httpx.Request(method, url, headers=chosen, content=content, extensions=extensions, **body)

    @staticmethod
    def begin_session(request: httpx.Request) -> None:
        """Let the answer to this request set cookies whatever session there is by then: it is a login."""
        request.extensions[ASKED_IN] = None

    @staticmethod
    def without_credentials(request: httpx.Request) -> httpx.Request:
        """Take the session or token out of a request; cookies of its answer will be dropped."""
        for name in CREDENTIALS:
            request.headers.pop(name, None)
        request.extensions[ASKED_IN] = NO_SESSION
        return request

    def receive(self, response: httpx.Response) -> None:
        """Take in when an answer came, and what it changes: its cookies.

        Not those of an answer that comes late, from a session that is over: it may end the session there is now.
        """
        response.extensions[RECEIVED] = self.now()
        if "set-cookie" not in response.headers:
            return
        asked_in = response.request.extensions.get(ASKED_IN)
        with self._lock:
            if asked_in is None or asked_in == self._session.number:
                cookies = self._cookies.copy()
                cookies.take(response)
                self._use(cookies, self._session.number)

    def forget_session(self, number: int) -> None:
        """Drop all cookies, unless the session of this number is over anyway and there is another."""
        with self._lock:
            if number == self._session.number:
                self._use(CookieStore(), number)

    def _use(self, cookies: CookieStore, number: int) -> None:
        """Change the cookies and what is made of them together: an interrupt sees all of that or nothing."""
        session = self._prepared(cookies, number, self._session.key)
        self._cookies, self._session = cookies, session

    def after_fork(self) -> None:
        """Begin anew with the cookies there are: another thread of the parent may have held a lock of them."""
        self._cookies, self._lock = self._cookies.copy(), threading.Lock()

    def _prepared(self, cookies: CookieStore, number: int, former_key: str | None) -> Session:
        """The headers of safe and unsafe requests, with these cookies."""
        cookie = cookies.header(self.base_url)
        named = cookies_of(cookie)
        safe = SecretHeaders(self._fixed)
        if cookie:
            safe["Cookie"] = cookie
        unsafe = SecretHeaders(safe)
        unsafe["Referer"] = self.base_url  # Django refuses every write over https without it
        if CSRF in named:
            unsafe["X-CSRFToken"] = named[CSRF]
        key = named.get(SESSION)
        return Session(number + (key != former_key), key, safe, unsafe)

    def endpoint(self, endpoint: str) -> str:
        """The path below the base URL an endpoint of a caller means.

        Raises:
            InvalidURLError: It leads elsewhere.
        """
        return endpoint_path(self.base_url, endpoint)

    def log(self, level: int, message: str, request: httpx.Request, status_code: int | str, *details: object) -> None:
        """Log one line about a request, with the fields every record of the logger has."""
        extra = {
            "method": request.method,
            "endpoint": request.extensions.get("keystone.endpoint", request.url.path),
            "url": str(request.url),
            "status_code": status_code,
        }
        self._log.log(level, message, *details, extra=extra)


def _url_of(base_url: str, endpoint: str) -> httpx.URL:
    try:
        return httpx.URL(base_url + endpoint)
    except httpx.InvalidURL:
        length = len(base_url) + len(endpoint)
        raise InvalidURLError(f"The endpoint makes a URL of {length:,} characters, more than one can have.") from None
