"""Read the JSON of any response, be it a success or not."""

import json
from typing import Any

import httpx


def json_of(response: httpx.Response) -> Any:
    """The JSON of any answer, or ``None``."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None
