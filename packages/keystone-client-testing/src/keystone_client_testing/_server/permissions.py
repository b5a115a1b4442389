"""Roles: which records a caller sees, and what a caller may do. Staff may do everything but read others' mail.

*Privileged* are the owners and admins of a team. The order of the checks is the engine's.
"""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .._parsing.bodies import Form
from .._wire import PageError, RefusedError
from .._world.store import Record, Store
from .call import Call

PRIVILEGED = ("OW", "AD")
_READING = ("GET", "HEAD", "OPTIONS")
_CREATE = "create"


def member_teams(store: Store, user: Record) -> set[int]:
    """Return the ids of the teams a user belongs to."""
    return {row["team"] for row in store.linked("membership", "user", user["id"])}


def is_member(store: Store, user: Record, team: int | None, roles: tuple[str, ...] = ()) -> bool:
    """Tell whether a user belongs to a team, in one of ``roles`` if there are any."""
    rows = store.linked("membership", "user", user["id"])
    return any(row["team"] == team and (not roles or row["role"] in roles) for row in rows)


def team_of(store: Store, resource: str, record: Record) -> int:
    """Return the team a record belongs to, by itself or through its request."""
    if resource in _CHILDREN:
        record = store.tables["request"][record["request"]]
    return int(record["id"] if resource == "team" else record["team"])


_CHILDREN = frozenset({"allocation", "review", "comment", "attachment"})


def reachable(call: Call, resource: str, record: Record) -> bool:
    """Tell whether a record exists for the caller at all; if not it is 404 and in no list."""
    if call.staff:
        return True
    store = call.world.store
    if resource in ("team", "user"):
        return bool(record["is_active"])
    if resource == "membership":
        return bool(
            store.tables["team"][record["team"]]["is_active"] and store.tables["user"][record["user"]]["is_active"]
        )
    return True


def listed(call: Call, resource: str, records: list[Record]) -> list[Record]:
    """Return the records that the listing of a caller contains."""
    if call.staff:
        return records
    user, store = call.caller, call.world.store
    if resource in ("notification", "preference"):
        return [record for record in records if record["user"] == user["id"]]
    teams = member_teams(store, user)
    if resource == "cluster":
        return [record for record in records if _open_to(record, teams)]
    records = [record for record in records if reachable(call, resource, record)]
    if resource == "comment":
        records = [record for record in records if not record["private"]]
    return _of_teams(store, resource, records, teams) if resource in _SCOPED else records


def _of_teams(store: Store, resource: str, records: list[Record], teams: set[int]) -> list[Record]:
    """Keep the records of some teams, in the order SQLite finds them: by team, then by request."""
    found = [(team_of(store, resource, record), record.get("request", 0), record) for record in records]
    return [row for team, _, row in sorted(found, key=lambda item: item[:2]) if team in teams]


_SCOPED = _CHILDREN | {"request", "grant", "publication", "team"}


def _open_to(cluster: Record, teams: set[int]) -> bool:
    on_list = not teams.isdisjoint(cluster["access_teams"])
    return bool({"OP": True, "WL": on_list, "BL": not on_list}[cluster["access_mode"]])


def may_ask(call: Call, resource: str, action: str) -> bool:
    """Tell whether the caller may send such a request at all, before any record is looked up."""
    if call.staff:
        return True
    if resource in _LOGS:
        return call.method not in _READING
    return _VIEW.get(resource, _anyone)(call, action)


_LOGS = frozenset({"audit_log", "request_log", "task_result", "feed_entry"})


def _anyone(call: Call, action: str) -> bool:
    return True


def _staff_creates(call: Call, action: str) -> bool:
    return action != _CREATE


def _found(call: Call, resource: str, name: str) -> Record | None:
    """Look up the record that the body refers to; a malformed body counts as not found."""
    try:
        return call.world.store.get(resource, _key(call.data.get(name), call))
    except (RefusedError, PageError, AttributeError, TypeError, ValueError, OverflowError):
        return None


def _refused(value: object) -> NoReturn:
    raise TypeError(f"{value!r} is no key")


