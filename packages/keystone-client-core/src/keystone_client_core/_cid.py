"""Correlation ids: the value of the header ``X-KEYSTONE-CID``, which ties a request to the server's log entries."""

import os
import re

from ._errors import InvalidCIDError
from ._messages import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    import uuid

_HEX = re.compile("[0-9a-f]{32}")


def new_cid() -> str:
    """Make a new correlation id.

    Returns:
        A random UUID (version 4), with dashes and in lower case.
    """
    digits = os.urandom(16).hex()  # not ``uuid.uuid4``: importing it takes 5 ms, which every script would wait for
    variant = "89ab"[int(digits[16], 16) % 4]
    return _with_dashes(f"{digits[:12]}4{digits[13:16]}{variant}{digits[17:]}")  # RFC 9562, section 5.4


def _with_dashes(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def adopt_cid(cid: "uuid.UUID | str") -> str:
    """Check a correlation id that was made elsewhere and bring it into the canonical spelling.

    The server stores an id exactly as it was sent, in any spelling that ``uuid.UUID`` parses. It replaces anything else
    with a new id that the client never learns. With a single spelling, a search of the logs finds every entry. Blanks,
    underscores and non-ASCII digits, which ``uuid.UUID`` accepts, are refused.

    Args:
        cid: A UUID, or its text in upper or lower case, with or without dashes, braces and the prefix ``urn:uuid:``.

    Returns:
        The id with dashes and in lower case.

    Raises:
        InvalidCIDError: It is not a UUID.
    """
    if isinstance(cid, str):
        digits = cid.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "").lower()
        if _HEX.fullmatch(digits):
            return _with_dashes(digits)
    else:
        from uuid import UUID  # takes 5 ms, which a caller that has only text saves

        if isinstance(cid, UUID):
            return str(cid)
    raise InvalidCIDError(
        f"The correlation id {brief(cid)} is not a UUID; give one such as '4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11',"
        " or none to get a new one."
    )
