"""Measures how many calls succeed during an outage with a hundred callers, and how many requests they need.

    python benchmarks/outage.py [--seconds 5] [--tasks 100]

For the first half of the outage the server resets its open connections and refuses new ones, as during a restart. For
the second half it answers 503, as a reverse proxy in front of it would. The callers are threads, asyncio tasks and trio
tasks in turn. Exits with status 1 if a call fails, or if there are more than four requests for each successful call.
"""

import argparse
import asyncio
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import anyio
import loopback
from keystone_client import AsyncKeystoneClient, KeystoneClient, RetryPolicy

MOST = 4.0
"""The most requests allowed for each successful call."""
CALLS = 5
"""The number of calls of each caller."""
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"


class Server:
    """The loopback server in a thread, with a method that causes an outage."""

    def __init__(self) -> None:
        """Start the thread and the server."""
        self.port = 0
        self.open: set[asyncio.BaseTransport] = set()
        self.busy = False
        self.listener: asyncio.Server | None = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self._do(self._up())

    def _do(self, act: "Coroutine[Any, Any, None]") -> None:
        asyncio.run_coroutine_threadsafe(act, self.loop).result()

    async def _up(self) -> None:
        server = self

        class Connection(loopback.Connection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                server.open.add(transport)

            def data_received(self, data: bytes) -> None:
                if server.busy:
                    self.transport.write(UNAVAILABLE)
                else:
                    super().data_received(data)

        self.listener = await self.loop.create_server(
            lambda: Connection(0.01), "127.0.0.1", self.port, backlog=1000, reuse_address=True
        )
        self.port = self.listener.sockets[0].getsockname()[1]

    async def _down(self) -> None:
        assert self.listener is not None
        self.listener.close()
        for transport in self.open:
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
        self.open.clear()

    def fail(self, seconds: float) -> None:
        """Be out of service for some seconds: refuse connections, and then answer 503."""
        self._do(self._down())
        time.sleep(seconds / 2)
        self.busy = True
        self._do(self._up())
        time.sleep(seconds / 2)
        self.busy = False

    def stop(self) -> None:
        """Stop the server and end the thread."""
        self._do(self._down())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@contextmanager
def failing(seconds: float) -> Iterator[str]:
    """Yield the URL of a server whose outage begins after 0.3 seconds."""
    server = Server()
    outage = threading.Timer(0.3, server.fail, [seconds])
    outage.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        outage.join()
        server.stop()


class Counted:
    """Counts the requests of a client, including those that never reach a server."""

    def __init__(self, client: KeystoneClient | AsyncKeystoneClient) -> None:
        """Wrap the method that builds requests, which the client calls once for each try."""
        self.requests = 0
        self._build = client._session.builder.build
        client._session.builder.build = self._counted  # type: ignore[assignment,method-assign]

    def _counted(self, *arguments: Any) -> Any:
        self.requests += 1
        return self._build(*arguments)


def threads(url: str, policy: RetryPolicy, tasks: int) -> tuple[int, int]:
    """Call from threads. Return the number of calls that succeeded and the number of requests they needed."""
    with KeystoneClient(url, retry=policy) as client:
        counted = Counted(client)

        def caller(number: int) -> int:
            done = 0
            for _ in range(CALLS):
                done += client.retrieve_cluster(pk=1) is not None
                time.sleep(0.2)
            return done

        with ThreadPoolExecutor(tasks) as pool:
            succeeded = sum(pool.map(caller, range(tasks)))
    return succeeded, counted.requests


async def several(url: str, policy: RetryPolicy, tasks: int) -> tuple[int, int]:
    """Call from tasks. Return the same numbers as ``threads``."""
    succeeded = 0
    async with AsyncKeystoneClient(url, retry=policy) as client:
        counted = Counted(client)

        async def caller() -> None:
            nonlocal succeeded
            for _ in range(CALLS):
                if await client.retrieve_cluster(pk=1) is not None:
                    succeeded += 1
                await anyio.sleep(0.2)

        async with anyio.create_task_group() as group:
            for _ in range(tasks):
                group.start_soon(caller)
    return succeeded, counted.requests


def main() -> int:
    """Measure threads, asyncio and trio. Return the exit status: 1 if a limit is exceeded, else 0."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--tasks", type=int, default=100)
    given = arguments.parse_args()
    policy = RetryPolicy(attempts=10, backoff=given.seconds / 10, max_backoff=given.seconds)
    broken = 0
    for way in ("threads", "asyncio", "trio"):
        with failing(given.seconds) as url:
            if way == "threads":
                succeeded, requests = threads(url, policy, given.tasks)
            else:
                succeeded, requests = anyio.run(several, url, policy, given.tasks, backend=way)
        fine = succeeded == given.tasks * CALLS and requests <= MOST * succeeded
        broken += not fine
        print(
            f"{way:<8} outage of {given.seconds} s under {given.tasks}: {succeeded} of {given.tasks * CALLS} calls, "
            f"{requests / succeeded:.2f} requests each (bar {MOST})  {'ok' if fine else 'MISSED'}"
        )
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main())
