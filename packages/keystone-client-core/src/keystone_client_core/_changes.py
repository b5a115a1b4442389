"""Compares a record before and after a change, so that an update sends only what was changed."""

from collections.abc import Mapping
from typing import Any

from ._errors import FieldError
from ._json_values import json_value
from ._messages import brief
from ._values import UnfitError


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Any:
    """Return the fields of a changed record that differ, as the data of an update.

    ``client.update_team(pk, changes(before, after))`` writes what you changed and leaves alone what others have changed
    meanwhile in other fields.

    Args:
        before: The record as it was retrieved.
        after: A changed copy of it, or only some of its fields. Values may be those that an update takes: a ``date``
            and the text that the server writes for it are the same.

    Returns:
        The changed fields with their new values. Typed as ``Any``, because each kind of record has its own type of
        update; the names and values are checked by the update.

    Raises:
        FieldError: An argument is not a record.
    """
    for name, record in (("before", before), ("after", after)):
        if not isinstance(record, Mapping):
            raise FieldError(f"{name}: give a record, not {brief(record)}.", field=name)
    return {name: value for name, value in after.items() if name not in before or _differ(before[name], value)}


def _differ(old: object, new: object) -> bool:
    old, new = _comparable(old), _comparable(new)
    return old != new or isinstance(old, bool) is not isinstance(new, bool)  # 1 == True


def _comparable(value: object) -> object:
    """Convert a value to its JSON form; keep one that JSON cannot hold, which the update then refuses."""
    try:
        return json_value(value)
    except UnfitError:
        return value
