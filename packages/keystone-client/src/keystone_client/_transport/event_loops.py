"""What belongs to one event loop: its connections, and how to reach it from elsewhere. On asyncio and trio."""

import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import anyio

from .pool import TaskSlots

OPEN: Final[dict[int, dict[object, "OnLoop"]]] = {}
"""What each client has open: held here, so that no collector takes it before the client itself could close it."""


def on_asyncio() -> bool:
    """Whether this runs in a task of asyncio."""
    asyncio = sys.modules.get("asyncio")  # not imported here: it takes as long as all the rest, and trio needs none
    try:
        return asyncio is not None and asyncio.current_task() is not None
    except RuntimeError:
        return False


def running_loop() -> Any:
    """The event loop that runs."""
    from anyio.lowlevel import current_token  # slow to import, and found at once from the second time on

    token = current_token()
    return getattr(token, "native_token", token)  # bare before anyio 4.11


class OnLoop(NamedTuple):
    """What belongs to one event loop."""

    loop: Any
    slots: TaskSlots
    turn: anyio.Lock

    @property
    def _is_trio(self) -> bool:
        return hasattr(self.loop, "run_sync_soon")

    @property
    def is_gone(self) -> bool:
        """Whether the loop runs no more."""
        return not self._soon(lambda: None)

    def leave(self) -> None:
        """Close the connections from elsewhere: on their loop if it lives, else without it."""
        close = self.slots.aclose
        if self._is_trio:
            alive = self._soon(lambda: sys.modules["trio"].lowlevel.spawn_system_task(close))
        else:
            alive = self._soon(lambda: self.loop.create_task(close()))
        if not alive:
            self.slots.drop()

    def _soon(self, act: Callable[[], object]) -> bool:
        try:
            soon = self.loop.run_sync_soon if self._is_trio else self.loop.call_soon_threadsafe
            soon(act)
        except RuntimeError:  # the loop is closed
            return False
        return True
