"""What a test writes into a seed, turned into what is stored; what a server could not hold is refused.

A value takes the way of a request: core encodes it, as the client does, and refuses what JSON cannot hold and what the
server would change without an error. Then the server's own check of the field reads it. Beyond that, a key may be a
record or a name, and columns that only the server writes may be given.
"""

import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from keystone_client_core import RESOURCES, Field, FieldError, brief, encode_fields, primary_key

from .._parsing.field_values import CLEANERS, NULL, InvalidError, clean_text, text_complaints
from .._parsing.validation import username_complaints
from .._world import passwords
from .._world.models import COLUMNS, unique_columns
from .._world.passwords import Secret
from .._world.store import Record, Store
from .columns import is_server_written, seeded

NAMES: Mapping[str, str] = {"user": "username", "team": "name", "cluster": "name"}
"""What a record may be called instead of its id."""
_TEXTS = frozenset({"text", "email", "slug", "ip"})
_SLUG = re.compile(r"[-a-zA-Z0-9_]*")
_NANOSECONDS = re.compile(r"[.,]\d{6}\d*[1-9]")


def stored_values(store: Store, resource: str, given: Mapping[str, Any]) -> Record:
    """Take what a test would write: texts for dates, numbers for amounts, records and names for keys.

    Args:
        store: where keys are looked up, and whose database has the bounds.
        resource: the kind of record.
        given: values by column, without files.

    Returns:
        The values as they are stored.

    Raises:
        ValueError: a column cannot hold its value.
        LookupError: there is no record of a key.
    """
    table = seeded(store.database, resource)
    fields = table.fields
    kept = {n: value for n, value in given.items() if isinstance(value, Secret) or fields[n].kind == "datetime"}
    sent = encode_fields(table, {n: _with_ids(store, fields[n], given[n]) for n in given if n not in kept}, "update")
    for name, value in {**kept, **sent}.items():
        sent[name] = _fitting(resource, fields[name], value, partial(_clean, store, resource, fields[name]))
    return sent


def key_of(store: Store, resource: str, value: Any) -> int:
    """Return the id of a record that is there.

    Args:
        store: where it should be.
        resource: its kind.
        value: id or record; of users, teams and clusters also the name.

    Raises:
        LookupError: there is no such record.
    """
    key = _id_of(resource, value) if isinstance(value, Mapping) else value
    name = NAMES.get(resource, "")
    rows = store.linked(resource, name, key) if isinstance(key, str) and name else ()
    found = rows[0] if rows else store.get(resource, _primary_key(key))
    if found is None:
        raise LookupError(
            f"the fake has no {resource} {brief(value)}; add it with fake.add.{resource}({name}{name and '=...'})"
        )
    return int(found["id"])


def _id_of(resource: str, record: Mapping[str, Any]) -> Any:
    """Return the id of a whole record or of its summary; refuse a record of another kind, whose id would mislead."""
    if strange := [name for name in record if not (name in COLUMNS[resource] or name in RESOURCES[resource].fields)]:
        raise LookupError(f"this record is no {resource}: a {resource} has no {strange[0]!r}; {brief(record)}")
    return record.get("id")


def _primary_key(value: Any) -> int | None:
    try:
        return primary_key(value)
    except FieldError:
        return None


def moment_of(value: Any) -> dt.datetime:
    """Return a moment in UTC; one without a zone is taken for UTC, a date for its first moment.

    Raises:
        ValueError: it is none, or has parts of a microsecond.
    """
    try:
        text = value if isinstance(value, str) else value.isoformat()
        moment = dt.datetime.fromisoformat(text)
        moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{brief(value)} is no time: give a datetime, or a text like 2024-01-05T09:00, that the calendar has in UTC"
        ) from error
    if getattr(value, "nanosecond", 0) or _NANOSECONDS.search(text):
        raise ValueError(f"{value} has nanoseconds, and the server keeps microseconds: round it")
    return moment


def refuse_doubles(store: Store, resource: str, record: Record, but: int | None = None) -> None:
    """Refuse a record where the database would: values that may stand once in its table, and are taken.

    Args:
        store: where the others are.
        resource: its kind.
        record: what is to be stored.
        but: the record that is changed.

    Raises:
        ValueError: it is taken.
    """
    for names in (("id",), *unique_columns(resource)):
        values = [record.get(name) for name in names]
        if None not in values and any(pk != but for pk in _holders(store, resource, names, values)):
            given = ", ".join(f"{name}={value!r}" for name, value in zip(names, values, strict=True))
            raise ValueError(f"the fake has a {resource} with {given} already")


def _holders(store: Store, resource: str, names: tuple[str, ...], values: list[Any]) -> list[int]:
    if names == ("id",):
        return values if store.get(resource, values[0]) else []
    rows = store.linked(resource, names[0], values[0])
    return [row["id"] for row in rows if [row.get(name) for name in names] == values]


def _with_ids(store: Store, field: Field, value: Any) -> Any:
    """Turn records and names into ids."""
    if value is None or not field.target:
        return value
    if field.kind == "key":
        return key_of(store, field.target, value)
    if field.kind == "keys" and isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return [key_of(store, field.target, item) for item in value]
    return value


def _fitting(resource: str, field: Field, value: Any, read: Callable[[Any], Any]) -> Any:
    """Read a value; where it cannot be read, name the field."""
    try:
        return read(value)
    except (InvalidError, ValueError) as error:
        given = "the value" if field.write_only else brief(value)  # a message must not contain a password
        why = " ".join(error.messages) if isinstance(error, InvalidError) else str(error)
        raise FieldError(f"{resource} field {field.name!r}: {given} does not fit: {why}", field=field.name) from None


def _clean(store: Store, resource: str, field: Field, value: Any) -> Any:
    """Check an encoded value as the server would, and return what it stores."""
    if value is None and not field.nullable:
        raise InvalidError(NULL)
    if value is None or isinstance(value, Secret):
        return value
    if field.kind in _TEXTS:
        return _text(store, resource, field, value)
    if read := _OTHERS.get("id" if field.name == "id" else field.kind):
        return read(field, value)
    cleaned = CLEANERS[field.kind](field, value, store)
    if not store.database.fits(field, cleaned):
        raise InvalidError("its database keeps no NUL in JSON")
    return cleaned


def _text(store: Store, resource: str, field: Field, value: Any) -> Any:
    """Check a text; those that only the server writes are neither trimmed nor refused for being blank."""
    if not isinstance(value, str):
        raise InvalidError("give text")
    text = value if is_server_written(resource, field.name) else clean_text(field, value, store)
    if not text and field.kind != "ip":  # the database has null for an empty address
        return text
    if found := [*username_complaints(resource, field, text), *text_complaints(field, text)]:
        raise InvalidError(*found)
    return _OTHER_TEXTS.get((resource, field.name), _as_it_is)(text)


def _as_it_is(text: str) -> str:
    return text


def _password(text: str) -> Secret:
    if found := passwords.complaints(text):
        raise InvalidError(*found)
    return Secret(text)


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ValueError("a slug has letters, digits, hyphens and underscores of ASCII")
    return text


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("give an IPv4 or IPv6 address") from None


_OTHER_TEXTS: Mapping[tuple[str, str], Callable[[str], Any]] = {
    ("user", "password"): _password,
    ("team", "slug"): _slug,
    ("audit_log", "remote_addr"): _address,
}
_OTHERS: Mapping[str, Callable[[Field, Any], Any]] = {
    "id": lambda field, value: primary_key(value),
    "datetime": lambda field, value: moment_of(value),
}
