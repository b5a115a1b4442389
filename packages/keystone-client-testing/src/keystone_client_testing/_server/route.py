"""The types of a route and of a match of a path with a route. The table of routes is in ``routes``."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .._parsing.bodies import ALL_TYPES
from .._wire import Reply
from .call import Call

PATCH_ONLY = frozenset({"notification"})
"""Resources that can be changed in part, but not replaced."""
Handler = Callable[[Call, str, str], Reply]


class Route(NamedTuple):
    """One endpoint with its methods."""

    handlers: Mapping[str, Handler]
    resource: str = ""
    public: bool = False
    is_api: bool = True
    """Whether it is an endpoint of the API, with the checks of one; the start page is Django's alone."""
    format: str = "json"
    """What ``?format=`` may ask for."""
    media: Sequence[str] = ("application/json",)
    """The media types of its answers, for ``Accept`` to choose from."""
    path: str = ""
    """Its path, with ``{id}`` where a key stands."""
    types: tuple[str, ...] = ALL_TYPES
    """The request bodies it reads, the preferred type first."""

    @property
    def allow(self) -> str:
        """The methods, as the ``Allow`` header names them."""
        names = [*self.handlers, *(["HEAD"] if "GET" in self.handlers else []), "OPTIONS"]
        return ", ".join(sorted(names) if self.resource in PATCH_ONLY and "PATCH" in names else names)


class Match(NamedTuple):
    """A route, and the key that the path has for it."""

    route: Route
    key: str = ""
    format: str = ""
