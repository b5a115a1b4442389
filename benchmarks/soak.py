"""Checks that memory and file descriptors do not grow over many calls of one sync client and one async client.

    python benchmarks/soak.py [--calls 200000] [--minutes 20]

Each client makes half of the calls: they read, list, create and log in again, and some are cancelled or time out. Exits
with status 1 if memory or descriptors grow after the warm-up. If the time is over first, it prints the number of calls
that were made.
"""

import argparse
import asyncio
import contextlib
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from keystone_client import AsyncKeystoneClient, KeystoneClient, TransportError
from loopback import running

MEGABYTES = 2.0
"""The most that memory may grow after the warm-up."""
AT_ONCE = 20
PAGE = os.sysconf("SC_PAGE_SIZE")
QUICK = httpx.Timeout(5, read=0.000001)
LOGIN = {"username": "admin", "password": "quickstart"}


def memory() -> float:
    """Return the resident memory of this process in MB, after a garbage collection."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6


def descriptors() -> int:
    """Return the number of open file descriptors."""
    return len(os.listdir("/proc/self/fd"))


def sync_round(client: KeystoneClient) -> int:
    """Make ten calls, one of which times out, and return their number."""
    with contextlib.suppress(TransportError):
        client.http_get("version", timeout=QUICK)
    for key in range(1, 7):
        client.retrieve_cluster(pk=key)
    client.create_cluster(name="new")
    client.login(**LOGIN)
    client.retrieve_cluster(filters={"id__gt": 19_995})
    return 10


async def async_round(client: AsyncKeystoneClient) -> int:
    """Make ten calls in each of twenty tasks, some of which are cancelled, and return their number."""

    async def given_up(number: int) -> None:
        with contextlib.suppress(TransportError, TimeoutError):
            await asyncio.wait_for(client.http_get("version"), number * 0.0005)

    async def calls(number: int) -> None:
        await given_up(number)
        for key in range(1, 7):
            await client.retrieve_cluster(pk=key)
        await client.create_cluster(name="new")
        await client.login(**LOGIN)
        await client.retrieve_cluster(filters={"id__gt": 19_995})

    await asyncio.gather(*map(calls, range(AT_ONCE)))
    return 10 * AT_ONCE


async def soaked(play: Callable[[], Awaitable[int]], calls: int, end: float) -> tuple[int, float, int]:
    """Play rounds until there were enough calls or the time is over.

    Returns:
        The number of calls after the warm-up, and the growth of memory in MB and of descriptors.
    """
    for much in (calls // 10, calls):  # the first is the warm-up
        before, opened, done = memory(), descriptors(), 0
        while done < much and time.monotonic() < end:
            done += await play()
    return done, memory() - before, descriptors() - opened


def report(colour: str, done: int, grown: float, opened: int, seconds: float) -> bool:
    """Print the growth. Return whether it is within the limits."""
    fine = grown < MEGABYTES and opened <= 0
    print(
        f"{colour:<6} {done:8,} calls in {seconds:5.0f} s: memory {grown:+.2f} MB (bar {MEGABYTES}), "
        f"descriptors {opened:+d}  {'ok' if fine else 'MISSED'}",
        flush=True,
    )
    return fine


async def main() -> int:
    """Test one client after the other. Return the exit status: 1 if a limit is exceeded, else 0."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=200_000)
    arguments.add_argument("--minutes", type=float, default=20)
    given = arguments.parse_args()
    calls, minutes = given.calls // 2, given.minutes / 2
    fine = []
    with running() as url:
        with KeystoneClient(url) as client:

            async def sync() -> int:
                return sync_round(client)

            started = time.monotonic()
            measured = await soaked(sync, calls, started + minutes * 60)
            fine.append(report("sync", *measured, time.monotonic() - started))
        async with AsyncKeystoneClient(url) as other:
            started = time.monotonic()
            measured = await soaked(lambda: async_round(other), calls, started + minutes * 60)
            fine.append(report("async", *measured, time.monotonic() - started))
    return not all(fine)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
