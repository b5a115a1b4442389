"""What a request changed in the world, for the journal. Computed when it is looked at; nothing secret is in it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .passwords import Secret
from .store import Write

HIDDEN = "[hidden]"
_BOOKS = frozenset({"audit_log", "request_log"})
"""What the server writes of its own accord is no change of the request."""


class Change(NamedTuple):
    """One record that was created, updated or deleted."""

    action: str
    """``create``, ``update`` or ``delete``."""
    resource: str
    id: int
    fields: Mapping[str, tuple[Any, Any]]
    """The values before and after, by field; of a new record the values it has, of a deleted one those it had."""


def changes_of(writes: Iterable[Write]) -> list[Change]:
    """Return the changes of one request, in the order of the writes.

    Args:
        writes: what the store kept of the transaction.

    Returns:
        One change for each record that is not as it was.
    """
    found = [_change(write) for write in writes if write.resource not in _BOOKS]
    return [change for change in found if change.fields]


def _change(write: Write) -> Change:
    action = "create" if write.old is None else "delete" if write.new is None else "update"
    old, new = write.old or {}, write.new or {}
    pairs = {name: (old.get(name), new.get(name)) for name in {**old, **new}}
    return Change(
        action, write.resource, write.id, {n: _without_secrets(*pair) for n, pair in pairs.items() if _differs(pair)}
    )


def _differs(pair: tuple[Any, Any]) -> bool:
    return bool(pair[0] != pair[1])


def _without_secrets(*pair: Any) -> tuple[Any, Any]:
    before, after = (HIDDEN if isinstance(value, Secret) else value for value in pair)
    return before, after
