"""What an async client keeps for each event loop, on asyncio and trio: a connection pool and a lock.

Connections work only on the loop that opened them, so a client that is used on another loop (a second ``asyncio.run``)
gets another pool there. Closing such a pool from elsewhere, another loop or a finalizer, is done here as well.
"""

import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import anyio

from .async_pool import AsyncPool

OPEN: Final[dict[int, dict[object, "OnLoop"]]] = {}
"""What each client has open, by the client's ``id``.

The reference here keeps the garbage collector from finalizing the connections before the client's ``__del__`` has
closed them.
"""


_CLOSING: Final[set[Any]] = set()
"""The tasks of asyncio that close a pool: the loop itself keeps only a weak reference to a task."""


def _keep(task: Any) -> None:
    _CLOSING.add(task)
    task.add_done_callback(_CLOSING.discard)


def on_asyncio() -> bool:
    """Return whether this runs in a task of asyncio."""
    asyncio = sys.modules.get("asyncio")  # not imported: that takes as long as all the rest, and trio does not need it
    try:
        return asyncio is not None and asyncio.current_task() is not None
    except RuntimeError:
        return False


def running_loop() -> Any:
    """Return the running event loop: the loop itself on asyncio, its token on trio."""
    if on_asyncio():
        return sys.modules["asyncio"].get_running_loop()
    from anyio.lowlevel import current_token  # here because it is slow to import

    token = current_token()
    return getattr(token, "native_token", token)  # before anyio 4.11 the token was the loop itself


class OnLoop(NamedTuple):
    """What an async client keeps for one event loop.

    ``turn`` lets one flow run at a time where a flow asks for that.
    """

    loop: Any
    pool: AsyncPool
    turn: anyio.Lock

    @property
    def _is_trio(self) -> bool:
        return hasattr(self.loop, "run_sync_soon")

    @property
    def is_gone(self) -> bool:
        """Whether the loop is closed."""
        return not self._soon(lambda: None)

    def leave(self) -> None:
        """Close the connections from outside of their loop: in a task on it if it still runs, else by dropping them."""
        close = self.pool.aclose
        if self._is_trio:
            alive = self._soon(lambda: sys.modules["trio"].lowlevel.spawn_system_task(close))
        else:
            alive = self._soon(lambda: _keep(self.loop.create_task(close())))
        if not alive:
            self.pool.drop()

    def _soon(self, act: Callable[[], object]) -> bool:
        """Have the loop call a function, and return whether the loop still takes calls."""
        try:
            soon = self.loop.run_sync_soon if self._is_trio else self.loop.call_soon_threadsafe
            soon(act)
        except RuntimeError:  # the loop is closed
            return False
        return True
