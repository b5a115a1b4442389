"""How bytes travel: TLS contexts, proxies, and one connection per call in flight.

Nothing here knows Keystone. Building a TLS context takes 20 ms and httpx's pool is quadratic in waiting calls, so
contexts are shared by all clients of a process, and the async client keeps its own slots.
"""

import functools
import os
import ssl
import time
from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final, TypeAlias
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx
from keystone_client_core import FieldError

from ._exchange import LEFT_OF_CALL, Trace, exchange_async

Verify: TypeAlias = bool | str | os.PathLike[str] | ssl.SSLContext
"""What ``verify`` may be."""
DEFAULT_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)


def tls_context(base_url: str, verify: bool | str | ssl.SSLContext, trust_env: bool) -> ssl.SSLContext:
    """The TLS context for a server; the same object for all clients that ask for the same."""
    if isinstance(verify, ssl.SSLContext):
        return verify
    if base_url.startswith("http:"):
        return _trusting_nobody()
    environment = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")) if trust_env else ()
    return _tls_context(verify, trust_env, environment)


@functools.lru_cache(1)
def _trusting_nobody() -> ssl.SSLContext:
    """A bare context where no TLS is spoken: 0.14 ms instead of 18, and it fails closed."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@functools.lru_cache(32)
def _tls_context(verify: bool | str, trust_env: bool, _environment: tuple[str | None, ...]) -> ssl.SSLContext:
    try:
        if isinstance(verify, str):
            return ssl.create_default_context(cafile=verify)
        return httpx.create_ssl_context(verify=verify, trust_env=trust_env)
    except OSError as error:  # ssl.SSLError is one
        where = verify if isinstance(verify, str) else "what SSL_CERT_FILE or SSL_CERT_DIR names"
        raise FieldError(f"no CA certificates can be read from {where}: {error}", field="verify") from None


def proxy_for(base_url: str, proxy: str | httpx.Proxy | None, trust_env: bool) -> str | httpx.Proxy | None:
    """The proxy to go through: the one given, else that of the environment, unless ``NO_PROXY`` names the host."""
    if proxy is not None or not trust_env:
        return proxy
    url = httpx.URL(base_url)
    if proxy_bypass(url.netloc.decode("ascii")) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    full = f"http://{found}" if found and "://" not in found else found
    check_proxy(full, f"the proxy of the environment for {url.scheme}")
    return full


def check_proxy(proxy: object, what: str) -> None:
    """Refuse what is no proxy; its URL may hold a password, so no message repeats it.

    Raises:
        FieldError: It is none, or needs a package that is not there.
    """
    if proxy is None or isinstance(proxy, httpx.Proxy):
        return
    try:
        scheme = httpx.Proxy(proxy).url.scheme if isinstance(proxy, str | httpx.URL) else ""
    except (ValueError, httpx.InvalidURL):
        scheme = ""
    if not scheme:
        raise FieldError(f"{what}: give a URL like http://host:3128, or an httpx.Proxy", field="proxy")
    if scheme.startswith("socks") and find_spec("socksio") is None:
        raise FieldError(f"{what}: {scheme} needs the package socksio: pip install 'httpx[socks]'", field="proxy")


class Slots:
    """Async connections, one for each call in flight.

    A call takes a permit and an idle connection. One that read its answer to the end gives the connection back;
    anything else, a cancelled call too, closes it. Nothing is shared between calls, so nothing can be left behind in
    another call's hands: httpcore 1.0.9 loses a pool slot for ever when a call is cancelled at the wrong moment.
    """

    def __init__(
        self,
        make: Callable[[], httpx.AsyncBaseTransport],
        limits: httpx.Limits,
        *,
        secure: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a maker of transports that hold one connection each, and whether they speak TLS."""
        self._make = make
        self._secure = secure
        self._clock = clock
        self._expiry: float = float("inf") if limits.keepalive_expiry is None else limits.keepalive_expiry
        self._free: float = float("inf") if limits.max_connections is None else limits.max_connections
        kept = limits.max_keepalive_connections
        self._kept: float = float("inf") if kept is None else kept
        self._closed = False
        self._idle: deque[tuple[float, httpx.AsyncBaseTransport]] = deque()
        """Idle connections and since when: taken from the right, so that those at the left grow old."""
        self._waiting: deque[anyio.Event] = deque()

    @property
    def idle(self) -> int:
        """How many connections are open without being used."""
        return len(self._idle)

    async def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read its answer whole."""
        if self._secure or LEFT_OF_CALL in request.extensions:  # it costs 20 us
            request.extensions["trace"] = Trace()
        await self._enter(request)
        try:
            if self._closed:
                raise httpx.PoolTimeout("the client was closed while the request waited for a connection")
            if self._idle and self._idle[0][0] + self._expiry < self._clock():
                await self._reap()
            slot = self._idle.pop()[1] if self._idle else self._make()
            return await self._exchange(slot, request)
        finally:
            self._leave()

    async def _exchange(self, slot: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
        reusable = False
        try:
            response = await exchange_async(slot, request)
            reusable = len(self._idle) < self._kept
            return response
        finally:
            if reusable:
                self._idle.append((self._clock(), slot))
            else:
                with anyio.CancelScope(shield=True):
                    await slot.aclose()
                    await self._close_what_is_left(request)

    async def _close_what_is_left(self, request: httpx.Request) -> None:
        """Close connections the transport knows nothing of: httpcore loses one whose handshake is cancelled."""
        if "trace" in request.extensions:
            for stream in request.extensions["trace"].opened:
                await stream.aclose()

    async def _reap(self) -> None:
        """Close connections that nobody has used for long."""
        oldest = self._clock() - self._expiry
        while self._idle and self._idle[0][0] < oldest:
            _, slot = self._idle.popleft()
            with anyio.CancelScope(shield=True):
                await slot.aclose()

    async def aclose(self) -> None:
        """Close the idle connections now, and those in use when their call is over."""
        self._kept = 0
        self._closed = True
        while self._idle:
            await self._idle.pop()[1].aclose()

    def drop(self) -> None:
        """Let go of the idle connections, where there is no loop to close them on: collecting them does it."""
        self._idle.clear()

    async def _enter(self, request: httpx.Request) -> None:
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        turn = anyio.Event()
        self._waiting.append(turn)
        try:
            with anyio.fail_after(request.extensions["timeout"].get("pool")):
                await turn.wait()
        except BaseException as error:
            if turn.is_set():
                self._leave()  # the permit came at the moment of giving up: pass it on
            else:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise httpx.PoolTimeout("every connection was in use for too long", request=request) from None
            raise

    def _leave(self) -> None:
        """Hand the permit to the one who waits longest, or put it back."""
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1
