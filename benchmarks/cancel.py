"""Cancels thousands of calls at random points, on ten connections, and then checks that twenty calls succeed.

    python benchmarks/cancel.py [--calls 2000]

Exits with status 1 if a call is not answered, if a cancelled call takes too long to return, or if a connection stays
open. When many calls are cancelled at once (a storm), the longest return depends mostly on the load of the event loop.
For comparison the script prints the result of the same storm with tasks that only sleep and have nothing to clean up.
"""

import argparse
import contextlib
import os
import random
import sys
import tempfile
from statistics import median
from typing import NamedTuple

import anyio
import httpx
import trustme
import unsteady
from keystone_client import AsyncKeystoneClient, TransportError

AT_ONCE, CONNECTIONS, AFTERWARDS = 40, 10, 20
LIMIT = 0.05
"""The seconds within which a cancelled call must return."""
BODY = b"x" * 4_000_000
"""More than the buffers of a loopback connection hold, so that sending it blocks."""
PATHS = ["version"] * 8 + ["stall"] * 8 + ["half"] * 8 + ["deaf"]


async def call(client: AsyncKeystoneClient, path: str) -> None:
    """Make one call. Errors that the server causes are ignored: only cancelling is measured."""
    with contextlib.suppress(TransportError):
        if path == "deaf":
            await client.http_post(path, files={"file": ("a.txt", BODY)})
        else:
            await client.http_get(path)


async def cancelled(client: AsyncKeystoneClient, path: str, seconds: float) -> float | None:
    """Return the seconds that a call takes to return once it is cancelled, or ``None`` if it ends before that."""
    with anyio.move_on_after(seconds) as scope:
        await call(client, path)
    return anyio.current_time() - scope.deadline if scope.cancelled_caught else None


async def storm(client: AsyncKeystoneClient, paths: list[str], calls: int) -> list[float]:
    """Cancel many calls at once, some while they wait for a connection. Return the seconds each took to return."""
    draw = random.Random(7)
    late: list[float] = []

    async def one() -> None:
        seconds = await cancelled(client, draw.choice(paths), draw.uniform(0, 0.06))
        if seconds is not None:
            late.append(seconds)

    while len(late) < calls:
        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(one)
    return late


async def bare_storm(calls: int) -> float:
    """Return the longest time that a task which only sleeps takes to return in such a storm, in seconds."""
    draw = random.Random(7)
    worst = 0.0

    async def one() -> None:
        nonlocal worst
        with anyio.move_on_after(draw.uniform(0, 0.06)) as scope:
            await anyio.sleep_forever()
        worst = max(worst, anyio.current_time() - scope.deadline)

    for _ in range(calls // AT_ONCE):
        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(one)
    return worst


async def alone(client: AsyncKeystoneClient, paths: list[str]) -> list[float]:
    """Cancel calls one by one, on each of the paths. Return the seconds each took to return."""
    late = [await cancelled(client, path, 0.03) for path in paths for _ in range(20)]
    return [seconds for seconds in late if seconds is not None]


def sockets() -> int:
    """Return the number of open file descriptors; 0 where it cannot be read."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


async def storm_once(url: str, verify: str | bool) -> None:
    """Run a small storm, so that imports and TLS contexts are not measured later."""
    async with AsyncKeystoneClient(url, verify=verify, retry=None) as client:
        await storm(client, ["version", "stall"], 10)


class Measured(NamedTuple):
    """The results for one kind of connection and one event loop."""

    storm: list[float]
    """The seconds that each call took to return in a storm."""
    alone: list[float]
    """The seconds that each call took to return when it was cancelled by itself."""
    bare: float
    """The longest time that a task which only sleeps took to return, in seconds."""
    answered: int
    """The number of calls that succeeded after the storms."""
    left: int
    """The number of file descriptors that stayed open."""


async def measure(url: str, mute: str, verify: str | bool, calls: int) -> Measured:
    """Cancel calls in storms and one by one, and then count the calls that succeed."""
    limits = httpx.Limits(max_connections=CONNECTIONS)
    before = sockets()
    async with (
        AsyncKeystoneClient(url, limits=limits, verify=verify, retry=None, timeout=5) as client,
        AsyncKeystoneClient(mute, limits=limits, verify=False, retry=None) as shaking_hands,
    ):
        late = await storm(client, PATHS, calls) + await storm(shaking_hands, ["version"], calls // 10)
        each = await alone(client, ["stall", "half", "deaf"]) + await alone(shaking_hands, ["version"])
        answers = [await client.http_get("version") for _ in range(AFTERWARDS)]
    await anyio.sleep(0.1)  # asyncio closes sockets in a later iteration of its loop
    answered = sum(answer.status_code == 200 for answer in answers)
    return Measured(late, each, await bare_storm(calls), answered, sockets() - before)


def report(way: str, measured: Measured) -> bool:
    """Print the results. Return whether all of them are within the limits."""
    storm, alone, bare, answered, left = measured
    kept = answered == AFTERWARDS and max(alone) <= LIMIT and left <= 0
    print(
        f"{way:<14} {len(storm):6,} cancelled, then {answered} of {AFTERWARDS} answered; {left} descriptors left; "
        f"returned one by one within {max(alone) * 1000:.1f} ms (bar {LIMIT * 1000:.0f}), in the storm within "
        f"{max(storm) * 1000:.1f} ms (median {median(storm) * 1000:.1f}, tasks that sleep {bare * 1000:.1f})  "
        f"{'ok' if kept else 'MISSED'}"
    )
    return kept


def main() -> int:
    """Measure each kind of connection and event loop. Return the exit status: 1 if a limit is exceeded, else 0."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=2000)
    calls = arguments.parse_args().calls
    kept = []
    with tempfile.TemporaryDirectory() as folder:
        authority, own = os.path.join(folder, "ca.pem"), os.path.join(folder, "server.pem")
        issuer = trustme.CA()
        issuer.cert_pem.write_to_path(authority)
        issuer.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(own)
        for kind, certificate, verify in (("plain", None, True), ("TLS", own, authority)):
            for backend in ("asyncio", "trio"):
                with unsteady.running(certificate) as (url, mute):
                    anyio.run(storm_once, url, verify, backend=backend)
                    measured = anyio.run(measure, url, mute, verify, calls, backend=backend)
                kept.append(report(f"{kind}, {backend}", measured))
    return not all(kept)


if __name__ == "__main__":
    sys.exit(main())
