"""Measures a call of the client against the same request with plain httpx, logged in, with the JSON decoded.

    python benchmarks/call.py

The client depends on sniffio, because httpcore 1.0.9 tries to import it at each lock, event and shield; who installs
httpx alone has no sniffio, and httpcore looks for it in vain each time. One async call at a time is measured with
sniffio on both sides. Many at once are measured as the users of each side have it: the loop over plain httpx runs with
sniffio hidden.
"""

import asyncio
import sys
import sysconfig
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import httpx
from compare import report, timed, timed_async
from keystone_client import AsyncKeystoneClient, KeystoneClient
from loopback import running

ROUNDS, EACH = 60, 20
LOGIN = {"username": "admin", "password": "quickstart"}
CLUSTERS = "allocations/clusters/"
CLUSTER = f"{CLUSTERS}1/"
NEW = {"name": "cluster-1"}
WHOAMI = "authentication/whoami/"
CID = "01234567-89ab-4def-8123-456789abcdef"
BARS = {"http_get": 0.6, "retrieve": 0.58, "create": 0.66}
BAR_ASYNC = 0.54
BARS_AT_ONCE = {50: (0.30, 20), 100: (0.28, 14), 1000: (0.30, 3)}
"""How many calls at once, each with the largest ratio allowed and the number of rounds."""
BAR_OPTIONS = 1.05
TIMEOUT = 60
"""Seconds; with its default of 5, httpx gives up on some of 1,000 calls at once."""


class WithoutSniffio:
    """A finder that has httpcore look for sniffio as on a machine without it: in the standard paths, and in vain."""

    PATHS = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib"))

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise an error for sniffio, after the search for a module that is not there."""
        if name == "sniffio":
            PathFinder.find_spec("not_installed", cls.PATHS)
            raise ModuleNotFoundError("No module named 'sniffio'", name=name)
        return None


@contextmanager
def without_sniffio() -> Iterator[None]:
    """Hide sniffio inside the block."""
    module = sys.modules.pop("sniffio")
    sys.meta_path.insert(0, WithoutSniffio)
    try:
        yield
    finally:
        sys.meta_path.remove(WithoutSniffio)
        sys.modules["sniffio"] = module


def sync(url: str) -> None:
    """Compare the sync client with ``httpx.Client``."""
    with KeystoneClient(url=url) as client, httpx.Client(base_url=url) as raw:
        client.login(**LOGIN)
        raw.post("authentication/login/", json=LOGIN)
        raw.headers["X-CSRFToken"] = raw.cookies["csrftoken"]
        took = timed(
            {
                "http_get": lambda: client.http_get(WHOAMI).json(),
                "retrieve": lambda: client.retrieve_cluster(pk=1),
                "with options": lambda: client.with_options(timeout=10, cid=CID).retrieve_cluster(pk=1),
                "create": lambda: client.create_cluster(name="cluster-1"),
                "raw http_get": lambda: raw.get(WHOAMI).json(),
                "raw retrieve": lambda: raw.get(CLUSTER).json(),
                "raw create": lambda: raw.post(CLUSTERS, json=NEW).json(),
            },
            ROUNDS,
            EACH,
        )
    for call, bar in BARS.items():
        report(f"sync {call} / httpx.Client", took[call], took[f"raw {call}"], bar)
    report("sync with_options(timeout, cid) / without", took["with options"], took["retrieve"], BAR_OPTIONS)


def at_once(call: Callable[[], Awaitable[object]], count: int) -> Callable[[], Awaitable[object]]:
    """Return a function that makes so many calls at once."""

    async def make() -> None:
        await asyncio.gather(*(call() for _ in range(count)))

    return make


async def asynchronous(url: str) -> None:
    """Compare the async client with ``httpx.AsyncClient``, with one call at a time and with many at once."""
    async with (
        AsyncKeystoneClient(url=url, timeout=TIMEOUT) as client,
        httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as raw,
    ):
        await client.login(**LOGIN)
        await raw.post("authentication/login/", json=LOGIN)

        async def retrieve() -> object:
            return await client.retrieve_cluster(pk=1)

        async def raw_retrieve() -> object:
            return (await raw.get(CLUSTER)).json()

        took = await timed_async({"ours": retrieve, "theirs": raw_retrieve}, ROUNDS, EACH)
        report("async retrieve / httpx.AsyncClient", took["ours"], took["theirs"], BAR_ASYNC)
        for count, (bar, rounds) in BARS_AT_ONCE.items():
            many = at_once(raw_retrieve, count)

            async def as_installed(many: Callable[[], Awaitable[object]] = many) -> None:
                with without_sniffio():
                    await many()

            took = await timed_async({"ours": at_once(retrieve, count), "theirs": as_installed}, rounds)
            report(f"async {count:,} at once / httpx.AsyncClient as installed", took["ours"], took["theirs"], bar)


if __name__ == "__main__":
    with running() as server:
        sync(server)
        asyncio.run(asynchronous(server))
