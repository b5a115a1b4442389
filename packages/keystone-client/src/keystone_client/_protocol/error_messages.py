"""Turn a response that is not a success into an exception whose message says what to do.

Pure functions of a response; nothing is sent from here.
"""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import httpx

from .._errors import (
    AuthenticationError,
    DecodeError,
    JobError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
    StatusError,
    ThrottledError,
    ValidationError,
)
from .._transport.outgoing import endpoint_of
from .json_decoding import is_page, json_of
from .redacted_copies import clean_response
from .retries import PASSING, retry_after

BY_STATUS: Mapping[int, type[StatusError]] = {
    400: ValidationError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: JobError,
    429: ThrottledError,
}

UNKNOWN = (
    "whether it was written is unknown: wait until the server cannot be at work on it any more, then look before you "
    "send it again"
)

DEEPEST = 20
"""How many levels of nested field errors are unfolded; Keystone's own have three."""

EXCERPT = 200
"""How many characters of a body that is not Keystone's, such as a page of a proxy, go into a message."""

LONGEST_TEXT = 1_000
"""How many characters of what the server says go into a message; the attributes of the error hold all of it."""


def status_error(
    response: httpx.Response, cid: str, *, kind: type[StatusError] | None = None, hint: str = ""
) -> StatusError:
    """Return the error for a response that is not a success.

    Args:
        response: The response, read to its end.
        cid: The correlation id of the client.
        kind: The class of the error, if not the one that belongs to the status.
        hint: What to do about it; chosen by the status if left out.

    Returns:
        The error, not raised.
    """
    status = response.status_code
    # The body of a success is what was asked for, such as the user of a login whose cookie was lost: no complaint.
    body = None if response.is_success else json_of(response)
    detail, fields = _detail(body), _field_errors(body)
    step = body.get("body") if status == 422 and isinstance(body, dict) else None
    fields = fields or _field_errors(step)  # for a failed job, the errors of the action that failed
    kind = kind or BY_STATUS.get(status) or (ServerError if status >= 500 else StatusError)
    wrong = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
    said = ": ".join(part for part in (detail, wrong or _detail(step)) if part)
    if not said and not response.is_success:
        said = _excerpt(response)
    message = _sentence(_headline(response), hint or _hint(response, body), cut(said))
    clean = clean_response(response)
    error = kind(printable(message), request=clean.request, response=clean, detail=detail, field_errors=fields, cid=cid)
    if isinstance(error, ThrottledError):
        error.retry_after = retry_after(response)
    return error


def _sentence(headline: str, hint: str, said: str) -> str:
    """Put a message together. The hint comes before what the server said, which may be long."""
    if hint and said:
        return f"{headline}: {hint}{'' if hint.endswith('?') else '.'} The answer: {said}"
    return ": ".join(part for part in (headline, hint or said) if part)


def cut(text: str) -> str:
    """Return a text, shortened to ``LONGEST_TEXT``."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def printable(text: str) -> str:
    """Escape what a server's text must not contain: it could control a terminal, forge log lines, or fail to encode."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def decode_error(response: httpx.Response, what: str, cid: str, *, is_whole: bool = True) -> DecodeError:
    """Return the error for a response that is not what the API promises.

    Args:
        response: The response.
        what: What is wrong with it, such as "is not JSON".
        cid: The correlation id of the client.
        is_whole: Whether its body could be read.

    Returns:
        The error, not raised.
    """
    kind = response.headers.get("content-type", "no content type")
    packed = response.headers.get("content-encoding")  # one that httpx does not know leaves the body as it came
    packing = f", packed as {packed}" if packed else ""
    size = f", {len(response.content)} bytes" if is_whole else ""
    what = f"the answer {what} ({cut(f'{kind}{packing}')}{size})"
    if is_page(response):
        what += (
            " but a web page: is the base URL that of the API, and does a portal or a proxy ask for a login of its own?"
        )
    if writes_a_record(response.request):
        what += f"; {UNKNOWN}"
    message = _sentence(_headline(response), what, _excerpt(response))
    return DecodeError(printable(message), response=clean_response(response), cid=cid)


def _headline(response: httpx.Response) -> str:
    request = response.request
    return f"{response.status_code} {response.reason_phrase}".strip() + f": {request.method} {_shown_path(request)}"


def _shown_path(request: httpx.Request) -> str:
    path = endpoint_of(request)
    return path if path.startswith("/") else f"/{path}"


def _detail(body: Any) -> str | None:
    if isinstance(body, dict) and isinstance(body.get("detail"), str):
        return str(body["detail"])
    return None


def _field_errors(body: Any) -> dict[str, list[str]]:
    if isinstance(body, list):
        body = {"non_field_errors": body}
    if not isinstance(body, dict) or "detail" in body:
        return {}
    found: dict[str, list[str]] = {}
    for name, message in _flattened("", body):
        found.setdefault(name, []).append(message)
    return found


def _flattened(path: str, value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        yield path, "…"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flattened(f"{path}.{key}" if path else str(key), inner, depth + 1)
    elif isinstance(value, list):
        nested = any(isinstance(inner, dict | list) for inner in value)
        for index, inner in enumerate(value):
            yield from _flattened(f"{path}.{index}" if nested else path, inner, depth + 1)
    else:
        yield path, str(value)


def _excerpt(response: httpx.Response) -> str:
    """Return the first words of a body that the API did not write; of a page, its title."""
    from .foreign_answers import words_of  # few programs meet such an answer

    words = words_of(response)
    return words[:EXCERPT] + ("…" if len(words) > EXCERPT else "")


def _hint(response: httpx.Response, body: Any) -> str:
    if 300 <= response.status_code < 400:
        where = response.headers.get("location", "nowhere").partition("?")[0]
        return f"redirected to {where}: is the base URL right, http or https included?"
    if response.status_code == 401 and body is not None and "authorization" not in response.request.headers:
        return "log in first, or the session has expired"
    asked = retry_after(response) if response.status_code in PASSING else None
    if asked is not None:
        return f"the server asks to wait {ceil(asked)} s; max_retry_after of RetryPolicy is the longest a call waits"
    after_write = _failed_write(response) if response.status_code >= 500 else ""
    foreign = ""
    if _is_foreign(response, body):
        from .foreign_answers import foreign_hint  # few programs meet such an answer

        foreign = foreign_hint(response)
    return "; ".join(part for part in (foreign, after_write) if part)


def _is_foreign(response: httpx.Response, body: Any) -> bool:
    """Return whether somebody in front of the API caused an error: what they write is no JSON, or is about a Host."""
    if body is None:
        return bool(response.content) or response.status_code in (404, 405, 501)
    return (_detail(body) or "").startswith("CSRF Failed")


def _failed_write(response: httpx.Response) -> str:
    if response.status_code == 500 and response.request.method == "DELETE":
        return "Keystone fails like this where other records still refer to the one to be deleted"
    return UNKNOWN if writes_a_record(response.request) else ""


def writes_a_record(request: httpx.Request) -> bool:
    """Return whether a request may have written a record; jobs are left out, their errors say more than a hint can."""
    endpoint = _shown_path(request)
    return request.method in ("POST", "PATCH", "PUT") and not endpoint.startswith(("/authentication/", "/batch/"))