def _key(value: Any, call: Call) -> int | None:
    if isinstance(value, list):
        value = value[-1] if isinstance(call.data, Form) else _refused(value)
    return None if value is None else int(value)


def _request_create(call: Call, action: str) -> bool:
    team = _found(call, "team", "team") if action == _CREATE else None
    return action != _CREATE or bool(team and is_member(call.world.store, call.caller, team["id"], PRIVILEGED))


def _child_create(call: Call, action: str) -> bool:
    if action != _CREATE:
        return True
    request = _found(call, "request", "request")
    return bool(request and is_member(call.world.store, call.caller, request["team"], PRIVILEGED))


def _allocation_create(call: Call, action: str) -> bool:
    if action != _CREATE:
        return True
    request, cluster = _found(call, "request", "request"), _found(call, "cluster", "cluster")
    if not request or not cluster or not _child_create(call, action):
        return False
    return _open_to(cluster, {request["team"]})


def _comment_create(call: Call, action: str) -> bool:
    if action != _CREATE:
        return True
    request = _found(call, "request", "request")
    return bool(request and is_member(call.world.store, call.caller, request["team"]))


def _named_team(call: Call) -> Record | None:
    """Return the team that the body names; 500 for what is no key, because the server's check reads the raw body."""
    try:
        return call.world.store.get("team", _key(call.data.get("team"), call))
    except (AttributeError, TypeError, ValueError):
        raise PageError(500) from None


def _research_write(call: Call, action: str) -> bool:
    team = _named_team(call)
    return team is None or is_member(call.world.store, call.caller, team["id"])


def _membership_write(call: Call, action: str) -> bool:
    team = _named_team(call)
    return team is None or is_member(call.world.store, call.caller, team["id"], PRIVILEGED)


_VIEW: Mapping[str, Callable[[Call, str], bool]] = {
    "user": _staff_creates,
    "cluster": _staff_creates,
    "review": _staff_creates,
    "request": _request_create,
    "allocation": _allocation_create,
    "attachment": _child_create,
    "comment": _comment_create,
    "grant": _research_write,
    "publication": _research_write,
    "membership": _membership_write,
}


def may_touch(call: Call, resource: str, record: Record) -> bool:
    """Tell whether the caller may do this to this record."""
    if resource == "notification":
        return bool(record["user"] == call.caller["id"])
    return call.staff or _OBJECT.get(resource, _read_only)(call, resource, record)


def _read_only(call: Call, resource: str, record: Record) -> bool:
    return call.method in _READING


def _member_reads(call: Call, resource: str, record: Record) -> bool:
    return call.method in _READING and _member_writes(call, resource, record)


def _member_writes(call: Call, resource: str, record: Record) -> bool:
    return is_member(call.world.store, call.caller, team_of(call.world.store, resource, record))


def _public_comment(call: Call, resource: str, record: Record) -> bool:
    return not record["private"] and _member_writes(call, resource, record)


def _privileged_writes(call: Call, resource: str, record: Record) -> bool:
    team = team_of(call.world.store, resource, record)
    return call.method in _READING or is_member(call.world.store, call.caller, team, PRIVILEGED)


def _own_membership(call: Call, resource: str, record: Record) -> bool:
    leaving = call.method == "DELETE" and record["user"] == call.caller["id"]
    return leaving or _privileged_writes(call, resource, record)


def _own_account(call: Call, resource: str, record: Record) -> bool:
    return call.method in _READING or record["id"] == call.caller["id"]


def _own_preference(call: Call, resource: str, record: Record) -> bool:
    return bool(record["user"] == call.caller["id"])


_OBJECT: Mapping[str, Callable[[Call, str, Record], bool]] = {
    "request": _member_reads,
    "allocation": _member_reads,
    "review": _member_reads,
    "attachment": _member_reads,
    "comment": _public_comment,
    "grant": _member_writes,
    "publication": _member_writes,
    "team": _privileged_writes,
    "membership": _own_membership,
    "user": _own_account,
    "preference": _own_preference,
}
