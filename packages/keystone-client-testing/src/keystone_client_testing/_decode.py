"""Request bodies and query strings, decoded as Django and DRF decode them.

A JSON body stays what it is; forms and multipart bodies become a ``Form``, which the validation treats
differently. Nothing here knows about resources.
"""

import html
import json
import os
import re
from email.message import Message
from typing import Any, NamedTuple, NoReturn
from urllib.parse import parse_qsl

from ._wire import PageError, detail

MAX_FIELDS = 1000
MAX_TEXT = 2_621_440


class Upload(NamedTuple):
    """One uploaded file."""

    name: str
    content: bytes


class Form(dict[str, list[Any]]):
    """A form or multipart body: every field is a list of what was sent under its name."""

    def last(self, name: str) -> Any:
        """Return the last value of a field."""
        return self[name][-1]


def parse_query(query: str) -> list[tuple[str, str]]:
    """Split a query string into pairs; too many of them is Django's 400 page."""
    if not query:
        return []
    try:
        return parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise PageError(400) from None


def media_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Split a ``Content-Type`` into the type and its parameters."""
    message = Message()
    message["Content-Type"] = content_type
    params = {key.lower(): value for key, value in (message.get_params(failobj=[]) or [])[1:]}
    return content_type.partition(";")[0].strip().lower(), params


def parse_body(content_type: str, body: bytes, accepts: frozenset[str]) -> Any:
    """Decode a request body.

    Args:
        content_type: the header as sent; empty where there was none.
        body: the octets.
        accepts: the media types the endpoint reads.

    Returns:
        Any JSON value, or a ``Form``; ``{}`` for an empty body.

    Raises:
        RefusedError: 415, or 400 for a body that cannot be parsed.
    """
    kind, params = media_type(content_type)
    if not body:
        return Form() if kind in _FORMS else {}
    if kind not in accepts:
        raise detail(415, f'Unsupported media type "{content_type}" in request.')
    if kind == "application/json":
        return parse_json(body, params.get("charset", "utf-8"))
    return _multipart(body, params) if kind == "multipart/form-data" else _urlencoded(body)


ALL_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded", "multipart/form-data"})
_FORMS = ALL_TYPES - {"application/json"}


def parse_json(body: bytes, charset: str = "utf-8") -> Any:
    """Decode JSON; what JSON does not allow is a 400 with the decoder's own words."""
    try:
        return json.loads(body.decode(charset), parse_constant=_refuse_constant)
    except (ValueError, LookupError) as error:
        raise detail(400, f"JSON parse error - {error}") from None
    except RecursionError:
        raise PageError(500) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")


def _urlencoded(body: bytes) -> Form:
    form = Form()
    for name, value in parse_query(body.decode("utf-8", "replace")):
        form.setdefault(name, []).append(value)
    return form


def _multipart(body: bytes, params: dict[str, str]) -> Form:
    boundary = params.get("boundary", "")
    if not boundary or len(boundary) > 200:
        shown = boundary or None
        raise detail(400, f"Multipart form parse error - Invalid boundary in multipart: {shown}")
    form = Form()
    size = 0
    for part in _split(body, boundary.encode("utf-8", "surrogateescape")):
        head, _, content = part.partition(b"\r\n\r\n")
        size += _add_part(form, _part_headers(head), content)
    if size > MAX_TEXT or sum(map(len, form.values())) > MAX_FIELDS:
        raise PageError(400)
    return form


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    return [piece[2:] for piece in pieces[1:] if piece.startswith(b"\r\n")]


def _part_headers(head: bytes) -> Message:
    message = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            message[name.strip()] = value.strip()
    return message


def _add_part(form: Form, headers: Message, content: bytes) -> int:
    """Add one part and return how much of the text limit it uses."""
    name = _parameter(headers, "name")
    if name is None:
        return 0
    filename = _parameter(headers, "filename")
    if filename is None:
        form.setdefault(name, []).append(content.decode("utf-8", "replace"))
        return len(content)
    if cleaned := clean_filename(filename):
        form.setdefault(name, []).append(Upload(cleaned, content))
    return 0


def _parameter(headers: Message, name: str) -> str | None:
    value = headers.get_param(name, header="content-disposition")
    if isinstance(value, tuple):
        charset, _, text = value
        return text.encode("latin-1", "replace").decode(charset or "utf-8", "replace")
    return value


def clean_filename(name: str) -> str:
    """Keep of a client's file name what Django keeps: the last part, printable, at most 255 characters."""
    name = html.unescape(name).rsplit("/")[-1].rsplit("\\")[-1]
    name = "".join(char for char in name if char.isprintable()).strip()
    if name in ("", ".", ".."):
        return ""
    stem, extension = os.path.splitext(name)
    return name if len(name) <= 255 else stem[: 255 - len(extension[:255])] + extension[:255]


def storage_name(name: str) -> str:
    """Return the file name Django stores an upload under."""
    return re.sub(r"(?u)[^-\w.]", "", name.strip().replace(" ", "_"))
