"""Measures how time and memory grow: with the records of a listing, with calls at once, with threads, with a bulk.

    python benchmarks/growth.py [--write]      # takes some minutes; --write puts the tables into docs/benchmarks.md

Each row has the same work with plain httpx beside it, measured in turns with it. Times are those that this process has
worked, so that neither the server nor other work on the machine counts. Memory is what the process takes at most beyond
what it took before, in a process of its own for each row, because memory that was freed is taken again.
"""

import asyncio
import gc
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import httpx
import many_records
from compare import timed, timed_async
from keystone_client import AsyncKeystoneClient, KeystoneClient
from loopback import running
from tables import Report, machine, table

RECORDS = (1_000, 10_000, 100_000, 1_000_000)
AT_ONCE = (1, 10, 50, 100, 200, 500, 1000)
THREADS = (1, 2, 4, 8, 16, 32, 64)
IN_BULK = (10, 100, 1_000, 10_000)
ORDERS = {"": "none", "name": "`name`"}
BAR_MEMORY = 12.0
"""MiB by which memory may grow when a million records are iterated without an order."""
ENOUGH = 50_000
"""How many records, or a fiftieth as many calls, are measured at least: what takes less is repeated."""
TIMEOUT = 600
"""Seconds; with its default of 5, httpx gives up on some of 1,000 calls at once."""
KEEPING = httpx.Limits(max_connections=100, max_keepalive_connections=100)
"""For httpx with threads: it keeps 20 connections otherwise, and closes others that a thread may still read from."""
LOGIN = {"username": "admin", "password": "quickstart"}
CLUSTERS = "allocations/clusters/"
LARGEST = many_records.LARGEST


def by_key(raw: httpx.Client) -> Iterable[Any]:
    """Iterate over all records by key, with plain httpx and without checks."""
    last = 0
    while True:
        page = raw.get(CLUSTERS, params={"_limit": LARGEST, "_order": "id", "id__gt": last}).json()
        yield from page["results"]
        if page["next"] is None:
            return
        last = page["results"][-1]["id"]


def by_offset(raw: httpx.Client) -> Iterable[Any]:
    """Iterate over all records in an order, with plain httpx and without checks."""
    offset = 0
    while True:
        page = raw.get(CLUSTERS, params={"_limit": LARGEST, "_order": "name,id", "_offset": offset}).json()
        yield from page["results"]
        if page["next"] is None:
            return
        offset += LARGEST


def count(records: Iterable[Any]) -> int:
    """Return how many records there are, without keeping them."""
    return sum(1 for _ in records)


