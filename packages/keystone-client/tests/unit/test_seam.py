"""The internal interface that ``keystone-client-testing`` uses: an injected clock, and a session without a login."""

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient, RetryPolicy
from keystone_client._seam import open_session, set_clock

URL = "http://keystone.test/"


class Server:
    """Throttles the first request, and records the cookies it receives."""

    def __init__(self) -> None:
        self.cookies: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.cookies.append(request.headers.get("cookie"))
        return httpx.Response(503, headers={"Retry-After": "40"}) if len(self.cookies) == 1 else httpx.Response(200)


class Clock:
    """A simulated clock that waits advance."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.now += seconds


def test_a_client_waits_on_the_injected_clock() -> None:
    server, clock = Server(), Clock()
    with KeystoneClient(URL, transport=httpx.MockTransport(server), retry=RetryPolicy()) as client:
        set_clock(client, clock.time, clock.sleep)
        client.http_get("version/")
    assert (len(server.cookies), clock.now >= 1_000_040) == (2, True)


def test_an_async_client_waits_on_the_injected_clock() -> None:
    server, clock = Server(), Clock()

    async def ask() -> None:
        async with AsyncKeystoneClient(URL, transport=httpx.MockTransport(server), retry=RetryPolicy()) as client:
            set_clock(client, clock.time, clock.sleep_async)
            await client.http_get("version/")

    anyio.run(ask)
    assert (len(server.cookies), clock.now >= 1_000_040) == (2, True)


@pytest.mark.parametrize("cookie", ["sessionid=abc; Path=/", "sessionid=abc; HttpOnly; Path=/; SameSite=Lax"])
def test_an_injected_session_is_sent_with_the_next_request(cookie: str) -> None:
    server, clock = Server(), Clock()
    with KeystoneClient(URL, transport=httpx.MockTransport(server), retry=RetryPolicy()) as client:
        set_clock(client, clock.time, clock.sleep)
        open_session(client, [cookie])
        client.http_get("version/")
    assert server.cookies == ["sessionid=abc", "sessionid=abc"]
