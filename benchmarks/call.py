"""Measures a call of the client against the same request with plain httpx, logged in, with the JSON decoded.

python benchmarks/call.py
"""

import asyncio

import httpx
from compare import report, timed, timed_async
from keystone_client import AsyncKeystoneClient, KeystoneClient
from loopback import running

ROUNDS, EACH, AT_ONCE = 60, 20, 50
LOGIN = {"username": "admin", "password": "quickstart"}
CLUSTER = "allocations/clusters/1/"
WHOAMI = "authentication/whoami/"
CID = "01234567-89ab-4def-8123-456789abcdef"
BAR, BAR_AT_ONCE, BAR_OPTIONS = 0.85, 0.6, 1.05


def sync(url: str) -> None:
    """Compare the sync client with ``httpx.Client``."""
    with KeystoneClient(url=url) as client, httpx.Client(base_url=url) as raw:
        client.login(**LOGIN)
        raw.post("authentication/login/", json=LOGIN)
        took = timed(
            {
                "http_get": lambda: client.http_get(WHOAMI).json(),
                "retrieve": lambda: client.retrieve_cluster(pk=1),
                "with options": lambda: client.with_options(timeout=10, cid=CID).retrieve_cluster(pk=1),
                "raw get": lambda: raw.get(WHOAMI).json(),
                "raw retrieve": lambda: raw.get(CLUSTER).json(),
            },
            ROUNDS,
            EACH,
        )
    report("sync http_get / httpx.Client.get", took["http_get"], took["raw get"], BAR)
    report("sync retrieve_cluster(pk) / httpx.Client.get", took["retrieve"], took["raw retrieve"], BAR)
    report("sync with_options(timeout, cid) / without", took["with options"], took["retrieve"], BAR_OPTIONS)


async def asynchronous(url: str) -> None:
    """Compare the async client with ``httpx.AsyncClient``, with one call at a time and with fifty at once."""
    async with AsyncKeystoneClient(url=url) as client, httpx.AsyncClient(base_url=url) as raw:
        await client.login(**LOGIN)
        await raw.post("authentication/login/", json=LOGIN)

        async def http_get() -> object:
            return (await client.http_get(WHOAMI)).json()

        async def retrieve() -> object:
            return await client.retrieve_cluster(pk=1)

        async def raw_get() -> object:
            return (await raw.get(WHOAMI)).json()

        async def raw_retrieve() -> object:
            return (await raw.get(CLUSTER)).json()

        actions = {"http_get": http_get, "retrieve": retrieve, "raw get": raw_get, "raw retrieve": raw_retrieve}
        one = await timed_async(actions, ROUNDS, EACH)
        many = await timed_async(
            {
                "ours": lambda: asyncio.gather(*(http_get() for _ in range(AT_ONCE))),
                "raw": lambda: asyncio.gather(*(raw_get() for _ in range(AT_ONCE))),
            },
            ROUNDS // 3,
        )
    report("async http_get / httpx.AsyncClient.get", one["http_get"], one["raw get"], BAR)
    report("async retrieve_cluster(pk) / httpx.AsyncClient.get", one["retrieve"], one["raw retrieve"], BAR)
    report(f"async {AT_ONCE} at once / httpx.AsyncClient", many["ours"], many["raw"], BAR_AT_ONCE)


if __name__ == "__main__":
    with running() as server:
        sync(server)
        asyncio.run(asynchronous(server))
