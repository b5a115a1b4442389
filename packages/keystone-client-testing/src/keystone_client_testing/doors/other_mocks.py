"""Lets an open door answer before other tools that mock HTTP in the same test.

respx, which the door is made of, patches httpcore. pytest-httpx and vcrpy patch ``httpx.HTTPTransport.handle_request``
above it, so they would answer, record or refuse what is meant for the fake: a login then ends in a timeout, or in a
cassette. To patch the same method would not help, because the last patch wins, and a cassette is often opened inside
the test. So a door replaces how that method is looked up: where it belongs to one of those tools, requests for the fake
go to the fake. Everything else is left alone: tools that only watch, such as OpenTelemetry, and transports that have a
method of their own.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import httpx

from .transport import FakeTransport

_TOOLS = frozenset({"pytest_httpx", "vcr"})
"""The packages whose replacements of the method answer instead of the network."""
_PATCHED: tuple[tuple[type, str], ...] = (
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
)
_LOOKUP = "__getattribute__"


class Door(Protocol):
    """What an open door has to say."""

    fake: FakeTransport

    def leads_to(self, url: httpx.URL) -> bool:
        """Tell whether the fake behind the door answers at a URL."""
        ...


_open: list[Door] = []


def put_first(door: Door) -> None:
    """Let a door answer before other tools."""
    if not _open:
        for transport, method in _PATCHED:
            setattr(transport, _LOOKUP, _look_up(transport, method))
    _open.append(door)


def put_back(door: Door) -> None:
    """Leave everything as it was before ``put_first``."""
    _open.remove(door)
    if not _open:
        for transport, _ in _PATCHED:
            delattr(transport, _LOOKUP)


def _look_up(transport: type, method: str) -> Callable[[Any, str], Any]:
    """Return the ``__getattribute__`` of a transport."""

    def look_up(self: Any, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if name != method or not _is_replaced(transport, method, found):
            return found
        return partial(_answer, method, found)

    return look_up


def _is_replaced(transport: type, method: str, found: Any) -> bool:
    """Tell whether one of the tools has replaced the method, and no subclass has one of its own."""
    function = getattr(found, "__func__", None)
    home = getattr(function, "__globals__", {}).get("__name__", "")  # __module__ is copied from what is replaced
    return function is vars(transport)[method] and home.partition(".")[0] in _TOOLS


def _answer(method: str, other: Callable[[httpx.Request], Any], request: httpx.Request) -> Any:
    """Answer a request by the fake it is for, else as the tool would; for async clients this returns an awaitable."""
    door = next((door for door in reversed(_open) if door.leads_to(request.url)), None)
    return getattr(door.fake, method)(request) if door else other(request)
