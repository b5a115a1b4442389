"""Measures listing 20,000 records at 20 ms latency, against two loops over plain httpx.

One loop uses the server's default of 100 records a page. The other is ideal: the largest pages, by key, unchecked.

python benchmarks/listing.py
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import Any

import httpx
from compare import report
from keystone_client import AsyncKeystoneClient, KeystoneClient
from loopback import TOTAL, running

LATENCY = 0.02
ROUNDS = 5
BARS = [
    ("retrieve_cluster()", "100 a page", 1 / 6),
    ("iterate_cluster()", "100 a page", 1 / 6),
    ("async retrieve_cluster()", "100 a page", 1 / 6),
    ("retrieve_cluster()", "the ideal loop", 1.0),
    ("iterate_cluster()", "the ideal loop", 1.0),
    ("async retrieve_cluster()", "the ideal async loop", 1.0),
]
"""The comparisons, each with the largest ratio allowed. The async client is compared with the async ideal loop."""

LOGIN = {"username": "admin", "password": "quickstart"}
CLUSTERS = "allocations/clusters/"


def by_offset(raw: httpx.Client) -> list[Any]:
    """List all records by offset, with the server's default of 100 records a page."""
    records: list[Any] = []
    while True:
        page = raw.get(CLUSTERS, params={"_offset": len(records)}).json()
        records += page["results"]
        if page["next"] is None:
            return records


def ideal(raw: httpx.Client) -> list[Any]:
    """List all records with the fewest requests possible, one after the other and without any checks."""
    records: list[Any] = []
    last = 0
    while True:
        page = raw.get(CLUSTERS, params={"_limit": 1000, "_order": "id", "id__gt": last}).json()
        records += page["results"]
        if page["next"] is None:
            return records
        last = records[-1]["id"]


async def ideal_async(raw: httpx.AsyncClient) -> list[Any]:
    """Do the same as ``ideal`` with ``httpx.AsyncClient``."""
    records: list[Any] = []
    last = 0
    while True:
        page = (await raw.get(CLUSTERS, params={"_limit": 1000, "_order": "id", "id__gt": last})).json()
        records += page["results"]
        if page["next"] is None:
            return records
        last = records[-1]["id"]


def measured(ways: Mapping[str, Callable[[], Sequence[Any]]]) -> dict[str, float]:
    """Return the median time of each way in seconds. The ways take turns, with one turn to warm up.

    Raises:
        AssertionError: A way does not return every record once, in the order of the keys.
    """
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(-1, ROUNDS):
        for way, walk in ways.items():
            started = perf_counter()
            assert [record["id"] for record in walk()] == list(range(1, TOTAL + 1))
            if turn >= 0:
                times[way].append(perf_counter() - started)
    return {way: median(taken) for way, taken in times.items()}


def main(url: str) -> None:
    """Measure the ways in turns and print the ratios."""
    with KeystoneClient(url=url) as client, httpx.Client(base_url=url) as raw, asyncio.Runner() as runner:
        later, raw_later = AsyncKeystoneClient(url=url), httpx.AsyncClient(base_url=url)
        client.login(**LOGIN)
        raw.post("authentication/login/", json=LOGIN)
        runner.run(later.login(**LOGIN))
        runner.run(raw_later.post("authentication/login/", json=LOGIN))
        took = measured(
            {
                "retrieve_cluster()": client.retrieve_cluster,
                "iterate_cluster()": lambda: list(client.iterate_cluster()),
                "async retrieve_cluster()": lambda: runner.run(later.retrieve_cluster()),
                "100 a page": lambda: by_offset(raw),
                "the ideal loop": lambda: ideal(raw),
                "the ideal async loop": lambda: runner.run(ideal_async(raw_later)),
            }
        )
        runner.run(later.close())
        runner.run(raw_later.aclose())
    for way, reference, bar in BARS:
        report(f"{way} / {reference}", took[way], took[reference], bar)


if __name__ == "__main__":
    with running(LATENCY) as server:
        main(server)
