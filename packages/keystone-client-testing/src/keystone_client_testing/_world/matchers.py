"""Which requests a test means: the one set of rules for planned faults and for searching the journal."""

from typing import NamedTuple, Protocol


class Seen(Protocol):
    """The properties of a request that a test can select it by."""

    @property
    def method(self) -> str:
        """HTTP method, in capitals."""
        ...

    @property
    def path(self) -> str:
        """What was asked for below the base URL, with its outer slashes."""
        ...

    @property
    def route(self) -> str:
        """The endpoint that answers it, like ``/users/teams/{id}/``; empty where the server has none."""
        ...

    @property
    def user(self) -> str | None:
        """Login name of the caller; ``None`` for anonymous."""
        ...


class Wanted(NamedTuple):
    """What a request has to be; ``None`` stands for anything."""

    method: str | None = None
    path: str | None = None
    route: str | None = None
    user: str | None = None

    def fits(self, seen: Seen) -> bool:
        """Tell whether a request is meant."""
        return (
            (self.method is None or self.method.upper() == seen.method)
            and (self.path is None or _starts(_segments(self.path), _segments(seen.path)))
            and (self.route is None or self.route.strip("/") == seen.route.strip("/"))
            and (self.user is None or self.user == (seen.user or ""))
        )


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/") if path.strip("/") else []


def _starts(wanted: list[str], given: list[str]) -> bool:
    """Tell whether a path begins with the wanted segments; ``*`` is any one of them."""
    return len(wanted) <= len(given) and all(a in ("*", b) for a, b in zip(wanted, given, strict=False))
