"""Turn a response into the value it holds, or raise the error it stands for.

Pure functions of a response; nothing is sent from here.
"""

import json
from typing import Any, NamedTuple, TypeGuard

import httpx

from .error_messages import decode_error, status_error
from .json_decoding import json_of

KEYS = (int, str)
"""The types that a primary key may have."""


class Page(NamedTuple):
    """One page of a listing."""

    total: int
    more: bool
    records: list[dict[str, Any]]


def is_json(response: httpx.Response) -> bool:
    """Return whether a response is JSON, and so comes from the API, not from a proxy in front of it."""
    return json_of(response) is not None


def is_missing(response: httpx.Response) -> bool:
    """Return whether a response is the API's "no such record".

    That is a 404 with a JSON ``detail``. Any other 404, such as a page of HTML, says that the URL is wrong.
    """
    said = json_of(response) if response.status_code == 404 else None
    return isinstance(said, dict) and "detail" in said


def decoded(response: httpx.Response, cid: str) -> Any:
    """Return the JSON of a successful response.

    Raises:
        StatusError: The response is not a success.
        DecodeError: It is not JSON.
    """
    if response.status_code >= 300 or response.status_code < 200:
        raise status_error(response, cid)
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        raise decode_error(response, "is not JSON", cid) from None


def acknowledged(response: httpx.Response, cid: str) -> None:
    """Check that a response without a record is a success of the API, not a page of a proxy.

    Raises:
        StatusError: The response is not a success.
        DecodeError: It has a body that is not JSON.
    """
    if response.content or not response.is_success:
        decoded(response, cid)


def record_of(response: httpx.Response, cid: str) -> dict[str, Any]:
    """Return the record of a successful response: an object with an ``id``."""
    record = decoded(response, cid)
    if not _is_record(record):
        raise decode_error(response, "is not a record with an id", cid)
    return record


def page_of(response: httpx.Response, cid: str) -> Page:
    """Return the page of a listing that a successful response holds."""
    match decoded(response, cid):
        case {"count": int(count), "next": str() | None as following, "results": list(records)} if all(
            map(_is_record, records)
        ):
            return Page(count, following is not None, records)
    raise decode_error(response, "is not a page with count, next and results", cid)


def _is_record(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and type(value.get("id")) in KEYS
