"""Decode the JSON of any response, a success or not."""

import json
from typing import Any

import httpx


def json_of(response: httpx.Response) -> Any:
    """Return the JSON of a response; ``None`` if its body is not JSON."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None
