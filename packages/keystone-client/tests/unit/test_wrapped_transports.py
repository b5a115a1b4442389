"""Transports of the user that wrap each connection or replace the network."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, FieldError, KeystoneClient, RequestTimeoutError
from keystone_client_testing import FakeKeystone

from .scripted import URL, Player, Scripted, answer


class Traced(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A wrapper that records requests and does not forward ``close``."""

    def __init__(self, inner: Any, seen: list[str]) -> None:
        self.inner, self.seen = inner, seen

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.url.path)
        response: httpx.Response = self.inner.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.url.path)
        response: httpx.Response = await self.inner.handle_async_request(request)
        return response


class Cached(Traced):
    """A wrapper that caches responses."""

    def __init__(self, inner: Any, seen: list[str]) -> None:
        super().__init__(inner, seen)
        self.kept: dict[str, bytes] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        key = str(request.url)
        if key not in self.kept:
            self.kept[key] = super().handle_request(request).read()
        return httpx.Response(200, content=self.kept[key])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = str(request.url)
        if key not in self.kept:
            self.kept[key] = await (await super().handle_async_request(request)).aread()
        return httpx.Response(200, content=self.kept[key])


class Forgetful(Traced):
    """A wrapper that sends each request twice and neither reads nor closes the first response."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        super().handle_request(request)
        return super().handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await super().handle_async_request(request)
        return await super().handle_async_request(request)


@pytest.fixture
def server() -> Iterator[str]:
    with FakeKeystone().serve() as url:
        yield url


def with_client(colour: str, url: str, act: Callable[[Any], Any], **options: Any) -> Any:
    """Run a function with a client that has real connections; an async client stays in one event loop."""
    if colour == "sync":
        with KeystoneClient(url, **options) as client:
            return act(Player(client))

    async def run() -> Any:
        async with AsyncKeystoneClient(url, **options) as client:
            result = act(client)
            return [await each for each in result] if isinstance(result, list) else await result

    return anyio.run(run)


def test_each_connection_is_wrapped_once_and_used_for_its_calls(colour: str, server: str) -> None:
    wrapped: list[Traced] = []
    seen: list[str] = []

    def wrap(inner: Any) -> Traced:
        wrapped.append(Traced(inner, seen))
        return wrapped[-1]

    with_client(colour, server, lambda client: [client.retrieve_version(), client.http_get("x")], wrap_transport=wrap)
    assert seen == ["/version/", "/x/"]
    assert len(wrapped) == 1


def test_a_cache_answers_without_the_server(colour: str, server: str) -> None:
    seen: list[str] = []
    versions = with_client(
        colour,
        server,
        lambda client: [client.retrieve_version(), client.retrieve_version()],
        wrap_transport=lambda inner: Cached(inner, seen),
    )
    assert versions[0] == versions[1]
    assert seen == ["/version/"]


def test_a_wrapper_that_leaves_a_response_open_cannot_block_its_connection(colour: str, server: str) -> None:
    seen: list[str] = []
    version = with_client(
        colour, server, lambda client: client.retrieve_version(), wrap_transport=lambda inner: Forgetful(inner, seen)
    )
    assert version
    assert seen == ["/version/"] * 2


class SlowConnection(httpx.AsyncBaseTransport):
    """In place of a connection of httpx: answers after a while, and tells whether it was closed."""

    made: ClassVar[list["SlowConnection"]] = []

    def __init__(self, **options: Any) -> None:
        self.closed = False
        self._pool = SimpleNamespace()  # the client replaces it
        self.made.append(self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.sleep(0.001)
        return answer(200, {"id": 1})(request)

    async def aclose(self) -> None:
        self.closed = True


def test_cancelled_calls_through_hooks_and_wrappers_cost_no_connection(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", SlowConnection)
    monkeypatch.setattr(SlowConnection, "made", [])

    async def hook(subject: object) -> None:
        await anyio.lowlevel.checkpoint()

    async def run() -> int:
        async with AsyncKeystoneClient(
            URL,
            limits=httpx.Limits(max_connections=5),
            timeout=5,
            event_hooks={"request": [hook], "response": [hook]},
            wrap_transport=lambda inner: Traced(inner, []),
        ) as client:
            for number in range(50):
                with anyio.move_on_after(0.0002 * number):
                    async with anyio.create_task_group() as group:
                        for _ in range(20):
                            group.start_soon(client.retrieve_team, 1)
            return len([await client.retrieve_team(1) for _ in range(20)])

    assert anyio.run(run, backend=backend) == 20
    assert len(SlowConnection.made) > 5
    assert all(connection.closed for connection in SlowConnection.made)


@pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])
def test_what_cannot_wrap_is_refused(kind: Any, server: str) -> None:
    with pytest.raises(FieldError, match="wrap_transport"):
        kind(URL, wrap_transport="x")
    client = kind(server, wrap_transport=lambda inner: "x")
    with pytest.raises(FieldError, match=r"wrap_transport: str has no handle_"), contextlib.suppress(TypeError):
        Player(client).retrieve_version()


@pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])
def test_a_proxy_beside_a_transport_is_refused(kind: Any) -> None:
    with pytest.raises(FieldError, match="proxy: a transport takes the place of the network"):
        kind(URL, transport=Scripted(), proxy="http://proxy.test:3128")


@pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])
def test_a_transport_of_another_library_is_refused_with_an_explanation(kind: Any) -> None:
    base = type("BaseTransport", (), {"__module__": "httpx2._transports.base"})
    foreign = type("HTTPTransport", (base,), {"handle_request": None, "handle_async_request": None})
    with pytest.raises(FieldError, match="transport of httpx2; give one of httpx"):
        kind(URL, transport=foreign())


class Rewriting(Traced):
    """A wrapper that makes a request of its own, and leaves out the extensions."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(httpx.Request(request.method, request.url, headers=request.headers))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(httpx.Request(request.method, request.url, headers=request.headers))


def test_a_request_that_a_wrapper_makes_has_the_timeouts_of_the_call(colour: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RequestTimeoutError):
            with_client(
                colour,
                url,
                lambda client: client.with_options(timeout=0.05).http_get("version"),
                wrap_transport=lambda inner: Rewriting(inner, []),
                retry=None,
            )
