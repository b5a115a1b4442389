"""References between the actions of a batch job: placeholders for values that an earlier action will return.

In the request a reference is the text ``@ref{alias.path}``. The server replaces it wherever it stands in a text and has
no way to escape it, so this module refuses text of users that looks like a reference. Actions are in ``_batch``.
"""

import re
import sys
from collections.abc import Collection, Mapping
from typing import Any

from ._errors import ReferenceTokenError
from ._messages import brief
from ._resources import Resource

_START = re.compile(r"@(?:ref|file)\{")
_TOKEN = re.compile(r"@ref\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+)+)\}")
_SECRET_REFERENCE = (
    "in a batch job the server takes a part of it for a reference of its own; write that record by itself"
)
_LABEL = re.compile(r"[A-Za-z0-9_]+")  # the server's rule


class Reference:
    """A placeholder for a value in the answer to an earlier action: ``team["id"]``, ``found["results"][0]["name"]``.

    Later actions of the same job can use it as a field value, as a primary key, in a list and in an f-string.
    """

    __slots__ = ("_alias", "_path")
    __iter__ = None  # iterating by __getitem__ would never end, since no index is out of range

    def __init__(self, alias: str, path: tuple[str | int, ...]) -> None:
        """Store the alias of the action, and the names and indexes that lead to the value in its answer."""
        self._alias, self._path = alias, path

    def __getitem__(self, label: str | int) -> "Reference":
        return Reference(self._alias, (*self._path, checked_label(label)))

    def __str__(self) -> str:
        return f"@ref{{{'.'.join([self._alias, *map(str, self._path)])}}}"

    def __repr__(self) -> str:
        return f"<reference to {''.join(f'[{label!r}]' for label in self._path)} of an action>"


def checked_label(label: object) -> str | int:
    """Check one step of a reference: the name of a field, or an index from 0.

    Returns:
        The label, unchanged.

    Raises:
        ReferenceTokenError: The server could not follow it.
    """
    if isinstance(label, str) and _LABEL.fullmatch(label):
        return label
    if isinstance(label, int) and not isinstance(label, bool) and 0 <= label <= sys.maxsize:  # no list is longer
        return label
    raise ReferenceTokenError(
        f"{brief(label)} cannot be referred to: the server follows names of letters, digits and _, and indexes from 0"
    )


def with_tokens(value: object, aliases: Collection[str]) -> Any:
    """Return a copy of a JSON value with each reference replaced by its token, the text that the server replaces.

    Args:
        value: What ``encode_fields`` returned; files are kept as they are.
        aliases: The aliases of the earlier actions of the job.

    Raises:
        ReferenceTokenError: A reference does not belong to one of these actions, or the server would take a text for a
            reference.
    """
    if isinstance(value, Reference):
        return token_of(value, aliases)
    if isinstance(value, str):
        return checked_text(value, aliases)
    if isinstance(value, Mapping):
        return {name: with_tokens(item, aliases) for name, item in value.items()}
    if isinstance(value, list):
        return [with_tokens(item, aliases) for item in value]
    return value


def fields_with_tokens(resource: Resource, encoded: Mapping[str, object], aliases: Collection[str]) -> dict[str, Any]:
    """Return a copy of the fields of a record with each reference replaced by its token.

    Args:
        resource: The kind of record.
        encoded: What ``encode_fields`` returned.
        aliases: The aliases of the earlier actions of the job.

    Raises:
        ReferenceTokenError: As for ``with_tokens``. It does not repeat the text of a write-only field, a password.
    """
    sent = {}
    for name, value in encoded.items():
        try:
            sent[name] = with_tokens(value, aliases)
        except ReferenceTokenError:
            if resource.fields[name].write_only:
                raise ReferenceTokenError(f"{resource.name} field {name!r}: {_SECRET_REFERENCE}") from None
            raise
    return sent


def token_of(reference: Reference, aliases: Collection[str]) -> str:
    """Return the token of a reference to an earlier action of the same job.

    Raises:
        ReferenceTokenError: The reference belongs to another job, or to a later action.
    """
    token = str(reference)
    if reference._alias not in aliases:
        raise ReferenceTokenError(f"{brief(reference)} belongs to another job, or to an action that comes later")
    return token


def checked_text(text: str, aliases: Collection[str]) -> str:
    """Return a text unchanged if every token in it is a reference to an earlier action of the same job.

    Raises:
        ReferenceTokenError: The server would take some other part of the text for a reference.
    """
    for start in _START.finditer(text):
        token = _TOKEN.match(text, start.start())
        if token is None or token[1] not in aliases:
            raise ReferenceTokenError(
                f"{brief(text[start.start() :])}: in a batch job the server takes this for a reference of its own and "
                "has no escape for it; write that record by itself, outside of the job"
            )
    return text
