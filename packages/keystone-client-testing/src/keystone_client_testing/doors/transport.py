"""The httpx door: one transport object for sync and async clients, with no network and no patching."""

from collections.abc import Mapping
from functools import lru_cache

import httpx

from .._server.engine import handle
from .._wire import Headers, Request, joined
from .._world.state import World

_MESSAGES = {
    "connect": "Connection refused",
    "timeout": "The read operation timed out",
    "reset": "Connection reset by peer",
    "cut": "peer closed connection without sending complete message body",
}
_ERRORS: dict[str, type[httpx.TransportError]] = {
    "connect": httpx.ConnectError,
    "timeout": httpx.ReadTimeout,
    "reset": httpx.ReadError,
    "cut": httpx.RemoteProtocolError,
}


_ENCODING = "utf-8"
_KEPT = 32
"""How many headers of requests and answers are remembered.

Most repeat within a test, hardly any in the next one: with 256 of them, what is never asked for again pushes out of the
processor's cache what every test needs, which takes 8 % longer.
"""


class FakeTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Hands requests to a world; ``transport=`` of ``httpx.Client`` and ``httpx.AsyncClient`` alike."""

    def __init__(self, world: World) -> None:
        """Open the door.

        Args:
            world: the world to ask.
        """
        self.world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a sync client."""
        request.read()
        return respond(self.world, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an async client."""
        await request.aread()
        return respond(self.world, request)


def respond(world: World, request: httpx.Request) -> httpx.Response:
    """Ask a world and turn its answer into httpx's response, or into the transport error it names.

    Args:
        world: the world to ask.
        request: with its body read.

    Returns:
        The response.

    Raises:
        httpx.TransportError: a planned fault.
    """
    answer = handle(world, _to_engine(request), lambda seconds: _wait(world, request, seconds))
    if answer.fault:
        raise _ERRORS[answer.fault](_MESSAGES[answer.fault], request=request)
    body = httpx.ByteStream(answer.body)  # for ``content=`` httpx would work out the headers of a body again
    response = httpx.Response(answer.status, headers=_prepared(answer.headers), stream=body, request=request)
    response.headers.encoding = _ENCODING  # httpx would try every header to find out
    return response


@lru_cache(_KEPT)
def _prepared(headers: Headers) -> httpx.Headers:
    """Return headers for responses, which copy them. Remembered, because most answers have the same ones."""
    return httpx.Headers(headers, _ENCODING)


def _to_engine(request: httpx.Request) -> Request:
    url = request.url
    path, _, query = url.raw_path.decode("ascii").partition("?")
    headers = _by_name(tuple(request.headers.raw))
    host = headers.get("host") or url.netloc.decode("ascii")
    return Request(request.method, url.scheme, host, path, query, headers, request.content)


@lru_cache(_KEPT)
def _by_name(headers: tuple[tuple[bytes, bytes], ...]) -> Mapping[str, str]:
    return joined([(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in headers])


def _wait(world: World, request: httpx.Request, seconds: float) -> bool:
    """Let latency pass at no cost: the clock moves, as far as the client would wait."""
    timeout = request.extensions.get("timeout", {}).get("read")
    world.clock.advance(seconds if timeout is None else min(seconds, timeout))
    return timeout is None or seconds <= timeout
