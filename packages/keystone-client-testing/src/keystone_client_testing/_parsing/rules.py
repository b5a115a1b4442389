"""Rules across the fields of one kind of record, and what the server fills in from them.

Single values are in ``field_values``, whole bodies in ``validation``.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keystone_client_core import slugify

from .._wire import RefusedError, RefusedRowError
from .._world import passwords
from .._world.models import CREATE_CALLER
from .._world.store import Record, Store
from .bodies import Upload


class Write(NamedTuple):
    """What a validation needs to know about the write."""

    store: Store
    resource: str
    caller: Record
    instance: Record | None = None
    partial: bool = False

    @property
    def pk(self) -> int | None:
        """The id of the record that is changed; ``None`` for a new one."""
        return self.instance["id"] if self.instance else None


def check_rule(write: Write, values: dict[str, Any]) -> None:
    """Check the rule of a resource across its fields, and fill in what follows from them.

    Args:
        write: what is written, and by whom.
        values: the cleaned values; changed in place.

    Raises:
        RefusedError: 400 with the complaint.
        RefusedRowError: 500 where only the database refuses.
    """
    if rule := _RULES.get(write.resource):
        rule(write, values)
    database = write.store.database
    fields = database.fields(write.resource)
    if not all(database.fits(fields[name], value) for name, value in values.items() if name in fields):
        raise RefusedRowError(values)


def _team_rule(write: Write, values: dict[str, Any]) -> None:
    if write.instance is None and not write.caller["is_staff"] and not values.get("is_active", True):
        text = "This field cannot be set to False on new records by non-staff users."
        raise RefusedError(400, {"is_active": [text]})
    if name := values.get("name"):
        values["slug"] = slugify(name)
        if write.store.has("team", "slug", values["slug"], write.pk):
            raise RefusedError(400, {"name": ["A team with this name already exists."]})


def _caller_rule(write: Write, values: dict[str, Any]) -> None:
    """Fail with 500 for a form that empties the caller's column: the server checks it too late, in its database."""
    if write.instance is None and any(column not in values for name, column in CREATE_CALLER if name == write.resource):
        write.store.new_id(write.resource)  # the database hands it out before it refuses the row
        raise RefusedRowError(values)


def _membership_rule(write: Write, values: dict[str, Any]) -> None:
    team = write.store.get("team", values.get("team"))
    if team and not team["is_active"] and not write.caller["is_staff"]:
        text = "Non-staff cannot create a membership for an inactive team."
        raise RefusedError(400, {"team": [text]})


def _user_rule(write: Write, values: dict[str, Any]) -> None:
    if "password" in values:
        if found := passwords.complaints(values["password"]):
            raise RefusedError(400, {"non_field_errors": found})
        values["password"] = passwords.Secret(values["password"])


def _comment_rule(write: Write, values: dict[str, Any]) -> None:
    private = values.get("private", False) or bool(write.instance and write.instance["private"])
    if private and not write.caller["is_staff"]:
        text = "Only staff users can write comments marked as private."
        raise RefusedError(400, {"private": [text]})


def _publication_rule(write: Write, values: dict[str, Any]) -> None:
    """Fail with 500 for a second empty doi: the server checks only other texts, and its database refuses it."""
    if values.get("doi") == "" and write.store.has("publication", "doi", "", write.pk):
        if write.instance is None:
            write.store.new_id("publication")  # the database hands it out before it refuses the row
        raise RefusedRowError(values)


def _attachment_rule(write: Write, values: dict[str, Any]) -> None:
    upload = values.get("file")
    if isinstance(upload, Upload) and not values.get("name") and write.instance is None:
        values["name"] = upload.name


_RULES: Mapping[str, Callable[[Write, dict[str, Any]], None]] = {
    "review": _caller_rule,
    "preference": _caller_rule,
    "team": _team_rule,
    "membership": _membership_rule,
    "user": _user_rule,
    "comment": _comment_rule,
    "publication": _publication_rule,
    "attachment": _attachment_rule,
}
