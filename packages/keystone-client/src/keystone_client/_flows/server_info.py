"""Ask the server about itself: settings, health, version, statistics, choices."""

from collections.abc import Mapping
from typing import Any

import httpx
from keystone_client_core import CHOICE_PATHS, RESOURCES, FieldError, FilterError, brief, encode_filters

from .._flow import Flow
from .._listing.query import Filters
from .._listing.url_room import room_for_filters
from .._protocol.call import Call
from .._protocol.error_messages import decode_error, status_error
from .._protocol.requests import Draft, without_credentials
from .._protocol.responses import decoded
from .._protocol.upload_limits import limits_of
from .._transport.outgoing import NO_SESSION, OutgoingRequest


def config(call: Call) -> Flow[Any]:
    """Fetch the server's settings and keep its upload limits: larger uploads are refused from then on."""
    settings = yield from _object(call, "config/")
    call.session.upload_limits = limits_of(settings)
    return settings


def health(call: Call) -> Flow[Any]:
    """Fetch the results of the server's health checks."""
    response = yield from _public(call, "health/json/")
    match decoded(response, call.cid):
        case {"data": list(checks)}:
            return checks
    raise decode_error(response, "does not hold the checks of the server", call.cid)


def version(call: Call) -> Flow[str]:
    """Fetch the version of Keystone that the server runs."""
    response = yield from _public(call, "version/")
    if response.status_code != 200:
        raise status_error(response, call.cid)
    text = response.content[:200].decode("utf-8", "replace").strip()  # UTF-8, whatever encoding the answer claims
    if not text.isprintable() or not 0 < len(text) <= 100 or text.startswith(("<", "{")):
        raise decode_error(response, "is no version", call.cid)
    return text


def stats(call: Call, name: str, filters: Filters | None) -> Flow[Any]:
    """Fetch the statistics of the matching records."""
    encoded = encode_filters(RESOURCES[name], filters, room=room_for_filters(call, RESOURCES[name]))
    if encoded.nothing or encoded.keys is not None:
        raise FilterError("id__in of statistics needs some keys, and not more than fit in one request", field="id__in")
    return (yield from _object(call, f"{RESOURCES[name].statistics_path}/", encoded.params))


def choices(call: Call, name: object, field: object) -> Flow[Any]:
    """Fetch the codes of a field and their labels."""
    paths = {
        (resource.name, each.name): CHOICE_PATHS[each.target]
        for resource in RESOURCES.values()
        for each in resource.fields.values()
        if each.target in CHOICE_PATHS
    }
    path = next((path for known, path in paths.items() if known == (name, field)), None)  # either may be unhashable
    if path is None:
        listed = ", ".join(f"({resource!r}, {known!r})" for resource, known in paths)
        asked = f"({brief(name)}, {brief(field)})"
        raise FieldError(f"the server lists no choices of {asked}; it does of {listed}", field="field")
    return (yield from _object(call, f"{path}/"))


def _public(call: Call, endpoint: str) -> Flow[httpx.Response]:
    """Fetch a public endpoint, without credentials.

    With credentials the server loads the user first, so it answers 500 just when its database is down. A gateway in
    front of the server may demand credentials: after a 401 or 403 the request is sent once more, with them.
    """
    session = call.session
    response = yield from call.send(Draft("GET", endpoint, change=_anonymous), renew=False)
    if response.status_code in (401, 403) and session.has_credentials:
        response = yield from call.send(Draft("GET", endpoint, change=_apart), renew=False)
    return response


def _apart(request: OutgoingRequest) -> None:
    """Keep the answer from affecting other calls: drop its cookies, and let its 429 delay no other call."""
    request.session, request.identity = NO_SESSION, request.endpoint


def _anonymous(request: OutgoingRequest) -> None:
    _apart(request)
    without_credentials(request)


def _object(call: Call, endpoint: str, params: Mapping[str, str] | None = None) -> Flow[dict[str, Any]]:
    response = yield from call.send(Draft("GET", endpoint, params))
    found = decoded(response, call.cid)
    if not isinstance(found, dict):
        raise decode_error(response, "is no object", call.cid)
    return found
