"""Flows about the server itself: settings, health, version, statistics, choices."""

from collections.abc import Mapping
from typing import Any

from keystone_client_core import RESOURCES, FieldError, FilterError, encode_filters, shown

from ._answers import decode_error, decoded, status_error
from ._call import Call
from ._flow import Flow
from ._query import Filters
from ._upload_limits import limits_of

CHOICES: Mapping[tuple[str, str], str] = {
    ("membership", "role"): "users/membership-choices/role/",
    ("request", "status"): "allocations/request-choices/status/",
    ("review", "status"): "allocations/review-choices/status/",
    ("cluster", "access_mode"): "allocations/cluster-choices/access-mode/",
    ("notification", "notification_type"): "notifications/notification-choices/type/",
}
"""Where the server tells the codes of a field."""


def config(call: Call) -> Flow[Any]:
    """The settings the server tells, which the client keeps: uploads beyond its limits are refused from then on."""
    told = yield from _object(call, "config/")
    call.talk.upload_limits = limits_of(told)
    return told


def health(call: Call) -> Flow[Any]:
    """Each check of the server."""
    response = yield from call.json("GET", "health/json/")
    match decoded(response, call.cid):
        case {"data": list(checks)}:
            return checks
    raise decode_error(response, "does not hold the checks of the server", call.cid)


def version(call: Call) -> Flow[str]:
    """The version of the server."""
    response = yield from call.json("GET", "version/")
    if response.status_code != 200:
        raise status_error(response, call.cid)
    text = response.content[:200].decode("utf-8", "replace").strip()  # in whatever encoding the answer says it is
    if not text.isprintable() or not 0 < len(text) <= 100 or text.startswith(("<", "{")):
        raise decode_error(response, "is no version", call.cid)
    return text


def stats(call: Call, name: str, filters: Filters | None) -> Flow[Any]:
    """The statistics of the records that match."""
    encoded = encode_filters(RESOURCES[name], filters)
    if encoded.nothing or encoded.keys is not None:
        raise FilterError("id__in of statistics needs some keys, and not more than fit in one request", field="id__in")
    return (yield from _object(call, f"stats/{name}s/", encoded.params))


def choices(call: Call, name: object, field: object) -> Flow[Any]:
    """The labels of a field's codes."""
    for known, endpoint in CHOICES.items():
        if known == (name, field):
            return (yield from _object(call, endpoint))
    told = ", ".join(f"({resource!r}, {known!r})" for resource, known in CHOICES)
    asked = f"({shown(name)}, {shown(field)})"
    raise FieldError(f"the server tells no choices of {asked}; it does of {told}", field="field")


def _object(call: Call, endpoint: str, params: Mapping[str, str] | None = None) -> Flow[dict[str, Any]]:
    response = yield from call.json("GET", endpoint, params=params)
    told = decoded(response, call.cid)
    if not isinstance(told, dict):
        raise decode_error(response, "is no object", call.cid)
    return told
