"""The plain HTTP methods: send any request below the base URL and return the response as it came.

Arguments are taken in every form in which httpx takes them.
"""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

import httpx
from keystone_client_core import FieldError, UnknownParameterWarning, ignored_parameters

from .._config.arguments import checked_header_pairs, checked_timeout
from .._flow import Flow
from .._protocol.bodies import form_body, json_body, with_known_length
from .._protocol.call import Call
from .._protocol.parameters import Pairs, known_listing, own_parameters, parameter_pairs
from .._protocol.requests import Draft
from .._protocol.session_state import ACCEPTED
from .._transport.outgoing import OutgoingRequest

if TYPE_CHECKING:
    from httpx._client import UseClientDefault  # only the type of a public constant, which httpx does not export

Params: TypeAlias = httpx.QueryParams | Mapping[str, Any] | Sequence[tuple[str, Any]] | str | bytes
Headers: TypeAlias = (
    Mapping[str, str] | Mapping[bytes, bytes] | Sequence[tuple[str, str]] | Sequence[tuple[bytes, bytes]]
)
Timeout: TypeAlias = (
    "float | tuple[float | None, float | None, float | None, float | None] | httpx.Timeout | UseClientDefault | None"
)
_Content: TypeAlias = IO[bytes] | bytes | str
_File: TypeAlias = (
    _Content
    | tuple[str | None, _Content]
    | tuple[str | None, _Content, str | None]
    | tuple[str | None, _Content, str | None, Mapping[str, str]]
)
Files: TypeAlias = Mapping[str, _File] | Sequence[tuple[str, _File]]

DEFAULT: Final = httpx.USE_CLIENT_DEFAULT
"""The default of ``timeout``, which wrappers of httpx pass on: the timeout of the client."""


def get(
    call: Call, endpoint: str, params: Params | None, headers: Headers | None, timeout: Timeout
) -> Flow[httpx.Response]:
    """Send a GET request; warn first about parameters that the server would ignore."""
    path = call.session.endpoint(endpoint)
    query = parameter_pairs(params)
    warn_of_ignored(path, query, stacklevel=6)
    return _send(call, "GET", path, query, {}, headers, timeout)


def write(
    call: Call,
    method: str,
    endpoint: str,
    content: dict[str, Any],
    params: Params | None,
    headers: Headers | None,
    timeout: Timeout,
) -> Flow[httpx.Response]:
    """Send a request with the body that ``body`` has returned."""
    return _send(call, method, call.session.endpoint(endpoint), parameter_pairs(params), content, headers, timeout)


def body(json: Any, data: Mapping[str, Any] | None, files: Files | None) -> dict[str, Any]:
    """Return the arguments of a request for its body; empty data or files count as absent, as in httpx.

    Raises:
        FieldError: There are two bodies, or one that cannot be sent.
    """
    form = {} if data is None else form_body(data)
    attached = None if isinstance(files, Mapping | list | tuple) and not files else files
    if json is None:
        return {**({"data": form} if form else {}), **({} if attached is None else {"files": attached})}
    if form or attached is not None:
        raise FieldError("give json, or data and files, not both: a request has one body", field="json")
    return {"content": json_body(json)}


def warn_of_ignored(path: str, query: Pairs, *, stacklevel: int) -> None:
    """Warn about the parameters that the server ignores, if the path is a listing that the client knows.

    Args:
        path: The path below the base URL, as ``endpoint_path`` returns it; it may have a query.
        query: Further parameters.
        stacklevel: Where the warning points, as for ``warnings.warn`` but counted from here.
    """
    if not query and "?" not in path:
        return
    resource = known_listing(path)
    if resource is None:
        return
    for name, why, matches in ignored_parameters(resource, [*own_parameters(path), *query]):
        hint = f" Did you mean {' or '.join(matches)}?" if matches else ""
        text = f"GET {resource.path}: the server ignores {name!r}, which {why}, and answers as if it were left out."
        warnings.warn(f"{text}{hint}", UnknownParameterWarning, stacklevel=stacklevel)


def _send(
    call: Call,
    method: str,
    path: str,
    query: Pairs,
    content: dict[str, Any],
    headers: Headers | None,
    timeout: Timeout,
) -> Flow[httpx.Response]:
    """Send a request and return the response as it came."""
    more = checked_header_pairs(headers)
    phases = None if timeout is DEFAULT else checked_timeout(timeout)

    change = None if any(name.lower() == "accept" for name, _ in more) else _accept_everything
    with ExitStack() as copies:
        if "files" in content:
            content["files"] = with_known_length(content["files"], copies)
        json = content.pop("content", None)
        return (yield from call.send(Draft(method, path, query, json, more, phases, content, change)))


def _accept_everything(request: OutgoingRequest) -> None:
    """Accept every type of answer, unless the client's headers have an Accept: some endpoints do not answer in JSON."""
    if request.headers["accept"] == ACCEPTED:
        request.headers["accept"] = "*/*"
