"""Measures building a second client against building an ``httpx.Client``.

Most of that time goes into the TLS context, which the clients share.

python benchmarks/build.py
"""

import asyncio

import httpx
from compare import report, timed
from keystone_client import AsyncKeystoneClient, KeystoneClient

BAR = 1 / 20


def raw() -> None:
    """Build and close a client of httpx."""
    httpx.Client().close()


def ours(url: str) -> None:
    """Build and close a sync client of ours."""
    KeystoneClient(url=url).close()


async def ours_async(url: str) -> None:
    """Build and close an async client of ours."""
    await AsyncKeystoneClient(url=url).close()


if __name__ == "__main__":
    with asyncio.Runner() as runner:
        took = timed(
            {
                "httpx": raw,
                "http": lambda: ours("http://localhost:8000"),
                "https": lambda: ours("https://keystone.example.org"),
                "async": lambda: runner.run(ours_async("https://keystone.example.org")),
            },
            rounds=40,
        )
    report("a second KeystoneClient over http / httpx.Client()", took["http"], took["httpx"], BAR)
    report("a second KeystoneClient over https / httpx.Client()", took["https"], took["httpx"], BAR)
    report("a second AsyncKeystoneClient over https / httpx.Client()", took["async"], took["httpx"], BAR)
