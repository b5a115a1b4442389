"""What a forked child must not use: connections it would share with its parent, and locks nobody will ever release."""

import functools
import os
import warnings
import weakref
from typing import Final, Protocol


class Inherited(Protocol):
    """Something a child finds in its memory."""

    def _after_fork(self) -> None:
        """Begin anew, without touching what the parent uses."""


_INHERITED: Final[weakref.WeakSet[Inherited]] = weakref.WeakSet()


def watch(inherited: Inherited) -> None:
    """Have it begin anew in every child of this process."""
    _hook()
    _INHERITED.add(inherited)


@functools.lru_cache(1)
def _hook() -> None:
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
        os.register_at_fork(after_in_child=_begin_anew)


def _begin_anew() -> None:
    with warnings.catch_warnings():  # the child has no other thread yet
        warnings.simplefilter("ignore", ResourceWarning)  # it closes its copies; the connections stay the parent's
        for inherited in list(_INHERITED):
            inherited._after_fork()
