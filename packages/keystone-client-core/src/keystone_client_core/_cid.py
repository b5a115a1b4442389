"""Correlation ids: the value of ``X-KEYSTONE-CID``, which ties requests to the server's logs.

Which header carries them is the client's business.
"""

import re

from ._errors import InvalidCIDError
from ._messages import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    import uuid

_HEX = re.compile("[0-9A-Fa-f]{32}")


def new_cid() -> str:
    """Make a new correlation id.

    Returns:
        A random UUID (version 4), dashed and in lower case.
    """
    from uuid import uuid4  # 5 ms, and an id may be adopted as well

    return str(uuid4())


def adopt_cid(cid: "uuid.UUID | str") -> str:
    """Take over a correlation id from elsewhere.

    The server stores every spelling ``uuid.UUID`` parses, as it came, and replaces all else by an id nobody knows.
    One spelling for all makes the logs searchable. Blanks, underscores and digits of other scripts, which
    ``uuid.UUID`` lets through, are refused.

    Args:
        cid: A UUID, or its text in any case, with or without dashes, braces and ``urn:uuid:``.

    Returns:
        The id dashed and in lower case.

    Raises:
        InvalidCIDError: It is not a UUID.
    """
    from uuid import UUID

    if isinstance(cid, UUID):
        return str(cid)
    if isinstance(cid, str):
        digits = cid.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "")
        if _HEX.fullmatch(digits):
            return str(UUID(digits))
    raise InvalidCIDError(
        f"The correlation id {brief(cid)} is not a UUID; give one such as '4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11',"
        " or none to get a new one."
    )
