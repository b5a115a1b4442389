"""Keep secrets out of tracebacks: many tools print the local variables of every frame, and rows hold passwords."""

from collections.abc import Callable
from functools import wraps
from traceback import walk_tb
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def forgetting_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that what it raises carries no local variables of this package; those of others stay."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            _forget_locals(error)
            del args, kwargs
            raise

    return call


def _forget_locals(error: BaseException) -> None:
    link: BaseException | None = error
    seen: set[int] = set()  # code of users can make a circle of causes
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        for frame, _ in walk_tb(link.__traceback__):
            if frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
                try:
                    frame.clear()
                except RuntimeError:  # a frame that is still running cannot be cleared
                    continue
        link = link.__cause__ or link.__context__
