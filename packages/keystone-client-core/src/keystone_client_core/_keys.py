"""Primary keys, and the paths of the records that they belong to."""

import re

from ._errors import FieldError
from ._messages import brief
from ._values import LARGEST, integer

_KEY = re.compile("[1-9][0-9]{0,18}")


def primary_key(pk: object) -> int:
    """Check a primary key.

    Args:
        pk: A positive integer up to 2**63 - 1, or its decimal digits as text: ``1`` or ``"1"``.

    Returns:
        The key as an ``int``.

    Raises:
        FieldError: It is anything else, including ``None`` and ``True``.
    """
    key = _as_key(pk)
    if key is not None:
        return key
    if pk is None:
        hint = "None is no primary key: a missing value must not turn into the whole table. Leave pk out for a listing."
    elif hasattr(pk, "keys"):
        more = "" if "id" in pk else " To find records by their fields, retrieve them with filters=."  # type: ignore[operator]
        hint = f"{brief(pk)} is no primary key; give the record's 'id'.{more}"
    elif isinstance(pk, str) and not pk.isdigit():
        hint = (
            f"{brief(pk)} is no primary key; give a positive integer such as 1 or '1'. To find records by another "
            "field, retrieve them with filters=."
        )
    else:
        hint = f"{brief(pk)} is no primary key; give a positive integer such as 1 or '1'."
    raise FieldError(hint, field="pk")


def record_path(resource_path: str, pk: object) -> str:
    """Return the path of one record.

    Args:
        resource_path: The path of the resource, without slashes at its ends: ``allocations/clusters``.
        pk: The primary key.

    Returns:
        The path below the base URL: ``allocations/clusters/5/``.

    Raises:
        FieldError: ``primary_key`` refuses the key.
    """
    return f"{resource_path}/{primary_key(pk)}/"


def _as_key(pk: object) -> int | None:
    key = (int(pk) if _KEY.fullmatch(pk) else None) if isinstance(pk, str) else integer(pk)
    return key if key is not None and 0 < key <= LARGEST else None
