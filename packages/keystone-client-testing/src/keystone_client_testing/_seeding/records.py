"""Records as they are stored: completed with defaults, and with the records they need. No permissions."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from keystone_client_core import CHOICES, Field, slugify

from .._parsing.bodies import Upload
from .._parsing.uploads import storage_path
from .._world.history import Origin, record_change
from .._world.models import COLUMNS, CREATED_NOW, HISTORY_LINK, TABLES, TOUCHED, empty_record, unique_columns
from .._world.passwords import Secret
from .._world.state import World
from .._world.store import Record
from . import audit
from .files import DEFAULT as DEFAULT_FILE
from .files import read_upload
from .values import key_of, refuse_doubles, stored_values

DEFAULT_PASSWORD = "quickstart"
CHANGING = tuple(name for name in TABLES if name != "audit_log")
"""The kinds of records that ``store_change`` changes."""
_NAMES = {"user": "username", "team": "name", "cluster": "name", "request": "title", "grant": "title",
          "publication": "title", "task_result": "task_id"}  # fmt: skip
_FORMS = {"username": "user{}", "task_id": "task-{}"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "membership": {"role": "MB"},
    "request": {"description": "Compute time for a project."},
    "allocation": {"requested": 1000},
    "review": {"status": "AP"},
    "comment": {"content": "A comment."},
    "grant": {"agency": "NSF", "amount": Decimal("10000.00"), "start_date": dt.date(2024, 1, 1)},
    "notification": {
        "subject": "A notification", "message_html": "<p>A message.</p>", "message_text": "A message.",
        "notification_type": "GM", "read": False,
    },
    "task_result": {
        "task_name": "a.task", "status": "SUCCESS", "content_type": "application/json",
        "content_encoding": "utf-8", "result": "null", "meta": "{}",
    },
    "request_log": {"method": "GET", "endpoint": "/", "response_code": 200},
}  # fmt: skip

_MADE_UP: Mapping[str, Callable[[Field, int], Any]] = {
    "text": lambda field, number: f"{field.name} {number}"[: field.length],
    "email": lambda field, number: f"{field.name}{number}@example.org",
    "int": lambda field, number: field.minimum or 0,
    "decimal": lambda field, number: Decimal("0.00"),
    "bool": lambda field, number: False,
    "date": lambda field, number: dt.date(2024, 1, 1),
    "choice": lambda field, number: next(iter(CHOICES[field.target])),
    "json": lambda field, number: {},
}
"""Values of fields without a default that may not be null: those a newer server has added to the table of resources."""


class Records:
    """Adds and changes the records of a world, with their history."""

    def __init__(self, world: World, moment: dt.datetime | None = None, by: int | None = None) -> None:
        """Seed into a world.

        Args:
            world: where the records go.
            moment: when the records were made; now by default.
            by: id of the user the history names.
        """
        self._world = world
        self._moment = moment
        self.by = by

    def store_change(self, resource: str, record: Any, **fields: Any) -> Record:
        """Change a record as if through the API, history included, and return it as it is stored."""
        store = self._world.store
        if resource not in CHANGING:
            raise ValueError(f"resource={resource!r} has no records that change: one of {', '.join(CHANGING)}")
        key = self.key_of(resource, record)
        self._refuse_unknown(resource, fields)
        if "id" in fields:
            raise ValueError(f"{resource} field 'id': the server never changes it; add another {resource}")
        old = store.tables[resource][key]
        stored = self._stored(resource, {**self._touched(resource), **fields}, old)
        refuse_doubles(store, resource, {**old, **stored}, but=key)
        sent = self._keep_file(stored)
        new = store.update(resource, key, stored)
        record_change(store, resource, old, {**new, **sent}, self.moment, Origin(store.get("user", self.by)))
        return new

    def store(self, resource: str, **fields: Any) -> Record:
        """Add a record and return it as it is stored."""
        store, now = self._world.store, self.moment
        self._refuse_unknown(resource, fields)
        values = dict.fromkeys(CREATED_NOW.get(resource, ()), now) | DEFAULTS.get(resource, {})
        stored = self._audit_row(fields) if resource == "audit_log" else self._stored(resource, fields)
        record = empty_record(resource) | values | stored
        self._name(resource, record, fields)
        refuse_doubles(store, resource, record)  # before anything is written that it needs
        self._relate(resource, record, fields)
        self._keep_file(record)
        record = store.insert(resource, record)
        record_change(store, resource, None, record, now, Origin(store.get("user", self.by)))
        return record

    def key_of(self, resource: str, record: Any) -> int:
        """Return the id of a record given as id, record or name; ``LookupError`` where there is none."""
        return key_of(self._world.store, resource, record)

    def first(self, resource: str, **values: Any) -> Record | None:
        """Return the first record with these values as it is stored, or ``None``."""
        table = self._world.store.tables[resource].values()
        return next((row for row in table if all(row[name] == value for name, value in values.items())), None)

    def newest(self, resource: str) -> int:
        """Return the id of the newest record of a kind, made where there is none."""
        known = self._world.store.tables[resource]
        return max(known) if known else int(self.store(resource)["id"])

    @property
    def moment(self) -> dt.datetime:
        """When the records are made."""
        return self._moment or self._world.clock.now()

    def backdate(self, user: int, moment: dt.datetime) -> None:
        """Let a user have joined at another time, in the history too."""
        store = self._world.store
        store.update("user", user, {"date_joined": moment})
        for row in store.linked("audit_log", HISTORY_LINK, ("user", user)):
            joined = ["None", str(moment.replace(tzinfo=None))]
            store.update(
                "audit_log", row["id"], {"timestamp": moment, "changes": {**row["changes"], "date_joined": joined}}
            )

    def stored(self, resource: str, key: int) -> Record:
        """Return a record as it is stored."""
        return self._world.store.tables[resource][key]

    def linked(self, resource: str, field: str, key: int) -> list[Record]:
        """Return the records that point at another, as they are stored."""
        return self._world.store.linked(resource, field, key)

    def _refuse_unknown(self, resource: str, fields: dict[str, Any]) -> None:
        known = dict.fromkeys([*COLUMNS[resource], *(audit.VISIBLE if resource == "audit_log" else ())])
        if unknown := [name for name in fields if name not in known]:
            raise TypeError(f"a {resource} has no {unknown[0]!r}; its fields are: {', '.join(known)}")

    def _touched(self, resource: str) -> Record:
        return {TOUCHED[resource]: self.moment} if resource in TOUCHED else {}

    def _stored(self, resource: str, fields: dict[str, Any], old: Record | None = None) -> Record:
        """Return the given values as they are stored, with what the server makes of them; a file is an upload yet."""
        stored = stored_values(self._world.store, resource, {n: v for n, v in fields.items() if n != "file"})
        if resource == "team" and "name" in stored:
            stored = {"slug": slugify(stored["name"]), **stored}
        if resource == "attachment" and (old is None or "file" in fields):
            upload = read_upload(fields.get("file", DEFAULT_FILE), stored.get("name"))
            name = {} if old else {"name": stored.get("name") or upload.name}
            stored = {**stored, **name, "file": upload}
        return stored

    def _audit_row(self, fields: dict[str, Any]) -> Record:
        """Return a row of the audit log as it is stored: what follows from what it is about, and what is given."""
        audit.refuse_derived(fields)
        store = self._world.store
        own = {name: value for name, value in fields.items() if name not in audit.VISIBLE}
        stored = {"actor": self.by} | stored_values(store, "audit_log", own)
        return audit.audit_columns(store, fields, store.get("user", stored["actor"])) | stored

    def _name(self, resource: str, record: Record, fields: dict[str, Any]) -> None:
        """Give a record the name, and a user the password, that the test has not given."""
        number = len(self._world.store.tables[resource]) + 1
        if (name := _NAMES.get(resource)) and name not in fields:
            record[name] = self._free_name(resource, name, number)
        if resource == "team" and not record["slug"]:
            record["slug"] = slugify(record["name"])
        if resource == "user" and "password" not in fields:
            record["password"] = Secret(DEFAULT_PASSWORD)
        for name, field in COLUMNS[resource].items():
            missing = record[name] is None and field.writable and not field.nullable
            if missing and field.kind in _MADE_UP:
                record[name] = _MADE_UP[field.kind](field, number)

    def _relate(self, resource: str, record: Record, fields: dict[str, Any]) -> None:
        """Point a record at the others it needs; they are made where there are none."""
        for name, field in COLUMNS[resource].items():
            needed = field.kind == "key" and field.target and not field.nullable
            if needed and name not in fields and record[name] is None:
                record[name] = self._related(resource, field)

    def _related(self, resource: str, field: Field) -> int:
        """Reuse the only request, team and so on where that is not unique; make one where there is none."""
        store = self._world.store
        if field.target == "user" and resource not in ("membership", "preference", "notification"):
            return 1 if 1 in store.tables["user"] else int(self.store("user")["id"])
        if field.target in ("cluster", "team", "request") and resource != "membership":
            return self.newest(field.target)
        return int(self.store(field.target)["id"])

    def _free_name(self, resource: str, field: str, number: int) -> str:
        """Return a name that no other record has, where it has to be unique."""
        form = _FORMS.get(field, resource.title() + " {}")
        unique = (field,) in unique_columns(resource)
        while unique and self._world.store.has(resource, field, form.format(number)):
            number += 1
        return form.format(number)

    def _keep_file(self, record: Record) -> Record:
        """Store the upload of a record, and return what the history says of it: the name before it is stored."""
        upload = record.get("file")
        if not isinstance(upload, Upload):
            return {}
        record["file"] = storage_path(self._world.store, upload.name)
        self._world.store.files[record["file"]] = upload.content
        return {"file": upload.name}
