"""Clocks that tests advance: nothing here waits in real time."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import trio
from keystone_client import KeystoneClient, RetryPolicy
from trio.testing import MockClock

from .scripted import Player, Reply, Scripted, connect


def virtually(test: Callable[[], Awaitable[None]]) -> None:
    """Run on trio with a clock that jumps to the next scheduled event."""
    trio.run(test, clock=MockClock(autojump_threshold=0))


class Time:
    """A simulated clock that is advanced by the test and by waits."""

    def __init__(self, player: Player) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.woken: list[float] = []
        """When each wait ended."""
        player.client._session.clock = lambda: self.now
        player.client._driver.sleep = self.advance if isinstance(player.client, KeystoneClient) else self.sleep

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)
        self.woken.append(self.now)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def taking(self, seconds: float, reply: Reply) -> Reply:
        def late(request: httpx.Request) -> httpx.Response:
            self.now += seconds
            return reply(request)

        return late


def timed(colour: str, **policy: Any) -> tuple[Player, Scripted, Time]:
    wire = Scripted()
    player = connect(colour, wire, retry=RetryPolicy(**policy))
    return player, wire, Time(player)
