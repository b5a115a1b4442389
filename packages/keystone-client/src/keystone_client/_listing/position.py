"""Encode and decode a position: how far a log was read, as text to be stored beside the records. Pure; no I/O.

``follow`` explains what the parts of a position mean. Its size depends only on the recent part of the log: the keys
above the floor are stored as a bitmap, from the lowest to the highest that was seen.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from keystone_client_core import FieldError, brief

VERSION: Final = 1
_LONGEST_TEXT: Final = 10_000_000
_LARGEST_KEY: Final = 2**63


class Subject(NamedTuple):
    """What a position belongs to; with another server, resource or filter it would skip or repeat records."""

    server: str
    resource: str
    filters: Mapping[str, str]


class Position(NamedTuple):
    """How far a log was read."""

    floor: int = 0
    """Every record up to this key was handed out, does not match, or will never be visible."""
    seen: frozenset[int] = frozenset()
    """The keys above the floor whose records were handed out."""
    resume: int | None = None
    """Where the next listing begins if it need not begin at the floor."""
    begun: float | None = None
    """When the last listing from the floor began: seconds since the epoch, by the server's clock."""
    asked: float | None = None
    """When the log was last read to its end, by the same clock: rows deleted after that were read."""

    @property
    def passed(self) -> int:
        """The highest key handed out, or the floor if that is all there is."""
        return max(self.seen, default=self.floor)


def encode_position(position: Position, subject: Subject) -> str:
    """Return a position as text."""
    first, bits = _bits_of(position.seen)
    fields = {
        "version": VERSION,
        **subject._asdict(),
        "floor": position.floor,
        "first": first,
        "seen": bits,
        "resume": position.resume,
        "begun": position.begun,
        "asked": position.asked,
    }
    return json.dumps(fields, separators=(",", ":"))


def decode_position(text: object, subject: Subject) -> Position:
    """Read a position from its text, and check that it belongs to this call.

    Args:
        text: The position that an earlier call returned.
        subject: The server, the resource and the filters of this call.

    Returns:
        The position.

    Raises:
        FieldError: The text is no position, or one of another server, resource or filter.
    """
    try:
        if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
            raise ValueError
        fields = json.loads(text)
        if not isinstance(fields, dict) or fields.get("version") != VERSION:
            raise ValueError
        _check_subject(fields, subject)
        return Position(
            _key(fields["floor"]),
            frozenset(_keys_of(_key(fields["first"]), fields["seen"])),
            None if fields["resume"] is None else _key(fields["resume"]),
            _moment(fields["begun"]),
            _moment(fields["asked"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, FieldError):
            raise
        reason = (
            f"position={brief(text)}: this is no position; give the text that an earlier call has returned, or None"
        )
        raise FieldError(reason, field="position") from None


def _check_subject(fields: Mapping[str, Any], subject: Subject) -> None:
    for name, wanted in subject._asdict().items():
        if fields.get(name) != wanted:
            reason = f"this position is of {name} {brief(fields.get(name))}, and the call of {brief(wanted)}"
            raise FieldError(f"position: {reason}; store one for each, and begin a new one with None", field="position")


def _bits_of(keys: Collection[int]) -> tuple[int, str]:
    if not keys:
        return 0, ""
    first = min(keys)
    bits = bytearray((max(keys) - first) // 8 + 1)
    for key in keys:
        bits[(key - first) // 8] |= 1 << (key - first) % 8
    return first, urlsafe_b64encode(bits).decode().rstrip("=")


def _keys_of(first: int, text: str) -> list[int]:
    bits = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return [first + 8 * place + bit for place, byte in enumerate(bits) if byte for bit in range(8) if byte >> bit & 1]


def _key(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST_KEY:
        raise ValueError
    return value


def _moment(value: Any) -> float | None:
    if value is not None and (type(value) not in (int, float) or not 0 <= value < 1e12):
        raise ValueError
    return value if value is None else float(value)