def status(name: str) -> float:
    """Return a line of this process's status in MiB: ``VmRSS``, its memory now, or ``VmHWM``, the most it has had."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise LookupError(f"/proc/self/status has no {name}: memory is measured on Linux alone")


def iterated(url: str, number: int, order: str) -> tuple[float, float, float]:
    """Iterate over a listing, with the client and with plain httpx.

    Returns:
        Microseconds a record with the client and with httpx, and the growth of memory in MiB with the client.
    """
    given: dict[str, Any] = {"order": order} if order else {}
    walk = by_offset if order else by_key
    with KeystoneClient(f"{url}/{number}") as client, httpx.Client(base_url=f"{url}/{number}") as raw:
        client.retrieve_cluster(pk=1)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most memory so far is that of now
        before = status("VmRSS")
        assert count(client.iterate_cluster(**given)) == number
        grown = status("VmHWM") - before
        ours, theirs = [], []
        for _ in range(max(ENOUGH // number, 1)):
            ours.append(seconds(lambda: client.iterate_cluster(**given)))
            theirs.append(seconds(lambda: walk(raw)))
    return median(ours) / number * 1e6, median(theirs) / number * 1e6, grown


def seconds(records: Callable[[], Iterable[Any]]) -> float:
    """Return how long this process works to iterate over records."""
    started = process_time()
    count(records())
    return process_time() - started


def iterations(url: str) -> str:
    """Return the table of listings."""
    rows = []
    new = multiprocessing.get_context("spawn")
    for order, shown in ORDERS.items():
        for number in RECORDS:
            with ProcessPoolExecutor(1, mp_context=new) as process:
                ours, theirs, grown = process.submit(iterated, url, number, order).result()
            rows.append([f"{number:,}", shown, *compared(ours, theirs), f"{grown:,.1f} MiB"])
            if number == max(RECORDS) and not order:
                verdict = "ok" if grown <= BAR_MEMORY else "MISSED"
                print(f"iterate {number:,} records: memory +{grown:.1f} MiB (bar {BAR_MEMORY})  {verdict}", flush=True)
    return table(["records", "order", "a record", "httpx", "ratio", "memory"], rows)


def compared(ours: float, theirs: float) -> list[str]:
    """Return the cells of a comparison: both times in microseconds, and their ratio."""
    return [f"{ours:,.1f} µs", f"{theirs:,.1f} µs", f"{ours / theirs:.2f}"]


async def at_once(url: str) -> str:
    """Return the table of async calls at once."""
    rows = []
    for number in AT_ONCE:
        async with (
            AsyncKeystoneClient(url, timeout=TIMEOUT) as client,
            httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as raw,
        ):

            async def ours(client: AsyncKeystoneClient = client, number: int = number) -> None:
                await asyncio.gather(*(client.retrieve_cluster(pk=1) for _ in range(number)))

            async def theirs(raw: httpx.AsyncClient = raw, number: int = number) -> None:
                await asyncio.gather(*(fetch(raw) for _ in range(number)))

            took = await timed_async(
                {"ours": ours, "theirs": theirs}, rounds=max(ENOUGH // 50 // number, 3), clock=process_time
            )
        rows.append([f"{number:,}", *compared(took["ours"] / number * 1e6, took["theirs"] / number * 1e6)])
    return table(["calls at once", "a call", "httpx", "ratio"], rows)


async def fetch(raw: httpx.AsyncClient) -> object:
    """Fetch a record with plain httpx."""
    return (await raw.get(f"{CLUSTERS}1/")).json()


def threads(url: str) -> str:
    """Return the table of threads that share a client."""
    rows = []
    for number in THREADS:
        each = max(ENOUGH // 250 // number, 5)
        with (
            KeystoneClient(url, timeout=TIMEOUT) as client,
            httpx.Client(base_url=url, timeout=TIMEOUT, limits=KEEPING) as raw,
            ThreadPoolExecutor(number) as pool,
        ):

            def ours(client: KeystoneClient = client) -> object:
                return client.retrieve_cluster(pk=1)

            def theirs(raw: httpx.Client = raw) -> object:
                return raw.get(f"{CLUSTERS}1/").json()

            def all_at_once(
                call: Callable[[], object],
                pool: ThreadPoolExecutor = pool,
                number: int = number,
                each: int = each,
            ) -> None:
                for done in [pool.submit(repeat, call, each) for _ in range(number)]:
                    done.result()

            took = timed(
                {"ours": lambda: all_at_once(ours), "theirs": lambda: all_at_once(theirs)},
                rounds=15,
                clock=process_time,
            )
        calls = number * each
        rows.append([str(number), *compared(took["ours"] / calls * 1e6, took["theirs"] / calls * 1e6)])
    return table(["threads", "a call", "httpx", "ratio"], rows)


def repeat(call: Callable[[], object], times: int) -> None:
    """Make a call so many times."""
    for _ in range(times):
        call()


def bulks(url: str) -> str:
    """Return the table of records created in bulk."""
    rows = []
    with KeystoneClient(url) as client, httpx.Client(base_url=url) as raw:
        client.login(**LOGIN)
        for number in IN_BULK:
            values: list[Any] = [{"name": f"cluster-{place}"} for place in range(number)]
            took = timed(
                {"ours": lambda: client.bulk_create_cluster(values), "theirs": lambda: in_jobs(raw, values)},  # noqa: B023 - called at once
                rounds=max(ENOUGH // 5 // number, 3),
                clock=process_time,
            )
            rows.append([f"{number:,}", *compared(took["ours"] / number * 1e6, took["theirs"] / number * 1e6)])
    return table(["records", "a record", "httpx", "ratio"], rows)


def in_jobs(raw: httpx.Client, values: Iterable[Any]) -> list[Any]:
    """Create records with plain httpx, in jobs of the same size as the client's largest, and without checks."""
    found: list[Any] = []
    rest = iter(values)
    while chunk := list(islice(rest, 100)):
        actions = [{"method": "POST", "path": f"/{CLUSTERS}", "payload": value} for value in chunk]
        answer = raw.post("batch/", json={"job": {"dry_run": False, "actions": actions}}).json()
        found += [step["body"] for step in answer["results"]]
    return found


def main() -> None:
    """Measure, print and write the tables."""
    report = Report(__doc__)
    report.add("machine", f"Measured on {machine()}.")
    with running(script=many_records.__file__) as url:
        report.add("iterate", iterations(url))
        report.add("at once", asyncio.run(at_once(f"{url}/1")))
        report.add("threads", threads(f"{url}/1"))
        report.add("bulk", bulks(f"{url}/1"))


if __name__ == "__main__":
    main()
