"""Seeds of the audit log: rows of any time, user and address, also about records that no longer exist."""

from collections.abc import Mapping
from typing import Any

from keystone_client_core import AUDIT_ACTIONS, RESOURCES, FieldError, brief, primary_key

from .._world.history import title
from .._world.models import AUDITED, CONTENT_TYPES, HISTORY_LINK
from .._world.store import Record, Store

VISIBLE = ("record_name", "record_id", "action")
"""Fields that the API shows in another form than the row stores them."""
DERIVED = ("content_type", "object_id", "object_pk")
"""Columns that follow from ``record_name`` and ``record_id``."""
_KIND_OF: Mapping[str, str] = {model.label: resource for resource, model in AUDITED.items()}
_DEFAULT = "user"


def audit_columns(store: Store, given: Mapping[str, Any], actor: Record | None) -> Record:
    """Return the columns of an audit row that follow from what a test says of it.

    Args:
        store: the records of the world.
        given: ``record_name``, ``record_id`` and ``action`` as the API shows them, each with a default: the creation of
            the first user.
        actor: who is named.

    Returns:
        The columns, as they are stored.

    Raises:
        FieldError: there is no such kind of record or action, or the id is none.
    """
    resource = _one_of(_KIND_OF, "record_name", given.get("record_name", AUDITED[_DEFAULT].label))
    codes = {name: code for code, name in enumerate(AUDIT_ACTIONS)}
    action = _one_of(codes, "action", given.get("action", AUDIT_ACTIONS[0]))
    key = primary_key(given.get("record_id", 1))
    record = store.get(resource, key)
    return {
        HISTORY_LINK: (resource, key),
        "action": action,
        "content_type": CONTENT_TYPES[resource],
        "object_id": key,
        "object_pk": str(key),
        "object_repr": title(store, resource, record) if record else f"{RESOURCES[resource].model} #{key}",
        "changes": {},
        "changes_text": "",
        "actor_email": actor and actor["email"],
    }


def refuse_derived(given: Mapping[str, Any]) -> None:
    """Refuse columns that could contradict each other.

    Raises:
        FieldError: one of them is given.
    """
    if found := [name for name in DERIVED if name in given]:
        raise FieldError(f"audit_log field {found[0]!r}: it follows from record_name and record_id", field=found[0])


def _one_of(known: Mapping[str, Any], name: str, value: Any) -> Any:
    if not isinstance(value, str) or value not in known:
        text = f"{brief(value)} does not fit: give one of {', '.join(known)}"
        raise FieldError(f"audit_log field {name!r}: {text}", field=name)
    return known[value]
