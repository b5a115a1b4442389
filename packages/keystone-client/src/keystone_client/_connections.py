"""How bytes travel: TLS contexts, proxies, and one connection per call in flight.

Nothing here knows Keystone. Building a TLS context takes 20 ms and httpx's pool is quadratic in waiting calls, so
contexts are shared by all clients of a process, and the async client keeps its own slots.
"""

import functools
import os
import ssl
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter
from typing import Any, Final, TypeAlias
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx

Verify: TypeAlias = bool | str | ssl.SSLContext
DEFAULT_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)


def tls_context(base_url: str, verify: Verify, trust_env: bool) -> ssl.SSLContext:
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
    if isinstance(verify, str):
        return ssl.create_default_context(cafile=verify)
    return httpx.create_ssl_context(verify=verify, trust_env=trust_env)


def proxy_for(base_url: str, proxy: str | httpx.Proxy | None, trust_env: bool) -> str | httpx.Proxy | None:
    """The proxy to go through: the one given, else that of the environment, unless ``NO_PROXY`` names the host."""
    if proxy is not None or not trust_env:
        return proxy
    url = httpx.URL(base_url)
    if proxy_bypass(url.netloc.decode("ascii")) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    return f"http://{found}" if found and "://" not in found else found


def finished(response: httpx.Response, request: httpx.Request, started: float) -> httpx.Response:
    """The response as ``httpx.Client`` would hand it out: with its request and the time it took."""
    response.request = request
    response.elapsed = timedelta(seconds=perf_counter() - started)
    return response


SINK = "keystone.sink"
"""The extension of a request that names what its answer is written into."""

CHUNK = 65_536
FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class Slots:
    """Async connections, one for each call in flight.

    A call takes a permit and an idle connection. One that read its answer to the end gives the connection back;
    anything else, a cancelled call too, closes it. Nothing is shared between calls, so nothing can be left behind in
    another call's hands: httpcore 1.0.9 loses a pool slot for ever when a call is cancelled at the wrong moment.
    """

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport], limits: httpx.Limits) -> None:
        """Take a maker of transports that hold one connection each."""
        self._make = make
        self._free: float = float("inf") if limits.max_connections is None else limits.max_connections
        kept = limits.max_keepalive_connections
        self._kept: float = float("inf") if kept is None else kept
        self._idle: list[httpx.AsyncBaseTransport] = []
        self._waiting: deque[anyio.Event] = deque()

    async def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read its answer whole."""
        await self._enter(request)
        try:
            return await self._exchange(self._idle.pop() if self._idle else self._make(), request)
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
                self._idle.append(slot)
            else:
                with anyio.CancelScope(shield=True):
                    await slot.aclose()

    async def aclose(self) -> None:
        """Close the idle connections now, and those in use when their call is over."""
        self._kept = 0
        while self._idle:
            await self._idle.pop().aclose()

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


async def exchange_async(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    """Send a request through a transport and read its answer whole."""
    started = perf_counter()
    response = await transport.handle_async_request(request)
    response.request = request
    sink = _sink(request, response)
    try:
        if sink is None:
            await response.aread()
        else:
            async for chunk in response.aiter_bytes(CHUNK):
                sink.write(chunk, _length(response))
    finally:
        await response.aclose()
    return finished(response if sink is None else _without_body(response), request, started)


def exchange(transport: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
    """Send a request through a transport and read its answer whole."""
    started = perf_counter()
    response = transport.handle_request(request)
    response.request = request
    sink = _sink(request, response)
    try:
        if sink is None:
            response.read()
        else:
            for chunk in response.iter_bytes(CHUNK):
                sink.write(chunk, _length(response))
    finally:
        response.close()
    return finished(response if sink is None else _without_body(response), request, started)


def _sink(request: httpx.Request, response: httpx.Response) -> Any:
    """What takes the body of a download bit by bit; errors are read whole like all other answers."""
    return request.extensions.get(SINK) if response.status_code == 200 else None


def _without_body(response: httpx.Response) -> httpx.Response:
    return httpx.Response(
        response.status_code,
        headers=[pair for pair in response.headers.multi_items() if pair[0] not in FRAMING],
        content=b"",
        extensions=response.extensions,
    )


def _length(response: httpx.Response) -> int:
    """The bytes there will be, or 0 where the server does not tell."""
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() and "content-encoding" not in response.headers else 0
