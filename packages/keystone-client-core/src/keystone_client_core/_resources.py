"""The shape of the resource table: what a field and a resource are. The table itself is in ``_table``.

Nothing here knows about HTTP or about a particular resource.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

NO_DEFAULT: Any = object()
"""Marks a field without a default; ``None`` is a default."""

CALLER: Any = object()
"""Marks a field that the server fills in with the user who makes the call."""


class Field(NamedTuple):
    """One field of a resource or of a nested shape."""

    name: str
    kind: str
    """``int float decimal bool text slug email ip date datetime choice key keys json file shape shapes``."""
    target: str = ""
    """The resource a ``key`` or ``keys`` points at, the name of a ``shape``, or the name of a ``choice``."""
    read_only: bool = False
    write_only: bool = False
    required: bool = False
    """Must be given on create."""
    create_only: bool = False
    """The server drops it in silence on update."""
    staff_only: bool = False
    """The server drops it in silence for callers who are not staff."""
    nullable: bool = False
    blank: bool = False
    """The empty text is allowed."""
    unique: bool = False
    trimmed: bool = False
    """Outer blanks are cut off on write although they matter: a password."""
    length: int | None = None
    column_length: int | None = None
    """Longest text of a column whose length the API does not check: the database refuses more, which answers 500."""
    minimum: int | None = None
    maximum: int | None = None
    digits: tuple[int, int] | None = None
    """Digits of a decimal: in all, and behind the point."""
    pattern: str = ""
    default: Any = NO_DEFAULT
    filter_kind: str = ""
    """The kind a filter on this name takes; empty where the server offers none."""
    orderable: bool = False
    hidden: bool = False
    """Exists for filters and order only and is in no record."""

    @property
    def writable(self) -> bool:
        """Whether a create or an update may carry this field."""
        return not self.read_only and not self.hidden


class Resource(NamedTuple):
    """One kind of record the server keeps."""

    name: str
    """The singular the client's methods end in: ``cluster``."""
    path: str
    """The endpoint below the base URL, without outer slashes: ``allocations/clusters``."""
    record: str
    """The name of its type in ``keystone_client_core.records``: ``Cluster``."""
    model: str
    """What the server calls it in messages: ``AllocationRequest``."""
    operations: frozenset[str]
    """Of ``list retrieve create update delete``."""
    fields: Mapping[str, Field]
    search: tuple[str, ...] = ()
    """Columns ``_search`` looks at; dots follow foreign keys. Empty where the server cannot search."""
    default_order: tuple[str, ...] = ()
    unique_together: tuple[str, ...] = ()
    growing: bool = False
    """Reading it adds to it: a listing stops at the highest key seen when it began."""

    @property
    def filterable(self) -> tuple[str, ...]:
        """The names a filter may use, in the order of the table."""
        return tuple(name for name, field in self.fields.items() if field.filter_kind)

    @property
    def orderable(self) -> tuple[str, ...]:
        """The names an order may use, in the order of the table."""
        return tuple(name for name, field in self.fields.items() if field.orderable)
