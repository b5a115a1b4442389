"""What a client remembers between requests: the address, the identity, the cookies, the CSRF token.

No I/O. The headers of requests are prepared in advance, and again whenever a response changes the cookies.
"""

import functools
import random
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Final

import httpx
from keystone_client_core import endpoint_path

from .._config.call_options import CID_HEADER
from .._config.options import Options
from .._transport.outgoing import OutgoingRequest
from .._version import __version__
from .cookies import SESSION, CookieStore, SecretHeaders, cookies_of
from .csrf import csrf_headers
from .requests import RequestBuilder, SessionHeaders
from .retries import RECEIVED
from .throttle import Throttle
from .upload_limits import Limits

ACCEPTED = "application/json"
"""What methods with types accept. The raw HTTP methods accept everything."""
_OURS = {
    "Accept": ACCEPTED,
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
    "User-Agent": f"keystone-api-client/{__version__}",
}


class SessionState:
    """What a client remembers between requests, and the builder of its requests."""

    def __init__(self, options: Options) -> None:
        """Start without a session, from options that were checked."""
        self.base_url: Final = options.base_url
        self.page_size: Final = options.page_size
        self.route: Final = options.route
        self.has_token: Final = options.token is not None
        self.clock: Callable[[], float] = time.monotonic
        self.now: Callable[[], float] = time.time
        """Wall clock, used only to read dates of the server. Waits use the monotonic clock."""
        self.draw: Callable[[], float] = random.random
        self.hooks: Final = options.hooks
        self.throttle: Final = Throttle()
        self.renew: Callable[[Any], Generator[Any, Any, object]] | None = None
        """Logs in again for a call; ``None`` if the user gave no provider of credentials."""
        self.renewals = 0
        """How many times that was tried."""
        self.login_pending = False
        """Whether the first call that needs a session has to log in."""
        self.keeps_credentials = False
        """Whether a login with a username and a password is repeated when the session ends."""
        self.failed_login: Exception | None = None
        """The failure of the last attempt of ``renew``."""
        self.upload_limits = Limits()
        """Empty until the server has been asked for its settings."""
        self._unsettled: dict[Any, float] = {}
        """Records that a job may have created and that no unique field protects from being created twice.

        By signature, with the time at which that job ended. Replaced as a whole: another thread may be reading it.
        """
        self.newest_keys: dict[str, int] = {}
        """The highest key of a record that the server has created and kept, by model: later ones have higher keys.

        Empty after each login, because a server with an older database would give keys again.
        """
        self._lock = threading.Lock()
        self._cookies = CookieStore()
        self.builder = RequestBuilder(self.base_url, options.max_response_size)
        host = self.builder.url_of("").netloc.decode("ascii")  # otherwise httpx works it out for each request
        token = {} if options.token is None else {"Authorization": f"Token {options.token}"}
        self._fixed = SecretHeaders({"Host": host, **_OURS, CID_HEADER: options.cid, **token})
        for name, value in options.headers.items():
            self._fixed[name] = value
        self.headers = self._prepared(self._cookies, 0, None)
        """Replaced as a whole, so that reading takes no lock."""

    @property
    def number(self) -> int:
        """The number of the current session; the time between a logout and a login has a number of its own."""
        return self.headers.number

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

    def receive(self, response: httpx.Response) -> None:
        """Note when a response came, and take in its cookies.

        The cookies of a late response, to a request of an earlier session, are ignored: they could end the current one.
        """
        response.extensions[RECEIVED] = self.now()
        request = response.request
        if self.route.proxy and isinstance(request, OutgoingRequest):
            request.proxy = self.route.proxy
        if "set-cookie" not in response.headers:
            return
        asked_in = request.session if isinstance(request, OutgoingRequest) else None
        with self._lock:
            if asked_in is None or asked_in == self.headers.number:
                cookies = self._cookies.copy()
                cookies.take(response)
                self._use(cookies, self.headers.number)

    def note_created(self, model: str, record: object) -> None:
        """Remember the key of a record that was created. Not in a dry run: the server may give that key again.

        Two threads at once may forget the higher of their keys, which only makes a later check less sure.
        """
        key = record.get("id") if isinstance(record, Mapping) else None
        if isinstance(key, int):
            self.newest_keys[model] = max(key, self.newest_keys.get(model, 0))

    def note_unsettled(self, signatures: Iterable[Any]) -> None:
        """Remember records that a job, which has just ended, may have created."""
        with self._lock:
            self._unsettled = self._unsettled | dict.fromkeys(signatures, self.clock())

    def unsettled(self, seconds: float) -> Mapping[Any, float]:
        """Return the records that jobs of the last ``seconds`` may have created, with times; forget older ones."""
        earliest = self.clock() - seconds
        with self._lock:
            self._unsettled = {name: since for name, since in self._unsettled.items() if since > earliest}
            return self._unsettled

    def forget_session(self, number: int) -> None:
        """Drop all cookies, unless the session with this number has been replaced by another."""
        with self._lock:
            if number == self.headers.number:
                self._use(CookieStore(), number)

    def _use(self, cookies: CookieStore, number: int) -> None:
        """Replace cookies and headers together, so that a KeyboardInterrupt cannot separate them."""
        headers = self._prepared(cookies, number, self.headers.key)
        if headers.key != self.headers.key:
            self.newest_keys = {}
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
        for name, value in csrf_headers(named, self.base_url).items():
            unsafe[name] = value
        json = SecretHeaders(unsafe)
        json["Content-Type"] = "application/json"
        key = named.get(SESSION)
        return SessionHeaders(number + (key != former_key), key, safe, unsafe, json)

    def endpoint(self, endpoint: str) -> str:
        """Return the path below the base URL for an endpoint given by the caller.

        Raises:
            InvalidURLError: It leads out of the base URL.
        """
        path_of = _kept_path if isinstance(endpoint, str) else endpoint_path
        return path_of(self.base_url, endpoint)


_kept_path = functools.lru_cache(256)(endpoint_path)
"""Remembers paths for all clients of the process, as ``requests`` remembers URLs."""
