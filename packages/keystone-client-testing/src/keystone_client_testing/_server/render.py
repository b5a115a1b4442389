"""From stored records to the JSON the server shows: computed fields, nested shapes, text forms of values.

Reading only; who may see a record is decided elsewhere.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from keystone_client_core import AUDIT_ACTIONS, RESOURCES, SHAPES, Field

from .._world.models import AUDITED
from .._world.store import Record, Store


class View(NamedTuple):
    """For whom, and at what moment, a record is rendered."""

    store: Store
    staff: bool = True
    written: bool = False
    """Whether this answers a write: nested lists then have no order, instead of that by title or name."""


Renderer = Callable[[View, Record], Any]
Plan = list[tuple[str, Renderer | None]]
"""The fields of a kind of record, each with what renders it; ``None`` for a column that is shown as it is stored.

Most columns are, and a call for each would be a sixth of the time that rendering a list takes.
"""


def render(view: View, resource: str, record: Record) -> dict[str, Any]:
    """Return a record as the server shows it.

    Args:
        view: for whom.
        resource: the kind of record.
        record: as stored.

    Returns:
        A new dict, ready for JSON.
    """
    return _carried_out(_resource_plan(resource), view, record)


def _carried_out(plan: Plan, view: View, record: Record) -> dict[str, Any]:
    return {name: show(view, record) if show else record[name] for name, show in plan}


def display_name(user: Record) -> str:
    """Return first and last name, or what there is of them, or the login name."""
    if user["first_name"] and user["last_name"]:
        return f"{user['first_name']} {user['last_name']}"
    return str(user["first_name"] or user["username"])


def abbreviation(user: Record) -> str:
    """Return initials in capitals."""
    first, last = user["first_name"], user["last_name"]
    short = f"{first[0]}{last[0]}" if first and last else first[0] if first else user["username"][:2]
    return str(short).upper()


def iso(moment: dt.datetime) -> str:
    """Write a UTC datetime as the API does: ``Z``, and no microseconds where there are none."""
    return moment.isoformat().removesuffix("+00:00") + "Z"


@cache
def _resource_plan(resource: str) -> Plan:
    fields = RESOURCES[resource].fields
    return _plan(resource, {name: f for name, f in fields.items() if not f.hidden and not f.write_only})


@cache
def _shape_plan(shape: str) -> Plan:
    return _plan(shape, SHAPES[shape])


def _plan(owner: str, fields: Mapping[str, Field]) -> Plan:
    return [(name, _renderer(owner, fields, name)) for name in fields]


def _renderer(owner: str, fields: Mapping[str, Field], name: str) -> Renderer | None:
    if found := _SPECIAL.get((owner, name)):
        return found
    if name in _EVERYWHERE:
        return _EVERYWHERE[name]
    field = fields[name]
    if field.kind in ("shape", "shapes") and name[1:] not in fields:
        raise LookupError(
            f"the fake does not know which records {owner}.{name} shows: say so in _SPECIAL of {__name__}"
        )
    if field.kind == "shape":
        return _one(name[1:], fields[name[1:]].target, field.target)
    if field.kind == "shapes":
        return _many(name[1:], fields[name[1:]].target, field.target)
    if field.kind == "keys":
        return _ordered_keys(name)
    return _column(name, field.kind)


def _column(name: str, kind: str) -> Renderer | None:
    write = _TEXT_FORMS.get(kind)
    if write is None:
        return None
    return lambda view, record: None if (value := record[name]) is None else write(value)


_TEXT_FORMS: Mapping[str, Callable[[Any], str]] = {"date": dt.date.isoformat, "datetime": iso, "decimal": str}


def _one(column: str, target: str, shape: str) -> Renderer:
    def show(view: View, record: Record) -> Any:
        found = view.store.get(target, record[column])
        return found and _show(view, shape, found)

    return show


def _many(column: str, target: str, shape: str) -> Renderer:
    keys = _ordered_keys(column)

    def show(view: View, record: Record) -> Any:
        table = view.store.tables[target]
        return [_show(view, shape, table[pk]) for pk in keys(view, record)]

    return show


def _ordered_keys(column: str) -> Renderer:
    """Order publications and grants by title. All other lists, and every answer to a write, are unordered."""

    def by_title(view: View, record: Record) -> list[int]:
        table, database = view.store.tables[_BY_TITLE[column]], view.store.database
        keys = database.unordered(record[column])
        return keys if view.written else sorted(keys, key=lambda pk: database.text_key(table[pk]["title"]))

    return by_title if column in _BY_TITLE else lambda view, record: view.store.database.unordered(record[column])


_BY_TITLE = {"publications": "publication", "grants": "grant"}


def _show(view: View, shape: str, record: Record) -> dict[str, Any]:
    return _carried_out(_shape_plan(shape), view, record)


def _memberships(column: str, shape: str) -> Renderer:
    """List memberships without an order. SQLite has those of a user by role and those of a team by user."""
    by = "role" if column == "user" else "user"

    def show(view: View, record: Record) -> Any:
        rows = sorted(view.store.linked("membership", column, record["id"]), key=lambda row: row[by])
        return [_show(view, shape, row) for row in _unordered(view, rows)]

    return show


def _unordered(view: View, rows: list[Record]) -> list[Record]:
    """Return rows the server asks no order for, as its database may give them."""
    by_id = {row["id"]: row for row in rows}
    return [by_id[pk] for pk in view.store.database.unordered(by_id)]


def _attachments(view: View, record: Record) -> Any:
    rows = view.store.linked("attachment", "request", record["id"])
    return [_show(view, "AttachmentSummary", row) for row in _unordered(view, rows)]


def _history(resource: str) -> Renderer:
    def show(view: View, record: Record) -> Any:
        rows = view.store.linked("audit_log", "target", (resource, record["id"]))
        return [_show(view, "AuditLogSummary", row) for row in reversed(rows)]

    return show


def _allocations(view: View, record: Record) -> Any:
    rows = _unordered(view, view.store.linked("allocation", "request", record["id"]))
    if not view.written:
        clusters, text_key = view.store.tables["cluster"], view.store.database.text_key
        rows.sort(key=lambda row: text_key(clusters[row["cluster"]]["name"]))
    return [_show(view, "ResourceAllocationSummary", row) for row in rows]


def _comments(view: View, record: Record) -> Any:
    rows = view.store.linked("comment", "request", record["id"])
    rows = _unordered(view, rows) if view.written else sorted(rows, key=lambda row: row["created"])
    return [_show(view, "CommentSummary", row) for row in rows if view.staff or not row["private"]]


def _team_users(view: View, record: Record) -> Any:
    users = sorted(row["user"] for row in view.store.linked("membership", "team", record["id"]))
    return view.store.database.unordered(users)


_EVERYWHERE: Mapping[str, Renderer] = {
    "display_name": lambda view, record: display_name(record),
    "abbreviation": lambda view, record: abbreviation(record),
}
_SPECIAL: Mapping[tuple[str, str], Renderer] = {
    **{(name, "_history"): _history(name) for name in AUDITED},
    ("user", "_membership"): _memberships("user", "TeamRole"),
    ("team", "_membership"): _memberships("team", "UserRole"),
    ("team", "users"): _team_users,
    ("request", "_allocations"): _allocations,
    ("request", "_attachments"): _attachments,
    ("request", "_comments"): _comments,
    ("AuditLogSummary", "action"): lambda view, record: AUDIT_ACTIONS[record["action"]],
    ("audit_log", "action"): lambda view, record: AUDIT_ACTIONS[record["action"]],
    ("audit_log", "record_name"): lambda view, record: AUDITED[record["target"][0]].label,
    ("audit_log", "record_id"): lambda view, record: record["target"][1],
}
