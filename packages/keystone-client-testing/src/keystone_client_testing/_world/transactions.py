"""Transactions of other writers that are still open, as PostgreSQL has them: ids are taken, nobody sees the rows.

What is written while one is open is an ordinary write. When its block ends, the difference to the moment before is
taken out of the store and kept here; a commit puts it back, with the ids and moments it has had all along. Endpoints
know nothing of it: no read has to filter. The alternative, rows that carry their transaction, would need a branch in
every read.

A write that meets an open transaction waits on PostgreSQL. The fake cannot wait, so the open transaction commits first
and the write follows, as it would after the wait.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from .._wire import PageError
from .clock import Clock
from .models import LINKS, unique_columns
from .store import Snapshot, Store, Write

Claim = tuple[str, tuple[str, ...], tuple[Any, ...]]
"""A value no other record of a resource may have: resource, columns, values."""
_OPEN, _COMMITTED, _ROLLED_BACK, _WRITING = "open", "committed", "rolled back", "still in its block"
_DROPPED = "dropped by a reset, a restore or a load"
_LOG = "request_log"


class World(Protocol):
    """What a transaction needs of the world it writes to."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while anything is read or written."""
        ...

    @property
    def store(self) -> Store:
        """The records."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock of the fake."""
        ...

    @property
    def transactions(self) -> "Transactions":
        """The open transactions."""
        ...


class HeldTransaction:
    """Another writer's open transaction; ``FakeKeystone.hold`` returns it."""

    def __init__(self, world: World, due: float | None) -> None:
        """Begin it.

        Args:
            world: whose records it writes.
            due: when it commits by itself, on the clock of the fake; never by default.
        """
        self._world = world
        self.due = due
        self.state: str = _WRITING
        self.writes: list[Write] = []
        self._logged: list[Write] = []

    def __repr__(self) -> str:
        """Show its state, and how much it has written."""
        return f"<HeldTransaction {self.state}, {len(self.writes)} records>"

    def commit(self) -> None:
        """Let everybody see what it wrote.

        Raises:
            RuntimeError: it is not open, or cannot commit: then it is rolled back, and the message says why.
        """
        with self._world.lock:
            self._check_open()
            if complaint := self.finish():
                raise RuntimeError(f"the held transaction could not commit and is rolled back: {complaint}")

    def rollback(self) -> None:
        """Forget what it wrote; its ids stay taken.

        Raises:
            RuntimeError: it is not open.
        """
        with self._world.lock:
            self._check_open()
            self._end(_ROLLED_BACK)

    def finish(self) -> str:
        """Commit, or roll back and return why."""
        complaint = _obstacle(self._world.store, self.writes)
        if not complaint:
            self._world.store.apply(self.writes)
        self._end(_ROLLED_BACK if complaint else _COMMITTED)
        return complaint

    def take(self, before: Snapshot) -> None:
        """Take what has been written since a snapshot out of the store. Requests are logged when they end: not yet."""
        store = self._world.store
        writes = _differences(before, store.snapshot())
        store.withdraw(writes)
        self.writes = [write for write in writes if write.resource != _LOG]
        self._logged = [write for write in writes if write.resource == _LOG]
        self.state = _OPEN

    def _check_open(self) -> None:
        if self.state != _OPEN:
            raise RuntimeError(f"this held transaction is {self.state}; it ends once, after its block")

    def _end(self, state: str) -> None:
        self.state = state
        self._world.transactions.open.remove(self)
        now = self._world.clock.now()
        for write in self._logged:
            if write.new:
                self._world.store.insert(_LOG, {**write.new, "id": None, "timestamp": now})


class Transactions:
    """The open transactions of a world."""

    def __init__(self) -> None:
        """Start with none."""
        self.open: list[HeldTransaction] = []

    @contextmanager
    def hold(self, world: World, due: float | None = None) -> Iterator[HeldTransaction]:
        """Hold back what is written inside the block.

        Args:
            world: whose records are written.
            due: when it commits by itself, on the clock of the fake.

        Yields:
            The transaction; an exception in the block rolls it back.
        """
        held = HeldTransaction(world, due)
        with world.lock:
            before = world.store.snapshot()
        failed = True
        try:
            yield held
            failed = False
        finally:
            with world.lock:
                held.take(before)
                self.open.append(held)
                if failed:
                    held.rollback()

    def settle(self, now: float) -> None:
        """Commit what is due; what cannot commit is gone, as a job whose last statement fails."""
        for held in [held for held in self.open if held.due is not None and held.due <= now]:
            held.finish()

    def give_way(self, store: Store, writes: list[Write]) -> None:
        """Let open transactions commit before a write that meets them.

        Args:
            store: where the write has just been made.
            writes: what it wrote.

        Raises:
            PageError: 500, for another has committed a value that only one record may have; the write is undone.
        """
        met = [held for held in self.open if _meet(held.writes, writes)]
        if not met:
            return
        clash = any(_claims(held.writes) & _claims(writes) for held in met)
        store.withdraw(writes)
        for held in met:
            held.finish()
        if clash:
            raise PageError(500)
        store.apply(writes)

    def drop(self) -> None:
        """Forget all of them: the records they belong to are gone."""
        for held in self.open:
            held.state = _DROPPED
        self.open = []


def _differences(before: Snapshot, after: Snapshot) -> list[Write]:
    """Return what was written between two snapshots; records are never changed in place."""
    found = []
    for resource, new in after[0].items():
        old = before[0][resource]
        found += [Write(resource, pk, old.get(pk), row) for pk, row in new.items() if old.get(pk) is not row]
        found += [Write(resource, pk, row, None) for pk, row in old.items() if pk not in new]
    return found


def _meet(held: Iterable[Write], writes: Iterable[Write]) -> bool:
    """Tell whether two transactions write the same record, or a value that only one record may have."""
    records = {(write.resource, write.id) for write in held}
    return not records.isdisjoint((write.resource, write.id) for write in writes) or bool(
        _claims(held) & _claims(writes)
    )


def _claims(writes: Iterable[Write]) -> set[Claim]:
    """Return the unique values that some writes take."""
    return {
        claim
        for write in writes
        for claim in _of_record(write.resource, write.new) - _of_record(write.resource, write.old)
    }


def _of_record(resource: str, record: dict[str, Any] | None) -> set[Claim]:
    if record is None:
        return set()
    claims = {(resource, names, _unique_values(record, names)) for names in unique_columns(resource)}
    return {claim for claim in claims if None not in claim[2]}


def _unique_values(record: dict[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the values of some columns; JSON as text, because a dict cannot be in a set."""
    values = [record.get(name) for name in names]
    return tuple(json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value for value in values)


def _obstacle(store: Store, writes: Iterable[Write]) -> str:
    """Return why a transaction cannot commit; empty if it can."""
    for resource, names, values in _claims(writes):
        rows = store.linked(resource, names[0], values[0])
        if any(_unique_values(row, names) == values for row in rows):
            return f"a {resource} with {', '.join(names)} {', '.join(map(repr, values))} has been written meanwhile"
    own = {(write.resource, write.id) for write in writes}
    for write in writes:
        for target, pk in _targets(write):
            if (target, pk) not in own and store.get(target, pk) is None:
                return f"{write.resource} {write.id} points at {target} {pk}, which has been deleted meanwhile"
    return ""


def _targets(write: Write) -> Iterator[tuple[str, int]]:
    for name, field in LINKS[write.resource] if write.new else ():
        value = write.new[name] if write.new else None
        for pk in value if isinstance(value, list) else [] if value is None else [value]:
            yield field.target, pk
