"""Request bodies and query strings, decoded as Django and DRF decode them.

A JSON body stays what it is; forms and multipart bodies become a ``Form``, which the validation treats
differently. Nothing here knows about resources.
"""

import base64
import codecs
import html
import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn
from urllib.parse import parse_qsl, unquote

from .._wire import PageError, RefusedError, detail

MAX_FIELDS = 1000
MAX_FILES = 100
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


def parse_query(query: str, charset: str = "utf-8") -> list[tuple[str, str]]:
    """Split a query string into pairs; too many of them is Django's 400 page."""
    if not query:
        return []
    try:
        return parse_qsl(query, keep_blank_values=True, encoding=charset, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise PageError(400) from None


def media_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Split a header such as ``Content-Type`` into its value, in lower case, and its parameters.

    A parameter ``name*`` holds charset, language and percent-encoded text, as RFC 5987 writes them.
    """
    kind = content_type.partition(";")[0].strip().lower()
    params = {}
    for sent, value in _PARAMETER.findall(content_type):
        name, text = sent.lower(), value.strip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1].replace("\\\\", "\\").replace('\\"', '"')
        if name.endswith("*") and value.count("'") == 2:
            charset, _, text = text.split("'")
            text = unquote(text, charset or "utf-8")
        params[name.removesuffix("*")] = text
    return kind, params


_PARAMETER = re.compile(r';\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


def speaks(known: str, asked: str) -> bool:
    """Tell whether a media type matches what was asked for; either half of that may be a star."""
    pairs = zip(known.split("/"), asked.partition("/")[::2], strict=True)
    return all(theirs in ("*", ours) for ours, theirs in pairs)


def parse_body(content_type: str, body: bytes, accepts: Sequence[str]) -> Any:
    """Decode a request body.

    Args:
        content_type: the header as sent; empty where there was none.
        body: the octets.
        accepts: the media types the endpoint reads, the preferred one first.

    Returns:
        Any JSON value, or a ``Form``; ``{}`` for an empty body.

    Raises:
        RefusedError: 415, or 400 for a body that cannot be parsed.
    """
    kind, charset, reader = _format(content_type, accepts)
    if not body:
        return Form() if kind in _FORMS else {}
    if reader is None:
        raise detail(415, f'Unsupported media type "{content_type}" in request.')
    if reader == JSON:
        return parse_json(body, charset)
    return _multipart(content_type, body, charset) if reader == MULTIPART else _urlencoded(body, charset)


@lru_cache(1024)
def _format(content_type: str, accepts: Sequence[str]) -> tuple[str, str, str | None]:
    """Return the media type of a body, its charset, and the type as which the endpoint reads it, if it does."""
    kind, params = media_type(content_type)
    reader = next((known for known in accepts if speaks(known, kind)), None)
    return kind, _usable(params.get("charset", "")), reader


JSON, URLENCODED, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
ALL_TYPES = (JSON, URLENCODED, MULTIPART)
_FORMS = frozenset({URLENCODED, MULTIPART})


def _usable(charset: str) -> str:
    """Return a charset, or UTF-8 for an unknown one."""
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return "utf-8"


def parse_json(body: bytes, charset: str = "utf-8") -> Any:
    """Decode JSON; what JSON does not allow is a 400 with the decoder's own words."""
    try:
        text = codecs.getreader(charset)(io.BytesIO(body)).read()  # as the server: some cut characters are not missed
        return json.loads(text) if text.startswith("\ufeff") else _read_json(text)  # ``loads`` refuses such a mark
    except ValueError as error:
        raise detail(400, f"JSON parse error - {error}") from None
    except RecursionError:
        raise PageError(500) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")


_read_json = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _urlencoded(body: bytes, charset: str) -> Form:
    try:
        text = body.decode(charset)
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    form = Form()
    for name, value in parse_query(text, charset):
        form.setdefault(name, []).append(value)
    return form


def _multipart(content_type: str, body: bytes, charset: str) -> Form:
    """Decode a multipart body. Under each name, files come after texts, in whatever order they were sent."""
    texts, files = Form(), Form()
    size = 0
    for head, content in _parts(body, _boundary(content_type)):
        size += _add_part(texts, files, _part_headers(head), content, charset)
    if size > MAX_TEXT or _count(texts) > MAX_FIELDS or _count(files) > MAX_FILES:
        raise PageError(400)
    for name, uploads in files.items():
        texts.setdefault(name, []).extend(uploads)
    return texts


def _count(form: Form) -> int:
    return sum(map(len, form.values()))


def _boundary(content_type: str) -> bytes:
    boundary = media_type(content_type)[1].get("boundary")
    if not content_type.startswith("multipart/"):
        raise _malformed(f"Invalid Content-Type: {content_type}")
    if not content_type.isascii():
        raise _malformed(f"Invalid non-ASCII Content-Type in multipart: {content_type}")
    if not boundary or not _BOUNDARY.fullmatch(boundary):
        raise _malformed(f"Invalid boundary in multipart: {boundary}")
    return boundary.encode()


_BOUNDARY = re.compile(r"[ -~]{0,200}[!-~]")


def _malformed(text: str) -> RefusedError:
    return detail(400, f"Multipart form parse error - {text}")


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Split a body at its boundaries, wherever they stand, and skip the parts whose headers have no end."""
    *pieces, last = body.split(b"--" + boundary)
    pieces = [piece.removesuffix(b"\n").removesuffix(b"\r") for piece in pieces]
    pieces += [last] if last else []
    for left, piece in zip(range(len(pieces) - 1, -1, -1), pieces, strict=True):
        head, blank, content = piece.partition(b"\r\n\r\n")
        if blank and (left or not _is_file(head)):  # a text may lack its end; a file without one is taken for cut off
            yield head, content


def _is_file(head: bytes) -> bool:
    return "filename" in media_type(_part_headers(head).get("content-disposition", ""))[1]


def _part_headers(head: bytes) -> dict[str, str]:
    headers = {}
    for line in head.split(b"\r\n"):
        try:
            name, value = line.decode().split(":", 1)
        except ValueError:  # no colon, or no UTF-8: such a line is passed over
            continue
        headers[name.lower().rstrip()] = value.strip()
    return headers


def _add_part(texts: Form, files: Form, headers: dict[str, str], content: bytes, charset: str) -> int:
    """Add one part and return how much of the text limit it uses."""
    _, disposition = media_type(headers.get("content-disposition", ""))
    if "name" not in disposition:
        return 0
    name, filename = disposition["name"].strip(), disposition.get("filename")
    encoded = headers.get("content-transfer-encoding") == "base64"
    if not filename:
        text = _unpacked(content, content) if encoded else content
        texts.setdefault(name, []).append(text.decode(charset, "replace"))
        return len(text) + len(name) + 2
    if cleaned := clean_filename(filename):
        files.setdefault(name, []).append(Upload(cleaned, _unpacked(content, None) if encoded else content))
    return 0


def _unpacked(content: bytes, fallback: bytes | None) -> bytes:
    """Undo base64; a text that is none stays as it is, a file that is none is refused."""
    try:
        return base64.b64decode(content)
    except ValueError:
        if fallback is None:
            raise _malformed("Could not decode base64 data.") from None
        return fallback


def clean_filename(name: str) -> str:
    """Keep of a client's file name what Django keeps: the last part, printable, at most 255 characters."""
    name = html.unescape(name).rsplit("/")[-1].rsplit("\\")[-1]
    name = "".join(char for char in name if char.isprintable())
    if name in ("", ".", ".."):
        return ""
    stem, extension = os.path.splitext(name)
    return name if len(name) <= 255 else stem[: 255 - len(extension[:255])] + extension[:255]


def storage_name(name: str) -> str:
    """Return the file name Django stores an upload under."""
    return re.sub(r"(?u)[^-\w.]", "", name.strip().replace(" ", "_"))
