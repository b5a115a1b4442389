"""One blocking interface to both clients, so that each test is written once."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import anyio


def blocking(result: Any) -> Any:
    """Return what a method of a client returned, once it is there; an iteration as a list."""
    if isinstance(result, AsyncIterator):
        return anyio.run(_collected, result)
    if isinstance(result, Awaitable):
        return anyio.run(_awaited, result)
    return list(result) if isinstance(result, Iterator) else result


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


async def _collected(records: AsyncIterator[Any]) -> list[Any]:
    return [record async for record in records]


class Blocking:
    """A sync or async client whose methods block."""

    def __init__(self, client: Any) -> None:
        self.client: Any = client

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.client, name)
        if not callable(attribute):
            return attribute
        return lambda *args, **options: blocking(attribute(*args, **options))


def client_of(fake: Any, colour: str, **options: Any) -> Blocking:
    """Return a logged-in client of a fake, by default that of its admin."""
    return Blocking(fake.client(**options) if colour == "sync" else fake.async_client(**options))
