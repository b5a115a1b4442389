"""Keeps secrets out of tracebacks: many tools print the local variables of every frame, passwords and cookies too.

Only what an exception leaves behind is touched, when it leaves; the frames of the caller are not ours to clear.
"""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from traceback import walk_tb
from typing import Any, TypeVar, cast

from ._network_errors import causes

CLEARED = frozenset(
    {"keystone_client", "keystone_client_core", "json", "httpx", "httpcore", "h11", "anyio", "trio", "ssl"}
)
"""The packages through which a request goes, from the call of the user to the socket."""

Method = TypeVar("Method", bound=Callable[..., Any])


def forget_locals(error: BaseException) -> None:
    """Clear the local variables of the frames an exception has left, and those of what caused it."""
    for link in causes(error):
        for frame, _ in walk_tb(link.__traceback__):
            if frame.f_globals.get("__name__", "").partition(".")[0] in CLEARED:
                try:
                    frame.clear()
                except RuntimeError:  # it still runs
                    continue


def redacted(method: Method) -> Method:
    """Let a method whose arguments are secrets leave no variables behind when it raises."""
    wrapper = _redacted_async(method) if iscoroutinefunction(method) else _redacted(method)
    return cast(Method, wraps(method)(wrapper))


def _redacted(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except BaseException as error:
            forget_locals(error)
            del args, kwargs
            raise

    return call


def _redacted_async(method: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await method(*args, **kwargs)
        except BaseException as error:
            forget_locals(error)
            del args, kwargs
            raise

    return call
