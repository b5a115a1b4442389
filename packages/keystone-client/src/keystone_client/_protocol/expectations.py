"""Writes on condition: only if the record still is as the caller has seen it.

The server applies filters on the URL of a record to writes as well: where they do not match, it answers 404. This is no
lock: of writers within the same milliseconds, several can pass.
"""

from collections.abc import Mapping
from typing import Any

import httpx
from keystone_client_core import FilterError, KeystoneError, Resource, brief, encode_filters

from .._errors import ChangedError
from .._flow import Flow
from .call import Call
from .error_messages import status_error
from .requests import Draft
from .responses import is_missing, record_of


def condition(resource: Resource, expect: Mapping[str, object] | None) -> dict[str, str]:
    """Return the query parameters of a write that is carried out only if the record matches the filters.

    Raises:
        FilterError: There are none, or the server would ignore or misread one.
    """
    if expect is None:
        return {}
    encoded = encode_filters(resource, expect)
    if encoded.nothing or not encoded.params or encoded.keys is not None:
        why = "give the values that the record must have, not more than a URL can hold"
        raise FilterError(f"expect={brief(expect)}: {why}", field="expect", value=expect)
    return encoded.params


def changed(call: Call, response: httpx.Response, path: str, expect: Mapping[str, object]) -> Flow[ChangedError]:
    """Return the error for a write whose condition did not hold; it says whether the record has changed or is gone.

    Args:
        call: The call that has written.
        response: The 404, or the answer to the job with that step.
        path: The path of the record below the base URL.
        expect: What was expected of the record.
    """
    lost, record, cause = call.lost, None, None
    try:
        current = yield from call.send(Draft("GET", path))
        record = None if is_missing(current) else record_of(current, call.cid)
        what = _difference(record, expect)
    except KeystoneError as failure:  # the write was refused all the same
        cause = failure
        what = f"the record has changed or is gone; asked which, the server failed: {failure}"
    finally:
        call.lost = lost  # a lost answer to this request says nothing about the write
    where = "" if response.request.url.path.endswith(path) else f"{path}: "  # a job has many records
    error = status_error(response, call.cid, kind=ChangedError, hint=f"{where}{what}")
    assert isinstance(error, ChangedError)
    error.record, error.__cause__ = record, cause
    return error


def _difference(record: Mapping[str, Any] | None, expect: Mapping[str, object]) -> str:
    if record is None:
        return "the record is gone"
    now = [f"{name}={record[name]!r}, not {old!r}" for name, old in expect.items() if record.get(name, old) != old]
    return f"the record has changed: {'; '.join(now) or 'it was not as expected'}; nothing was written"
