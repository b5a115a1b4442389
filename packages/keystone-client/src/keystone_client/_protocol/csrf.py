"""Django's protection against forged requests: what a request that writes has to carry besides the session cookie."""

from collections.abc import Mapping
from typing import Final

COOKIE: Final = "csrftoken"
"""The cookie that holds the token; the server sets it, and replaces it at each login."""
HEADER: Final = "X-CSRFToken"


def csrf_headers(cookies: Mapping[str, str], base_url: str) -> dict[str, str]:
    """Return the headers for requests that write.

    Args:
        cookies: The cookies of the session, by name.
        base_url: The address of the server. Django refuses every write over https without a ``Referer`` of its host.
    """
    headers = {"Referer": base_url}
    if COOKIE in cookies:
        headers[HEADER] = cookies[COOKIE]
    return headers
