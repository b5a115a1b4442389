"""A world as JSON text and back: records, ids handed out, uploads and tokens; versioned; one world, one text.

Sessions, journal, faults and clock are not part of it, nor are the kind of database and what held transactions wrote.
Passwords are in it as salted hashes, never as they were typed.
"""

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from .database import Database
from .passwords import Secret
from .state import World
from .store import Store

VERSION = 1
_TAG = "$"
"""The only key of an object that stands for a value JSON does not have."""

_WRITE: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (dt.datetime, "datetime", dt.datetime.isoformat),
    (dt.date, "date", dt.date.isoformat),
    (Decimal, "decimal", str),
    (tuple, "tuple", list),
    (Secret, "password", lambda secret: secret.parts()),
)
_READ: Mapping[str, Callable[[Any], Any]] = {
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "decimal": Decimal,
    "tuple": tuple,
    "password": lambda parts: Secret.from_parts(*parts),
}


def dump_world(world: World) -> str:
    """Return a world as text.

    Args:
        world: what to write down; its lock is held meanwhile.

    Returns:
        JSON text.
    """
    with world.lock:
        tables, counters = world.store.snapshot()
        content = {
            "version": VERSION,
            "counters": counters,
            "tables": {name: [_written(row) for row in table.values()] for name, table in tables.items()},
            "files": {path: base64.b64encode(data).decode("ascii") for path, data in world.store.files.items()},
            "tokens": world.sessions.tokens,
        }
    return json.dumps(content, indent=1, ensure_ascii=False)


def load_world(world: World, text: str) -> None:
    """Replace a world by that of a dump. All sessions and held transactions end; the kind of database stays.

    Args:
        world: what becomes another.
        text: what ``dump_world`` returned.

    Raises:
        ValueError: the text is no dump of a world, or of a version this package does not know; nothing has changed.
    """
    store, tokens = _read_text(text, world.database)
    with world.lock:
        world.transactions.drop()
        world.store = store
        world.sessions.live = {}
        world.sessions.tokens = tokens


def _read_text(text: str, database: Database) -> tuple[Store, dict[str, int]]:
    try:
        content = json.loads(text, object_hook=_read)
        version = content["version"]
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"this is no dump of a fake Keystone: {error!r}") from None
    if version != VERSION:
        raise ValueError(f"this dump has version {version!r}; this package reads version {VERSION}")
    try:
        return _filled(content, database), dict(content["tokens"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"this dump of a fake Keystone is damaged: {error!r}") from error


def _filled(content: Mapping[str, Any], database: Database) -> Store:
    store = Store(database)
    tables = {name: {row["id"]: row for row in rows} for name, rows in content["tables"].items()}
    store.restore((tables, content["counters"]))
    store.files = {path: base64.b64decode(data) for path, data in content["files"].items()}
    return store


def _written(value: Any) -> Any:
    for kind, name, write in _WRITE:
        if isinstance(value, kind):
            return {_TAG: [name, write(value)]}
    if isinstance(value, dict):
        pairs = {key: _written(item) for key, item in value.items()}
        return {_TAG: ["object", list(pairs.items())]} if _TAG in pairs else pairs
    return [_written(item) for item in value] if isinstance(value, list) else value


def _read(pairs: dict[str, Any]) -> Any:
    if pairs.keys() != {_TAG}:
        return pairs
    name, value = pairs[_TAG]
    return dict(value) if name == "object" else _READ[name](value)
