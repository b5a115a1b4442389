"""What goes in and out of the engine: a request, an answer, and the refusals an endpoint may raise.

Bytes at the border, so nothing a test holds is ever shared with the store. No transport lives here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

Headers = Sequence[tuple[str, str]]

VARY = "Cookie, origin"
COMMON_HEADERS: Headers = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
FRAME = ("X-Frame-Options", "DENY")
_JSON = "application/json"
JSON_TYPE = ("Content-Type", _JSON)
HTML_TYPE = ("Content-Type", "text/html; charset=utf-8")

_PAGE = (
    '\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
    "<body>\n  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
)
_PAGES = {
    400: ("Bad Request (400)", ""),
    404: ("Not Found", "The requested resource was not found on this server."),
    500: ("Server Error (500)", ""),
}


class Request(NamedTuple):
    """One HTTP request as it came over the wire."""

    method: str
    scheme: str
    host: str
    """As in the ``Host`` header: with the port where there is one."""
    path: str
    """Still percent-encoded."""
    query: str
    headers: Mapping[str, str]
    """By name, as ``joined`` returns them."""
    body: bytes
    peer: str = "127.0.0.1"


class Answer(NamedTuple):
    """What the door has to deliver; ``fault`` names a transport error to act out instead."""

    status: int
    headers: Headers
    body: bytes
    fault: str = ""


class Reply(NamedTuple):
    """What an endpoint says: a status and what is to become the body."""

    status: int
    data: Any = None
    headers: Headers = ()
    text: bytes | None = None
    """A body that is not JSON; its type is among the headers."""


class RefusedError(Exception):
    """An endpoint refuses; carries the reply."""

    def __init__(self, status: int, data: Any, headers: Headers = ()) -> None:
        """Keep the reply the refusal stands for."""
        super().__init__(status, data)
        self.reply = Reply(status, data, headers)


class PageError(Exception):
    """Django answers with an HTML page instead of the API with JSON."""

    def __init__(self, status: int) -> None:
        """Keep the status of the page."""
        super().__init__(status)
        self.status = status


class RefusedRowError(PageError):
    """The database refuses a row that the API let pass: 500."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Keep the cleaned values of the row."""
        super().__init__(500)
        self.values = values
        self.commit_side_effects: Callable[[], None] = _nothing
        """Writes what the server has committed before its database refuses the row."""


def _nothing() -> None:
    pass


def detail(status: int, text: str, headers: Headers = ()) -> RefusedError:
    """Build the usual refusal with one text.

    Args:
        status: the HTTP status.
        text: what stands under ``detail``.
        headers: further headers of the answer.

    Returns:
        The error, to be raised.
    """
    return RefusedError(status, {"detail": text}, headers)


def page(status: int) -> Reply:
    """Return Django's HTML page for a status."""
    title, text = _PAGES[status]
    return Reply(status, headers=(HTML_TYPE,), text=_PAGE.format(title=title, text=text).encode())


def encode_json(data: Any) -> bytes:
    """Write a body the way the API does: compact, raw UTF-8."""
    return _compact(data).encode("utf-8", "surrogatepass")


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written_json(status: int, data: Any) -> Reply:
    """Return JSON as Django writes it without DRF: spaced and in ASCII. Another view cannot read it as data."""
    return Reply(status, headers=(JSON_TYPE,), text=json.dumps(data).encode())


def to_answer(reply: Reply, head: bool, allow: str, media: str = _JSON, vary: str = VARY) -> Answer:
    """Turn a reply into what goes over the wire.

    Args:
        reply: what the endpoint said.
        head: whether the body is to be left out.
        allow: the methods of the endpoint; empty where it has none to name.
        media: the content type of a body that is data.
        vary: request headers on which the answer depends.

    Returns:
        The answer with all its headers.
    """
    headers = list(reply.headers)
    body = b""
    if reply.text is not None:
        body = reply.text
    elif reply.data is not None:
        body = encode_json(reply.data)
        headers.append(("Content-Type", media))
    if allow:
        headers.append(("Allow", allow))
    if reply.status != 301:
        headers.append(FRAME)
    headers += (("Vary", vary), *COMMON_HEADERS, ("Content-Length", str(len(body))))
    return Answer(reply.status, headers, b"" if head else body)


def joined(headers: Headers) -> dict[str, str]:
    """Return headers by their names in lower case; those of the same name are joined into one, as the server does."""
    values: dict[str, str] = {}
    for sent, value in headers:
        name = sent.lower()
        values[name] = f"{values[name]}{'; ' if name == 'cookie' else ','}{value}" if name in values else value
    return values


def decode_path(raw: str) -> str:
    """Undo the percent-encoding of a path; what is no UTF-8 becomes a replacement character."""
    return unquote(raw, errors="replace")
