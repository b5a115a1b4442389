"""Reset clients in a forked child process.

The child must not use the connections, which it shares with its parent, nor the locks, which a thread of the parent may
have held at the fork and which nobody in the child will ever release.
"""

import functools
import os
import warnings
import weakref
from typing import Final, Protocol


class Inherited(Protocol):
    """An object that needs a reset in a forked child."""

    def _after_fork(self) -> None:
        """Replace connections and locks by new ones, without touching those of the parent."""


_INHERITED: Final[weakref.WeakSet[Inherited]] = weakref.WeakSet()


def watch(inherited: Inherited) -> None:
    """Reset an object in every process that is forked from this one."""
    _hook()
    _INHERITED.add(inherited)


@functools.lru_cache(1)
def _hook() -> None:
    if hasattr(os, "register_at_fork"):  # Windows has neither this nor fork
        os.register_at_fork(after_in_child=_begin_anew)


def _begin_anew() -> None:
    with warnings.catch_warnings():  # not safe with threads, but the child has only this one yet
        # Dropping the inherited connections closes the child's copies of the sockets; those of the parent stay open.
        warnings.simplefilter("ignore", ResourceWarning)
        for inherited in list(_INHERITED):
            inherited._after_fork()
