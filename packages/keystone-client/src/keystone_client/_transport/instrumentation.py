"""Let tools that replace ``httpx.Client.send`` or ``httpx.AsyncClient.send`` see the requests.

Sentry and ddtrace do that, to open a span and to add their trace headers. This client has no ``httpx.Client``, whose
pool loses connections when calls are cancelled. So where somebody has replaced the method, each try is sent by a
``httpx.Client`` made for it, whose transport is our own way to send. Where nobody has, that costs one comparison.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter
from typing import Any, Final

import httpx

from .outgoing import OutgoingRequest


def _own(client: type[Any]) -> Any:
    """Return the ``send`` of httpx itself; ``None`` if it was replaced before this module was imported.

    Not every tool marks its function as a wrapper, so what tells is the file that the function was written in.
    """
    code = getattr(client.send, "__code__", None)
    return client.send if code and code.co_filename == client.build_request.__code__.co_filename else None


SEND: Final = _own(httpx.Client)
SEND_ASYNC: Final = _own(httpx.AsyncClient)


class _Through(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that sends with a function."""

    def __init__(self, exchange: Callable[[Any], Any]) -> None:
        self._exchange = exchange

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._exchange(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await self._exchange(request)
        return response


def send(exchange: Callable[[OutgoingRequest], httpx.Response], request: OutgoingRequest) -> httpx.Response:
    """Send a request with a function, within ``httpx.Client.send`` if that was replaced."""
    if httpx.Client.send is SEND:
        return exchange(request)
    started = perf_counter()
    return _as_it_came(httpx.Client(transport=_Through(exchange), trust_env=False).send(request), request, started)


async def send_async(
    exchange: Callable[[OutgoingRequest], Awaitable[httpx.Response]], request: OutgoingRequest
) -> httpx.Response:
    """Send a request with a function, within ``httpx.AsyncClient.send`` if that was replaced."""
    if httpx.AsyncClient.send is SEND_ASYNC:
        return await exchange(request)
    started = perf_counter()
    client = httpx.AsyncClient(transport=_Through(exchange), trust_env=False)
    return _as_it_came(await client.send(request), request, started)


def _as_it_came(response: httpx.Response, request: OutgoingRequest, started: float) -> httpx.Response:
    # A test that puts a function of its own in place of ``send`` may answer with neither of these.
    response.request, response.elapsed = request, timedelta(seconds=perf_counter() - started)
    response.next_request = None  # httpx adds it to a redirect, with the credentials of the request
    return response
