"""The query of a URL: how parameters are encoded, and how long they may be. The one place for both.

The length is measured on the encoding that is sent. Measured on another one, it would refuse what fits or accept what
does not.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

LONGEST_URL = 4_096
"""Characters of a URL: front-end web servers refuse request lines over 8 kB, some of them over 4 kB."""

LONGEST_QUERY = 3_500
"""Characters of a query where the address before it is not known: it leaves room for that."""


def encode_query(params: Mapping[str, Any] | Sequence[tuple[str, Any]]) -> str:
    """Encode parameters as the query of a URL.

    Args:
        params: Names and values; a list as a value repeats the name.

    Returns:
        The text behind the question mark. Blanks become ``%20``; commas stay, because the server reads lists by them.
    """
    return urlencode(params, quote_via=quote, safe=",", doseq=True)


def query_length(params: Mapping[str, Any]) -> int:
    """Return the characters that parameters take in a URL."""
    return len(encode_query(params))
