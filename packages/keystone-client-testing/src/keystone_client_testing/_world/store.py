"""The records of one world: tables, id counters, reverse links, and an undo log.

A stored record is a plain dict that is never changed in place: a write puts a new one. That makes a
snapshot a shallow copy and a rollback a replay. What the values mean is no concern of this module; what depends on the
database is in ``Store.database``, which everything that reads records asks.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .database import POSTGRESQL, Database
from .models import INDEXED, TABLES

Record = dict[str, Any]
Snapshot = tuple[dict[str, dict[int, Record]], dict[str, int]]
Mark = tuple[int, dict[str, int]]


class Write(NamedTuple):
    """A record before and after a transaction; ``None`` where it was not there."""

    resource: str
    id: int
    old: Record | None
    new: Record | None


class Store:
    """Tables by resource name; each write keeps the reverse links in step."""

    def __init__(self, database: Database = POSTGRESQL) -> None:
        """Start with empty tables.

        Args:
            database: the kind of database the server keeps its records in.
        """
        self.database = database
        self.tables: dict[str, dict[int, Record]] = {name: {} for name in TABLES}
        self._counters = dict.fromkeys(TABLES, 0)
        self._links: dict[tuple[str, str], dict[Any, dict[int, None]]] = {key: {} for key in _ALL_LINKS}
        self.files: dict[str, bytes] = {}
        """Uploads by path; deleting a record leaves its file, as on the server."""
        self._undo: list[tuple[str, int, Record | None]] | None = None
        self._start: Mark = (0, {})

    def get(self, resource: str, pk: Any) -> Record | None:
        """Return a record, or ``None``."""
        return self.tables[resource].get(pk)

    def new_id(self, resource: str) -> int:
        """Hand out the next id; ids are never handed out twice."""
        self._counters[resource] += 1
        return self._counters[resource]

    def skip_id(self, resource: str) -> None:
        """Use up an id as the insert of a row does that is then undone."""
        if not self.database.reuses_ids:
            self.new_id(resource)

    def insert(self, resource: str, values: Mapping[str, Any]) -> Record:
        """Store a new record under the next id, or under the id in ``values``."""
        pk = values.get("id")
        if pk:
            self._counters[resource] = max(self._counters[resource], pk)
        else:
            pk = self.new_id(resource)
        record = {**values, "id": pk}
        self._put(resource, pk, record)
        return record

    def update(self, resource: str, pk: int, changes: Mapping[str, Any]) -> Record:
        """Store a changed copy of a record."""
        record = {**self.tables[resource][pk], **changes}
        self._put(resource, pk, record)
        return record

    def remove(self, resource: str, pk: int) -> None:
        """Drop a record; what points at it is not looked at."""
        self._put(resource, pk, None)

    def linked(self, resource: str, field: str, value: Any) -> list[Record]:
        """Return the records whose indexed ``field`` is, or contains, ``value``, by id."""
        table = self.tables[resource]
        return [table[pk] for pk in sorted(self._links[resource, field].get(value, ()))]

    def has(self, resource: str, field: str, value: Any, but: int | None = None) -> bool:
        """Tell whether a record other than ``but`` has ``value`` in the indexed ``field``."""
        return any(pk != but for pk in self._links[resource, field].get(value, ()))

    def begin(self) -> None:
        """Start to remember how to undo."""
        self._undo = []
        self._start = self.mark()

    def commit(self) -> list[Write]:
        """Keep what was written since ``begin``, and return it: one entry for each record, however often written."""
        undo, self._undo = self._undo or [], None
        first: dict[tuple[str, int], Record | None] = {}
        for resource, pk, old in undo:
            first.setdefault((resource, pk), old)
        return [Write(*key, old, self.tables[key[0]].get(key[1])) for key, old in first.items()]

    def rollback(self) -> None:
        """Undo what was written since ``begin``."""
        self.undo_to(self._start)
        self._undo = None

    def mark(self) -> Mark:
        """Return this moment between ``begin`` and ``commit``, to come back to."""
        return len(self._undo or ()), dict(self._counters)

    def undo_to(self, mark: Mark) -> None:
        """Undo what was written since a mark; where the database does so, their ids are handed out again."""
        kept, self._undo = self._undo or [], None
        undo = kept[mark[0] :]
        if self.database.reuses_ids:
            self._counters = dict(mark[1])
        for resource, pk, old in reversed(undo):
            self._put(resource, pk, old)
        self._sort({resource for resource, _, _ in undo})
        self._undo = kept[: mark[0]]

    def withdraw(self, writes: Iterable[Write]) -> None:
        """Take back what has been written; the ids stay handed out."""
        writes = list(writes)
        for write in reversed(writes):
            self._put(write.resource, write.id, write.old)
        self._sort({write.resource for write in writes})

    def apply(self, writes: Iterable[Write]) -> None:
        """Write what another transaction wrote: whole records, as the server saves them."""
        writes = list(writes)
        for write in writes:
            self._put(write.resource, write.id, write.new)
        self._sort({write.resource for write in writes})

    def _sort(self, resources: Iterable[str]) -> None:
        """Bring tables back into the order of their ids."""
        for resource in resources:
            self.tables[resource] = dict(sorted(self.tables[resource].items()))

    def snapshot(self) -> Snapshot:
        """Return a copy of all tables and counters."""
        return {name: dict(table) for name, table in self.tables.items()}, dict(self._counters)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; the snapshot stays good for another time."""
        tables, counters = snapshot
        self.__init__(self.database)  # type: ignore[misc]  # the same object, as new: doors and fixtures hold it
        for name, table in tables.items():
            for pk, record in table.items():
                self._put(name, pk, record)
        self._counters = dict(counters)

    def _put(self, resource: str, pk: int, record: Record | None) -> None:
        table = self.tables[resource]
        old = table.get(pk)
        if self._undo is not None:
            self._undo.append((resource, pk, old))
        for field in INDEXED[resource]:
            before, after = old and old[field], record and record[field]
            if before != after:
                self._relink(self._links[resource, field], pk, before, after)
        if record is None:
            table.pop(pk, None)
        else:
            table[pk] = record

    @staticmethod
    def _relink(links: dict[Any, dict[int, None]], pk: int, old: Any, new: Any) -> None:
        """Move a record in an index from its old value to the new one; a to-many link has a list of values."""
        if old is not None:
            for value in old if isinstance(old, list) else [old]:
                links[value].pop(pk, None)
        if new is not None:
            for value in new if isinstance(new, list) else [new]:
                links.setdefault(value, {})[pk] = None


_ALL_LINKS = [(name, field) for name, fields in INDEXED.items() for field in fields]
