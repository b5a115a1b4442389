"""Tell what the body of any response is, a success or not: JSON, or a web page."""

import json
from typing import Any

import httpx


def is_page(response: httpx.Response) -> bool:
    """Return whether the body of a response is a web page."""
    return response.content[:64].lstrip()[:1] == b"<"


def json_of(response: httpx.Response) -> Any:
    """Return the JSON of a response; ``None`` if its body is not JSON."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None
