"""What a client remembers between requests: the address, the identity, the cookies, the CSRF token.

No I/O. The headers of requests are prepared in advance, and again whenever a response changes the cookies.
"""

import random
import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, NoReturn

import httpx
from keystone_client_core import ContextAdapter, __version__, endpoint_path

from .._config.arguments import Timeouts
from .._config.options import Options
from .._log import LOGGER
from .._transport.outgoing import OutgoingRequest, endpoint_of
from .cookies import CSRF, SESSION, CookieStore, SecretHeaders, cookies_of
from .requests import Parameters, RequestBuilder
from .retries import RECEIVED
from .throttle import Throttle
from .upload_limits import Limits

CID_HEADER = "X-KEYSTONE-CID"
AGENT = f"keystone-api-client/{__version__}"


class SessionHeaders:
    """The headers that requests of one session share. Never changed, only replaced, so that reading takes no lock."""

    __slots__ = ("key", "number", "safe", "unsafe")

    def __init__(self, number: int, key: str | None, safe: httpx.Headers, unsafe: httpx.Headers) -> None:
        """Keep the headers of one session.

        Args:
            number: The number of the session; it grows with every login and logout.
            key: The session cookie; ``None`` without a session.
            safe: The headers of requests that only read.
            unsafe: The headers of requests that write.
        """
        self.number: Final = number
        self.key: Final = key
        self.safe: Final = safe
        self.unsafe: Final = unsafe


class SessionState:
    """What a client remembers between requests, and the builder of its requests."""

    def __init__(self, options: Options) -> None:
        """Start without a session, from options that were checked."""
        self.base_url: Final = options.base_url
        self.cid: Final = options.cid
        self.page_size: Final = options.page_size
        self.size_limit: Final = options.max_response_size
        self.retry: Final = options.retry
        self.timeout: Final = options.timeout
        self.has_token: Final = options.token is not None
        self.clock: Callable[[], float] = time.monotonic
        self.now: Callable[[], float] = time.time
        """Wall clock, used only to read dates of the server. Waits use the monotonic clock."""
        self.draw: Callable[[], float] = random.random
        self.throttle: Final = Throttle()
        self.renew: Callable[[Any], Generator[Any, Any, object]] | None = None
        """Logs in again for a call; ``None`` if the user gave no provider of credentials."""
        self.renewals = 0
        """How many times that was tried."""
        self.upload_limits = Limits()
        """Empty until the server has been asked for its settings."""
        self._log = ContextAdapter(LOGGER, {"cid": self.cid, "baseurl": self.base_url})
        self._lock = threading.Lock()
        self._cookies = CookieStore()
        self._fixed = SecretHeaders({"Accept": "application/json", "Accept-Encoding": "gzip, deflate"})
        self._fixed.update({"Connection": "keep-alive", "User-Agent": AGENT})
        self._fixed.update(options.headers)
        self._fixed[CID_HEADER] = self.cid
        if options.token is not None:
            self._fixed["Authorization"] = f"Token {options.token}"
        self.headers = self._prepared(self._cookies, 0, None)
        """Replaced as a whole, so that reading takes no lock."""
        self._build = RequestBuilder(self.base_url)

    @property
    def number(self) -> int:
        """The number of the current session; the time between a logout and a login has a number of its own."""
        return self.headers.number

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a session should not be stored, and connections cannot be."""
        raise TypeError("a Keystone client can be neither pickled nor copied: it holds a session; make a new one")

    @property
    def has_session(self) -> bool:
        """Whether a session cookie would be sent."""
        return self.headers.key is not None

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
    ) -> OutgoingRequest:
        """Build a request to an endpoint that was checked.

        Args:
            method: The HTTP method, upper case.
            endpoint: The path below the base URL, as ``endpoint_path`` returns it.
            params: Query parameters.
            content: A body that is JSON already.
            headers: Further headers, checked.
            timeout: Timeouts in seconds by phase; the client's if left out.
            body: ``json``, ``data`` or ``files``, as httpx takes them.

        Returns:
            The request, with cookies, CSRF token and correlation id.
        """
        current = self.headers
        request = self._build.request(
            method,
            endpoint,
            headers=current.safe if method == "GET" else current.unsafe,
            params=params,
            content=content,
            more=headers,
            timeout=timeout or self.timeout,
            body=body,
        )
        request.session, request.size_limit = current.number, self.size_limit
        return request

    def receive(self, response: httpx.Response) -> None:
        """Note when a response came, and take in its cookies.

        The cookies of a late response, to a request of an earlier session, are ignored: they could end the current one.
        """
        response.extensions[RECEIVED] = self.now()
        if "set-cookie" not in response.headers:
            return
        request = response.request
        asked_in = request.session if isinstance(request, OutgoingRequest) else None
        with self._lock:
            if asked_in is None or asked_in == self.headers.number:
                cookies = self._cookies.copy()
                cookies.take(response)
                self._use(cookies, self.headers.number)

    def forget_session(self, number: int) -> None:
        """Drop all cookies, unless the session with this number has been replaced by another."""
        with self._lock:
            if number == self.headers.number:
                self._use(CookieStore(), number)

    def _use(self, cookies: CookieStore, number: int) -> None:
        """Replace cookies and headers together, so that a KeyboardInterrupt cannot separate them."""
        headers = self._prepared(cookies, number, self.headers.key)
        self._cookies, self.headers = cookies, headers

    def after_fork(self) -> None:
        """Replace the locks, which another thread of the parent may have held at the fork, and keep the cookies."""
        self._cookies, self._lock = self._cookies.copy(), threading.Lock()

    def _prepared(self, cookies: CookieStore, number: int, former_key: str | None) -> SessionHeaders:
        """Return the headers of requests with these cookies, with the next number if the session cookie is another."""
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
        return SessionHeaders(number + (key != former_key), key, safe, unsafe)

    def url_of(self, endpoint: str) -> httpx.URL:
        """Return the URL of an endpoint.

        Raises:
            InvalidURLError: The URL is too long.
        """
        return self._build.url_of(endpoint)

    def endpoint(self, endpoint: str) -> str:
        """Return the path below the base URL for an endpoint given by the caller.

        Raises:
            InvalidURLError: It leads out of the base URL.
        """
        return endpoint_path(self.base_url, endpoint)

    def log(self, level: int, message: str, request: httpx.Request, status_code: int | str, *details: object) -> None:
        """Log a line about a request, with the fields that every record of the logger has."""
        extra = {
            "method": request.method,
            "endpoint": endpoint_of(request),
            "url": str(request.url),
            "status_code": status_code,
        }
        self._log.log(level, message, *details, extra=extra)
