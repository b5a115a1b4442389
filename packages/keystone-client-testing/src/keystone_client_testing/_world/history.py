"""The audit trail: what each write changed, in the server's words, and the rows it leaves in the audit log."""

import datetime as dt
import re
import unicodedata
from functools import cache, lru_cache
from typing import Any, NamedTuple

from .._wire import PageError
from .addresses import shortened
from .database import Database
from .models import AUDITED, COLUMNS, CONTENT_TYPES, TOUCHED
from .store import Record, Store

CREATE, UPDATE, DELETE = 0, 1, 2
Changes = dict[str, list[str]]

_MASK = "*" * 88
"""The server masks half of a password's hash; the fake shows nothing of it."""
_SKIPPED = frozenset({("user", "last_login")})
_TITLE_LENGTH = 100


class Origin(NamedTuple):
    """Who a write came from: stands in every audit row it causes; all ``None`` for seeds."""

    actor: Record | None = None
    cid: str | None = None
    address: str | None = None
    port: int | None = None


def record_change(
    store: Store, resource: str, old: Record | None, new: Record | None, now: dt.datetime, origin: Origin
) -> None:
    """Add an audit row for one write, unless nothing changed or the model is not audited.

    Args:
        store: where the row goes.
        resource: the kind of record.
        old: the record before; ``None`` when it was created.
        new: the record after; ``None`` when it was deleted.
        now: the moment of the write.
        origin: who wrote.
    """
    if resource not in AUDITED:
        return
    changes = _changes(resource, old, new)
    record = new or old
    if not changes or record is None:
        return
    origin = _checked(store, origin)
    store.insert("audit_log", _row(store, resource, record, _action(old, new), changes, now, origin))


def _checked(store: Store, origin: Origin) -> Origin:
    """Return an origin as the audit log keeps it.

    Raises:
        PageError: 500 where the audit log has no place for the address or the port.
    """
    most = store.database.maxima["audit_log", "remote_port"]
    if origin.port is not None and not 0 <= origin.port <= most:
        raise PageError(500)
    if not origin.address:
        return Origin(origin.actor, origin.cid, None, origin.port)
    try:
        return origin._replace(address=_kept_address(store.database, origin.address))
    except ValueError:
        raise PageError(500) from None


@lru_cache(1024)
def _kept_address(database: Database, address: str) -> str:
    """Return an address as the audit log keeps it; ``ValueError`` where the database does not take it."""
    read = database.read_address(shortened(address))
    return str(getattr(read, "ip", read))


def _action(old: Record | None, new: Record | None) -> int:
    return CREATE if old is None else DELETE if new is None else UPDATE


def _row(
    store: Store, resource: str, record: Record, action: int, changes: Changes, now: dt.datetime, origin: Origin
) -> Record:
    return {
        "target": (resource, record["id"]),
        "action": action,
        "changes": changes,
        "cid": origin.cid,
        "remote_addr": origin.address,
        "remote_port": origin.port,
        "timestamp": now,
        "actor": origin.actor and origin.actor["id"],
        "actor_email": origin.actor and origin.actor["email"],
        "changes_text": "",
        "content_type": CONTENT_TYPES[resource],
        "object_id": record["id"],
        "object_pk": str(record["id"]),
        "object_repr": title(store, resource, record),
    }


def _changes(resource: str, old: Record | None, new: Record | None) -> Changes:
    changes: Changes = {}
    if old is None or new is None:
        nothing = "None"
        for name, text in AUDITED[resource].artefacts.items():
            changes[name] = [nothing, text] if old is None else [text, nothing]
    for name in _audited(resource):
        before, after = old and old[name], new and new[name]
        if before is not after and (pair := _pair(name, before, after)):
            changes[name] = pair
    if old and new:
        changes.pop(TOUCHED.get(resource, ""), None)
    return changes


@cache
def _audited(resource: str) -> list[str]:
    """Return the columns whose values the audit log keeps."""
    columns = COLUMNS[resource].items()
    return [name for name, field in columns if field.kind != "keys" and (resource, name) not in _SKIPPED]


def _pair(name: str, before: Any, after: Any) -> list[str]:
    if name == "password":
        return [_masked(before), _masked(after)]
    pair = ["None" if value is None else as_text(value) for value in (before, after)]
    return pair if pair[0] != pair[1] else []


def _masked(value: Any) -> str:
    return "**ne" if value is None else _MASK


def as_text(value: Any) -> str:
    """Return a value as the audit log writes it."""
    return str(value.replace(tzinfo=None)) if isinstance(value, dt.datetime) else str(value)


def title(store: Store, resource: str, record: Record) -> str:
    """Return what the audit log and the feed call a record."""
    texts, paths = _template(AUDITED[resource].title)
    return texts.format(*[_named(store, resource, record, path) for path in paths])


@cache
def _template(title: str) -> tuple[str, list[str]]:
    """Split a title into a format with empty places and the paths of what stands in them."""
    return re.sub(r"\{[a-z_.]+\}", "{}", title), re.findall(r"\{([a-z_.]+)\}", title)


def _named(store: Store, resource: str, record: Record, path: str) -> str:
    name, _, rest = path.partition(".")
    field = COLUMNS[resource][name]
    if not field.target or field.kind != "key":
        return _truncated(record[name]) if name == "title" else str(record[name])
    found = store.get(field.target, record[name])
    if found is None:
        return "None"
    return _named(store, field.target, found, rest) if rest else title(store, field.target, found)


def _truncated(text: str) -> str:
    text = unicodedata.normalize("NFC", text)  # as Django's truncation does, whether or not it cuts
    return text if len(text) <= _TITLE_LENGTH else text[: _TITLE_LENGTH - 1] + "…"
