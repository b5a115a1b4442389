"""Records as they are stored: completed with sensible defaults, and with the records they need. No login, no checks."""

import datetime as dt
from decimal import Decimal
from typing import Any

from keystone_client_core import RESOURCES, Field, slugify

from .._parsing.uploads import storage_path
from .._world.history import Origin, record_change
from .._world.models import COLUMNS, CREATED_NOW, HISTORY_LINK, empty_record
from .._world.passwords import Secret
from .._world.state import World
from .._world.store import Record
from .values import as_upload, refuse_doubles, stored_value

DEFAULT_PASSWORD = "quickstart"
_NAMES = {"user": "username", "team": "name", "cluster": "name", "request": "title", "grant": "title",
          "publication": "title"}  # fmt: skip
_TEXTS: dict[str, dict[str, Any]] = {
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
        world, key = self._world, record["id"] if isinstance(record, dict) else record
        self._refuse_unknown(resource, fields)
        if (old := world.store.get(resource, key)) is None:
            raise LookupError(f"the fake has no {resource} {key!r}")
        stored = {name: stored_value(world.store, COLUMNS[resource][name], value) for name, value in fields.items()}
        refuse_doubles(world.store, resource, {**old, **stored}, but=key)
        new = world.store.update(resource, key, stored)
        record_change(world.store, resource, old, new, self.moment, Origin(world.store.get("user", self.by)))
        return new

    def store(self, resource: str, **fields: Any) -> Record:
        """Add a record and return it as it is stored."""
        world = self._world
        self._refuse_unknown(resource, fields)
        completed = self._completed(resource, fields)
        refuse_doubles(world.store, resource, completed)
        record = world.store.insert(resource, completed)
        record_change(world.store, resource, None, record, self.moment, Origin(world.store.get("user", self.by)))
        return record

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
        unknown = [name for name in fields if name not in COLUMNS[resource]]
        if unknown:
            raise TypeError(f"a {resource} has no {unknown[0]!r}; its fields are: {', '.join(COLUMNS[resource])}")

    def _completed(self, resource: str, fields: dict[str, Any]) -> Record:
        now = self.moment
        record = {
            **empty_record(resource),
            **dict.fromkeys(CREATED_NOW.get(resource, ()), now),
            **_TEXTS.get(resource, {}),
        }
        for name, value in fields.items():  # first, so that a value that is refused leaves nothing behind
            record[name] = stored_value(self._world.store, COLUMNS[resource][name], value)
        for name, field in COLUMNS[resource].items():
            needed = field.kind == "key" and field.target and not field.nullable
            if needed and name not in fields and record[name] is None:
                record[name] = self._related(resource, field)
        return self._finished(resource, record, fields)

    def _related(self, resource: str, field: Field) -> int:
        """Reuse the only request, team and so on where that is not unique; make one where there is none."""
        store = self._world.store
        if field.target == "user" and resource not in ("membership", "preference", "notification"):
            return 1 if 1 in store.tables["user"] else int(self.store("user")["id"])
        if field.target in ("cluster", "team", "request") and resource != "membership":
            return self.newest(field.target)
        return int(self.store(field.target)["id"])

    def _finished(self, resource: str, record: Record, fields: dict[str, Any]) -> Record:
        number = len(self._world.store.tables[resource]) + 1
        if (name := _NAMES.get(resource)) and not record[name]:
            record[name] = self._free_name(resource, name, number)
        if resource == "user":
            password = fields.get("password", DEFAULT_PASSWORD)
            record["password"] = password if isinstance(password, Secret) else Secret(password)
        if resource == "team":
            record["slug"] = fields.get("slug") or slugify(record["name"])
        if resource == "task_result" and not record["task_id"]:
            record["task_id"] = f"task-{number}"
        if resource == "attachment":
            self._keep_file(record, fields.get("file", b"An attachment."))
        return record

    def _free_name(self, resource: str, field: str, number: int) -> str:
        form = "user{}" if resource == "user" else f"{resource.title()} {{}}"
        unique = RESOURCES[resource].fields[field].unique
        while unique and self._world.store.has(resource, field, form.format(number)):
            number += 1
        return form.format(number)

    def _keep_file(self, record: Record, content: Any) -> None:
        upload = as_upload(record, content)
        record["file"] = content if isinstance(content, str) else storage_path(self._world.store, upload.name)
        record["name"] = upload.name
        self._world.store.files[record["file"]] = upload.content
