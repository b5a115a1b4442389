"""Keep secrets out of tracebacks: many tools print the local variables of every frame, passwords and cookies included.

When an exception leaves a method of the client, the frames it has passed through are cleared. Only frames of the client
and of the libraries below it: the caller's own variables are left alone.
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
"""The packages that a request passes through, from the caller to the socket."""

Method = TypeVar("Method", bound=Callable[..., Any])


def forget_locals(error: BaseException) -> None:
    """Clear the local variables of the frames that an exception, and each of its causes, has passed through."""
    for link in causes(error):
        for frame, _ in walk_tb(link.__traceback__):
            if frame.f_globals.get("__name__", "").partition(".")[0] in CLEARED:
                try:
                    frame.clear()
                except RuntimeError:  # a frame that is still running cannot be cleared
                    continue


def redacted(method: Method) -> Method:
    """Decorate a method that takes secrets, so that what it raises carries no local variables."""
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
