"""The columns a seed may fill in: those the API writes, and those only the server itself does. Facts only."""

from collections.abc import Mapping
from functools import cache

from keystone_client_core import RESOURCES, Field, Resource

from .._world.database import Database
from .._world.models import COLUMNS

_NULLABLE = frozenset({("audit_log", "actor_email"), ("audit_log", "object_id")})
"""Columns no record shows, and of which the table of resources does not say it."""

_LENGTHS: Mapping[tuple[str, str], int] = {
    ("team", "slug"): 255,
    ("audit_log", "object_pk"): 255,
    ("audit_log", "cid"): 255,
    ("audit_log", "actor_email"): 254,
    ("task_result", "task_id"): 255,
    ("task_result", "periodic_task_name"): 255,
    ("task_result", "task_name"): 255,
    ("task_result", "status"): 50,
    ("task_result", "worker"): 100,
    ("task_result", "content_type"): 128,
    ("task_result", "content_encoding"): 64,
}
"""Longest texts of the columns that only the server writes, as its models declare them."""


@cache
def seeded(database: Database, resource: str) -> Resource:
    """Return the table of a resource with every column open to be written, within the bounds of a database.

    Core refuses values that a table can hold only once. A seed may be that one, so no column is marked for it here:
    ``refuse_doubles`` finds the second.
    """
    bounded = {**COLUMNS[resource], **database.fields(resource)}
    fields = {name: _opened(database, resource, bounded[name]) for name in COLUMNS[resource]}
    return RESOURCES[resource]._replace(fields=fields)


def _opened(database: Database, resource: str, field: Field) -> Field:
    key = (resource, field.name)
    lengths = {**_LENGTHS, **{("request_log", name): most for name, most in database.log_lengths.items()}}
    length = lengths.get(key, field.column_length) if database.column_lengths else None
    return field._replace(
        read_only=False,
        hidden=False,
        create_only=False,
        unique=False,
        slug_of="",
        nullable=field.nullable or key in _NULLABLE,
        blank=field.blank or is_server_written(resource, field.name),
        column_length=length,
    )


def is_server_written(resource: str, name: str) -> bool:
    """Tell whether only the server writes a column: its texts are not trimmed, and may be blank."""
    return not COLUMNS[resource][name].writable
