"""References: values of answers that have not come yet, and the text that stands for them in a batch job.

The server replaces ``@ref{alias.path}`` wherever it stands in text and has no escape for it, so text of users that
looks like one is refused. What an action is, is in ``_batch``.
"""

import re
import sys
from collections.abc import Collection, Mapping
from typing import Any

from ._errors import ReferenceTokenError
from ._messages import brief

_START = re.compile(r"@(?:ref|file)\{")
_TOKEN = re.compile(r"@ref\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+)+)\}")
_LABEL = re.compile(r"[A-Za-z0-9_]+")  # the server's own rule


class Reference:
    """A value of the answer to an earlier action of the same job: ``team["id"]``, ``found["results"][0]["name"]``.

    It stands for that value in fields, keys, lists and text of later actions.
    """

    __slots__ = ("_alias", "_path")
    __iter__ = None  # it has no end: what comes is not known

    def __init__(self, alias: str, path: tuple[str | int, ...]) -> None:
        """Take the alias of the action and the way to the value."""
        self._alias, self._path = alias, path

    def __getitem__(self, label: str | int) -> "Reference":
        return Reference(self._alias, (*self._path, checked_label(label)))

    def __str__(self) -> str:
        return f"@ref{{{'.'.join([self._alias, *map(str, self._path)])}}}"

    def __repr__(self) -> str:
        return f"<reference to {''.join(f'[{label!r}]' for label in self._path)} of an action>"


def checked_label(label: object) -> str | int:
    """A name or an index the server can follow.

    Raises:
        ReferenceTokenError: It is neither.
    """
    if isinstance(label, str) and _LABEL.fullmatch(label):
        return label
    if isinstance(label, int) and not isinstance(label, bool) and 0 <= label <= sys.maxsize:  # no list is longer
        return label
    raise ReferenceTokenError(
        f"{brief(label)} cannot be referred to: the server follows names of letters, digits and _, and indexes from 0"
    )


def with_tokens(value: object, aliases: Collection[str]) -> Any:
    """A copy of a JSON value in which references have become the text the server replaces.

    Args:
        value: What ``encode_fields`` returned; files are passed through.
        aliases: Those of the earlier actions of the job.

    Raises:
        ReferenceTokenError: A reference to something else, or text that the server would take for a reference.
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


def token_of(reference: Reference, aliases: Collection[str]) -> str:
    """The text of a reference to an earlier action of the same job."""
    token = str(reference)
    if reference._alias not in aliases:
        raise ReferenceTokenError(f"{brief(reference)} belongs to another job, or to an action that comes later")
    return token


def checked_text(text: str, aliases: Collection[str]) -> str:
    """Text, if every reference in it is one of ours."""
    for start in _START.finditer(text):
        token = _TOKEN.match(text, start.start())
        if token is None or token[1] not in aliases:
            raise ReferenceTokenError(
                f"{brief(text[start.start() :])}: in a batch job the server takes this for a reference of its own and "
                "has no escape for it; write that record by itself, outside of the job"
            )
    return text
