"""Listing 20,000 records at 20 ms latency: against 100 a page, and against the ideal loop (largest pages, by key).

python benchmarks/listing.py
"""

import asyncio
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

import httpx
from compare import report
from keystone_client import AsyncKeystoneClient, KeystoneClient
from loopback import TOTAL, running

LATENCY = 0.02
ROUNDS = 5
LOGIN = {"username": "admin", "password": "quickstart"}
CLUSTERS = "allocations/clusters/"


def by_offset(raw: httpx.Client) -> list[Any]:
    """What the server's own page size leads to: 100 a page, by offset."""
    records: list[Any] = []
    while True:
        page = raw.get(CLUSTERS, params={"_offset": len(records)}).json()
        records += page["results"]
        if page["next"] is None:
            return records


def ideal(raw: httpx.Client) -> list[Any]:
    """The fewest requests there can be, one after the other, and nothing checked."""
    records: list[Any] = []
    last = 0
    while True:
        page = raw.get(CLUSTERS, params={"_limit": 1000, "_order": "id", "id__gt": last}).json()
        records += page["results"]
        if page["next"] is None:
            return records
        last = records[-1]["id"]


async def asynchronous(url: str) -> list[Any]:
    """The listing of the async client."""
    async with AsyncKeystoneClient(url=url) as client:
        await client.login(**LOGIN)
        return list(await client.retrieve_cluster())


def main(url: str) -> None:
    """Measure turn by turn and print the ratios."""
    with KeystoneClient(url=url) as client, httpx.Client(base_url=url) as raw:
        client.login(**LOGIN)
        raw.post("authentication/login/", json=LOGIN)
        ways: dict[str, Callable[[], Sequence[Any]]] = {
            "retrieve_cluster()": client.retrieve_cluster,
            "iterate_cluster()": lambda: list(client.iterate_cluster()),
            "async retrieve_cluster()": lambda: asyncio.run(asynchronous(url)),
            "100 a page": lambda: by_offset(raw),
            "the ideal loop": lambda: ideal(raw),
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(-1, ROUNDS):
            for way, walk in ways.items():
                started = perf_counter()
                assert [record["id"] for record in walk()] == list(range(1, TOTAL + 1))
                if turn >= 0:
                    times[way].append(perf_counter() - started)
    took = {way: median(taken) for way, taken in times.items()}
    for reference, bar in {"100 a page": 1 / 6, "the ideal loop": 1.0}.items():
        for way in list(ways)[:3]:
            report(f"{way} / {reference}", took[way], took[reference], bar)


if __name__ == "__main__":
    with running(LATENCY) as server:
        main(server)
