"""What a test writes into a seed, turned into what is stored; a world the server could not hold is refused."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from keystone_client_core import CHOICES, RESOURCES, Field

from .._parsing.bodies import Upload
from .._parsing.field_values import parse_date
from .._world.passwords import Secret
from .._world.store import Record, Store

NAMES: Mapping[str, str] = {"user": "username", "team": "name", "cluster": "name"}
"""What a record may be called instead of its id."""


def key_of(store: Store, resource: str, value: Any) -> int:
    """Return the id of a record that is there.

    Args:
        store: where it should be.
        resource: its kind.
        value: id or record; of users, teams and clusters also the name.

    Raises:
        LookupError: there is no such record.
    """
    if isinstance(value, Mapping):
        value = value["id"]
    name = NAMES.get(resource, "")
    rows = store.linked(resource, name, value) if isinstance(value, str) and name else ()
    found = rows[0] if rows else store.get(resource, value) if isinstance(value, int) else None
    if found is None:
        raise LookupError(
            f"the fake has no {resource} {value!r}; add it with fake.add.{resource}({name}{name and '=...'})"
        )
    return int(found["id"])


def stored_value(store: Store, field: Field, value: Any) -> Any:
    """Take what a test would write: texts for dates, numbers for amounts, records and names for keys.

    Args:
        store: where keys are looked up.
        field: what the value is for.
        value: as the test wrote it.

    Raises:
        ValueError: the field cannot hold it.
        LookupError: there is no record of that key.
    """
    if field.kind == "key" and field.target and value is not None:
        return key_of(store, field.target, value)
    if field.kind == "keys" and value is not None:
        return sorted({key_of(store, field.target, item) if field.target else item for item in value})
    if field.kind == "choice":
        return _choice(field, value)
    if value is None or isinstance(value, Secret) or field.kind not in _PLAIN:
        return value
    try:
        return _PLAIN[field.kind](value)
    except (ValueError, TypeError, ArithmeticError) as error:
        shown = "..." if field.write_only else repr(value)
        raise ValueError(f"{field.name}={shown} is no {field.kind}: {error}") from None


def _choice(field: Field, value: Any) -> str:
    if value not in CHOICES[field.target]:
        raise ValueError(f"{field.name}={value!r} is no choice: one of {', '.join(CHOICES[field.target])}")
    return str(value)


def _moment(value: Any) -> dt.datetime:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _date(value: Any) -> dt.date:
    day = parse_date(value) if isinstance(value, str) else value
    if not isinstance(day, dt.date) or isinstance(day, dt.datetime):
        raise TypeError("give a date, or a text like 2024-01-05")
    return day


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("give True or False")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("give a text")
    return str(value)


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "date": _date,
    "datetime": _moment,
    "decimal": lambda value: Decimal(str(value)).quantize(Decimal("0.01")),
    "bool": _bool,
    "int": int,
    "text": _text,
}


def moment_of(value: dt.datetime | str) -> dt.datetime:
    """Return a moment in UTC; one without a zone is taken for UTC."""
    return _moment(value)


def refuse_doubles(store: Store, resource: str, record: Record, but: int | None = None) -> None:
    """Refuse a record where the database would: a name, or a pair of keys, that must be unique and is taken.

    Args:
        store: where the others are.
        resource: its kind.
        record: what is to be stored.
        but: the record that is changed.

    Raises:
        ValueError: it is taken.
    """
    unique = [(field.name,) for field in RESOURCES[resource].fields.values() if field.unique]
    for names in (("id",), *unique, *filter(None, [RESOURCES[resource].unique_together])):
        values = [record.get(name) for name in names]
        if None not in values and any(pk != but for pk in _holders(store, resource, names, values)):
            given = ", ".join(f"{name}={value!r}" for name, value in zip(names, values, strict=True))
            raise ValueError(f"the fake has a {resource} with {given} already")


def _holders(store: Store, resource: str, names: tuple[str, ...], values: list[Any]) -> list[int]:
    if names == ("id",):
        return values if store.get(resource, values[0]) else []
    rows = store.linked(resource, names[0], values[0])
    return [row["id"] for row in rows if [row[name] for name in names] == values]


def as_upload(record: Record, content: Any) -> Upload:
    """Return the file of a seeded attachment."""
    return Upload(record["name"] or "attachment.txt", content if isinstance(content, bytes) else b"")
