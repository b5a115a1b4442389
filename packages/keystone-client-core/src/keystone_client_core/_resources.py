"""The types of the resource table: ``Field`` and ``Resource``. The table itself is generated, in ``_table``.

Nothing here knows about HTTP or about a particular resource.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

NO_DEFAULT: Any = object()
"""Marks a field that has no default. ``None`` cannot mark it, since it is a default of some fields."""

CALLER: Any = object()
"""Marks a field whose default is the user who makes the request."""


class Field(NamedTuple):
    """One field of a resource or of a nested shape."""

    name: str
    kind: str
    """``int float decimal bool text slug email ip date datetime choice key keys json file shape shapes``."""
    target: str = ""
    """The resource that a ``key`` or ``keys`` points at, or the name of the ``shape``, ``shapes`` or ``choice``."""
    read_only: bool = False
    write_only: bool = False
    required: bool = False
    """A create must set the field."""
    create_only: bool = False
    """An update cannot change the field: the server drops it without an error."""
    staff_only: bool = False
    """Only staff can set the field: the server drops it without an error for all others."""
    nullable: bool = False
    blank: bool = False
    """Whether the empty text is allowed."""
    unique: bool = False
    slug_of: str = ""
    """The field whose slug this is; the server makes it, and no two records may have the same."""
    trimmed: bool = False
    """Leading and trailing blanks matter, but the server cuts them off, as it does with a password."""
    protects: bool = False
    """The server refuses to delete what this points at, with a 500. Other keys go along, or become null if they can."""
    length: int | None = None
    """The longest text that the API accepts."""
    column_length: int | None = None
    """The longest text that the database accepts, if the API does not check it: longer text is answered with 500."""
    minimum: int | None = None
    maximum: int | None = None
    digits: tuple[int, int] | None = None
    """The most digits of a decimal: in total, and after the decimal point."""
    pattern: str = ""
    default: Any = NO_DEFAULT
    filter_kind: str = ""
    """The kind of value that a filter on this field takes; empty if the server has no such filter."""
    orderable: bool = False
    hidden: bool = False
    """The name can be used in filters and orders only; no record has such a field."""

    @property
    def writable(self) -> bool:
        """Whether a create or an update may set the field."""
        return not self.read_only and not self.hidden


class Resource(NamedTuple):
    """One kind of record that the server stores."""

    name: str
    """The singular noun that the client's methods end in: ``cluster``."""
    path: str
    """The endpoint below the base URL, without slashes at the ends: ``allocations/clusters``."""
    record: str
    """The name of the record's type in ``keystone_client_core.records``: ``Cluster``."""
    model: str
    """The name that the server uses in messages: ``AllocationRequest``."""
    operations: frozenset[str]
    """The supported ones of ``list retrieve create update delete``."""
    fields: Mapping[str, Field]
    search: tuple[str, ...] = ()
    """The columns that ``_search`` looks at; dots follow foreign keys. Empty if the server has no search here."""
    default_order: tuple[str, ...] = ()
    unique_together: tuple[str, ...] = ()
    natural_key: tuple[str, ...] = ()
    """The fields by which people name a record; empty if it has no name that no other record can have."""
    growing: bool = False
    """Reading the resource adds records to it, as with a log of requests. A listing of it stops at the highest key that
    existed when it began, or else it would never end.
    """
    statistics: bool = False
    """Whether the server has an endpoint with statistics of the records: ``statistics_path``."""

    @property
    def statistics_path(self) -> str:
        """The endpoint with the statistics, without slashes at the ends: ``stats/grants``."""
        return f"stats/{self.name}s"

    @property
    def can_be_planned(self) -> bool:
        """Whether a plan can manage the records: they can be written, and have no file, which cannot be compared."""
        has_file = any(field.kind == "file" for field in self.fields.values())
        return not has_file and {"list", "create", "update", "delete"} <= self.operations

    @property
    def makes_slugs(self) -> bool:
        """Whether the server makes slugs of the names of the records, which tell them apart."""
        return any(field.slug_of for field in self.fields.values())

    @property
    def filterable(self) -> tuple[str, ...]:
        """The names that a filter may use, in the order of the table."""
        return tuple(name for name, field in self.fields.items() if field.filter_kind)

    @property
    def orderable(self) -> tuple[str, ...]:
        """The names that an order may use, in the order of the table."""
        return tuple(name for name, field in self.fields.items() if field.orderable)
