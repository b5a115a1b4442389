"""What the server's models have beyond the resource table: labels, links, columns, automatic values.

Facts only, and what follows from them and from the table. No behaviour.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from keystone_client_core import NO_DEFAULT, RESOURCES, Field

HISTORY_LINK = "target"
"""The column of an audit row that says which record it is about: (resource, id)."""


class Model(NamedTuple):
    """One model of the server."""

    label: str
    """What the audit log calls it."""
    title: str
    """How the feed names one record; ``{field}`` and ``{field.field}`` are filled in."""
    artefacts: Mapping[str, str] = {}
    """Reverse links that creating or deleting a record leaves in its history."""


AUDITED: Mapping[str, Model] = {
    "user": Model(
        "users | User",
        "User #{id} - {username}",
        {
            "membership": "users.Membership.None",
            "submitted_allocationrequest_set": "allocations.AllocationRequest.None",
        },
    ),
    "team": Model("users | Team", "Team #{id} - {name}", {"membership": "users.Membership.None"}),
    "membership": Model("users | Membership", "Membership #{id} - {user.username} in {team}"),
    "cluster": Model(
        "allocations | Cluster",
        "Cluster #{id} - {name}",
        {"allocation_set": "allocations.ResourceAllocation.None"},
    ),
    "request": Model(
        "allocations | AllocationRequest",
        "Allocation Request #{id} - '{title}' for {team}",
        {"allocation_set": "allocations.ResourceAllocation.None", "comments": "allocations.Comment.None"},
    ),
    "allocation": Model(
        "allocations | ResourceAllocation",
        "Resource Allocation #{id} - {cluster} allocation for {request.team}",
    ),
    "review": Model(
        "allocations | AllocationReview",
        "Allocation Review #{id} - {reviewer.username} review of request #{request.id}",
    ),
    "comment": Model("allocations | Comment", "Comment #{id} - by {user.username} on request #{request.id}"),
    "attachment": Model("allocations | Attachment", "Attachment #{id} - '{name}' on request #{request.id}"),
    "grant": Model("research_products | Grant", "Grant #{id} - {title}"),
    "publication": Model("research_products | Publication", "Publication #{id} - {title}"),
}

PROTECTED = frozenset(
    (name, field.name) for name, resource in RESOURCES.items() for field in resource.fields.values() if field.protects
)
"""Links that forbid deleting what they point at."""

FORGOTTEN = frozenset({("audit_log", "actor"), ("request_log", "user")})
"""Links that become null when what they point at is deleted."""

COMPUTED = frozenset({
    ("user", "display_name"), ("user", "abbreviation"), ("team", "users"),
    ("audit_log", "record_name"), ("audit_log", "record_id"),
})  # fmt: skip
"""Fields of a record that are no column."""

CREATED_NOW: Mapping[str, tuple[str, ...]] = {
    "user": ("date_joined",),
    "request": ("submitted",),
    "review": ("submitted",),
    "comment": ("created",),
    "attachment": ("uploaded",),
    "notification": ("time",),
    "audit_log": ("timestamp",),
    "request_log": ("timestamp",),
    "task_result": ("date_created", "date_done"),
}
"""Columns the server fills with the moment of creation."""

TOUCHED: Mapping[str, str] = {"attachment": "uploaded"}
"""Columns the server fills with the moment of every write."""

FORM_DEFAULTS = frozenset({("team", "is_active"), ("comment", "user")})
"""Defaults that also apply when a PUT leaves the field out; all others only on create."""

CREATE_CALLER = frozenset({("review", "reviewer"), ("preference", "user")})
"""Filled with the caller on create, before validation."""

CONTENT_TYPES: Mapping[str, int] = {
    "request": 19, "cluster": 20, "attachment": 21, "review": 22, "comment": 23, "allocation": 24, "grant": 31,
    "publication": 32, "user": 33, "team": 34, "membership": 35,
}  # fmt: skip
"""The numbers a fresh server has for the models of the audit log."""
MODELS = 35
"""How many models a server has a number for."""
PERMISSIONS = 4 * MODELS
"""How many permission rows the server has; there are no groups."""

TABLES = tuple(name for name in RESOURCES if name != "feed_entry")


def is_nested(name: str) -> bool:
    """Tell whether a field is rendered from other records."""
    return name.startswith("_")


UNSEEN: Mapping[str, tuple[Field, ...]] = {
    "notification": (Field("metadata", "json", nullable=True, hidden=True),),
}
"""Columns that no endpoint shows, filters or orders by; the server's own tasks read them."""

_UNIQUE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "team": (("slug",),),
    "task_result": (("task_id",),),
    "notification": (("user", "notification_type", "metadata"),),
}
"""Columns whose values may stand once in a table, beside those that the table of resources names."""


def _columns(resource: str) -> dict[str, Field]:
    fields = {**RESOURCES[resource].fields, **{field.name: field for field in UNSEEN.get(resource, ())}}
    return {name: field for name, field in fields.items() if not is_nested(name) and (resource, name) not in COMPUTED}


COLUMNS: Mapping[str, Mapping[str, Field]] = {name: _columns(name) for name in RESOURCES}
"""The columns of each table."""

LINKS: Mapping[str, tuple[tuple[str, Field], ...]] = {
    name: tuple((key, field) for key, field in COLUMNS[name].items() if field.kind in ("key", "keys") and field.target)
    for name in TABLES
}
"""The columns of each table that point at records."""


def _indexed(resource: str) -> tuple[str, ...]:
    links = [name for name, _ in LINKS[resource]]
    unique = [name for name, field in COLUMNS[resource].items() if field.unique and name not in links]
    extra = {"team": ["slug"], "task_result": ["task_id"], "audit_log": [HISTORY_LINK]}.get(resource, [])
    return (*links, *unique, *extra)


INDEXED: Mapping[str, tuple[str, ...]] = {name: _indexed(name) for name in TABLES}
"""The columns the store keeps reverse links for."""


def _incoming(target: str) -> tuple[tuple[str, str, bool], ...]:
    return tuple(
        (name, key, field.kind == "keys") for name in TABLES for key, field in LINKS[name] if field.target == target
    )


INCOMING: Mapping[str, tuple[tuple[str, str, bool], ...]] = {name: _incoming(name) for name in TABLES}
"""What points at a resource: (resource, column, whether it is a to-many link)."""


@cache
def unique_columns(resource: str) -> tuple[tuple[str, ...], ...]:
    """Return the columns, and groups of columns, whose values may stand once in a table; null may stand often."""
    entry = RESOURCES[resource]
    single = [(field.name,) for field in entry.fields.values() if field.unique]
    together = [entry.unique_together] if entry.unique_together else []
    return (*single, *together, *_UNIQUE.get(resource, ()))


def empty_record(resource: str) -> dict[str, Any]:
    """Return a record of default values; ``None`` for columns without a default."""
    plain, lists = _defaults(resource)
    return {**plain, **{name: [*default] for name, default in lists.items()}}


@cache
def _defaults(resource: str) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return the defaults of all columns of a table, and those that are lists: each record has lists of its own."""
    defaults = {name: field.default for name, field in COLUMNS[resource].items()}
    plain = {name: default if _is_plain(default) else None for name, default in defaults.items()}
    return plain, {name: default for name, default in defaults.items() if isinstance(default, list)}


def _is_plain(default: Any) -> bool:
    return default is not NO_DEFAULT and isinstance(default, bool | str | int)
