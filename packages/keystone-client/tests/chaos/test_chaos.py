"""No record is lost, written twice or read wrong, whatever network faults occur between the client and the server.

The run in the test suite is short; ``hatch run chaos`` runs it with more seeds and operations.
"""

import os
import threading
import time
from collections.abc import Coroutine
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient, RetryPolicy
from keystone_client_testing import FakeKeystone

from .promises import Worker, compare, settle
from .proxy import FAULTS, PASSING, Proxy

FIRST = int(os.environ.get("CHAOS_SEED", "1"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("CHAOS_SEEDS", "1")))
OPERATIONS = int(os.environ.get("CHAOS_OPERATIONS", "240"))
THREADS, TASKS = 4, 200
BACKENDS = ["asyncio", "trio"]
RATE = 1 / 6
OPTIONS: dict[str, Any] = {
    # Only answers are delayed. The rest gets more time, because a busy machine is not a fault.
    "timeout": httpx.Timeout(60, read=1),
    "retry": RetryPolicy(attempts=3, backoff=0.005, max_backoff=0.02),
}


SHORT = 0.01
"""Seconds; the longest wait here. A bulk operation that is throttled would wait a minute."""


def nap(seconds: float) -> None:
    time.sleep(min(seconds, SHORT))


async def nap_async(seconds: float) -> None:
    await anyio.sleep(min(seconds, SHORT))


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never suspends."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("a sync client has waited")


def threaded(proxy: Proxy, make: Any, operations: int) -> list[Worker]:
    errors: list[BaseException] = []

    def run(worker: Worker) -> None:
        try:
            finish(worker.work(operations // THREADS))
        except BaseException as error:  # noqa: BLE001 - raised again once all threads have ended
            errors.append(error)

    with KeystoneClient(proxy.url, **OPTIONS) as client:
        client._driver.sleep = nap
        client.login("admin", "quickstart")
        proxy.rate = RATE
        workers = [make(client, number) for number in range(THREADS)]
        threads = [threading.Thread(target=run, args=(worker,), daemon=True) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60 + operations)
        assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]
    return workers


async def tasked(proxy: Proxy, make: Any, operations: int) -> list[Worker]:
    async with AsyncKeystoneClient(proxy.url, **OPTIONS) as client:
        client._driver.sleep = nap_async
        await client.login("admin", "quickstart")
        proxy.rate = RATE
        workers = [make(client, number) for number in range(TASKS)]
        async with anyio.create_task_group() as group:
            for worker in workers:
                group.start_soon(worker.work, max(1, operations // TASKS))
    return workers


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("colour", ["sync", *BACKENDS])
def test_faults_in_one_request_of_six_violate_no_guarantee(colour: str, seed: int) -> None:
    fake = FakeKeystone()
    settled, team = settle(fake)

    def make(client: Any, number: int) -> Worker:
        return Worker(client, number, seed, settled, team)

    # On trio, httpx leaves generators unclosed when it cannot decompress an answer, and trio warns on their collection.
    faults = [name for name in FAULTS if colour != "trio" or name != "not packed"]
    with fake.serve() as url, Proxy(url, seed=seed, faults=faults) as proxy:
        if colour == "sync":
            workers = threaded(proxy, make, OPERATIONS)
        else:
            workers = anyio.run(tasked, proxy, make, OPERATIONS, backend=colour)
        played = proxy.done
    compare(fake, workers)
    print(f"{colour}, seed {seed}: {sum(played.values())} requests, {dict(played)}")
    assert sum(worker.failed for worker in workers) < OPERATIONS * 0.9
    assert len(set(played) - {""}) > len(FAULTS) / 2


RECORDS = 5000


@pytest.fixture(scope="module")
def many() -> FakeKeystone:
    fake = FakeKeystone()
    for number in range(RECORDS):
        fake.add.cluster(name=f"cluster {number}", description=f"kind {number % 10}")
    return fake


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("colour", "order"), [("sync", None), ("async", "description")])
def test_a_listing_is_complete_and_exact_while_one_answer_in_ten_is_a_fault(
    colour: str, order: str | None, seed: int, many: FakeKeystone
) -> None:
    # With 250 pages, fewer than 3 faults would not be chance.
    options: dict[str, Any] = {**OPTIONS, "page_size": 20, "retry": RetryPolicy(attempts=8, backoff=0.005)}

    async def listed(url: str) -> list[Any]:
        async with AsyncKeystoneClient(url, **options) as client:
            await client.login("admin", "quickstart")
            proxy.rate = 0.1
            return await client.retrieve_cluster(order=order)

    with many.serve() as url, Proxy(url, seed=seed, faults=PASSING) as proxy:
        if colour == "sync":
            with KeystoneClient(proxy.url, **options) as client:
                client.login("admin", "quickstart")
                proxy.rate = 0.1
                found = client.retrieve_cluster(order=order)
        else:
            found = anyio.run(listed, proxy.url)
        played = proxy.done
    keys = [record["id"] for record in found]
    assert keys == sorted(range(1, RECORDS + 1), key=lambda key: ((key - 1) % 10 if order else 0, key))
    assert [record["name"] for record in found] == [f"cluster {key - 1}" for key in keys]
    assert sum(played.values()) - played[""] >= 3
