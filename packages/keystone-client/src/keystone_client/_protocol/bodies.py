"""Build the bodies of requests, each of known length: the server ignores a body that is sent in chunks without one."""

import io
import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from keystone_client_core import SURROGATE, FieldError, brief, python_scalar

from .uploads import Upload, check_filename, content_type, is_sendable, measured_copy, own_name


def json_body(value: object) -> bytes:
    """Return a value as JSON.

    Raises:
        FieldError: JSON cannot hold the value.
    """
    try:
        return _json_text(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        problem = "text that is not Unicode" if isinstance(error, UnicodeError) else str(error)
        raise FieldError(f"the body cannot be sent as JSON: {problem}", field="json") from None


def _json_scalar(value: object) -> object:
    """Return the scalar of a data library as JSON can hold it; ``json`` asks for what it does not know."""
    found = python_scalar(value)
    if not isinstance(found, bool | int | float | str):
        raise TypeError(f"{type(value).__name__} is no type of JSON")
    return found


_json_text = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_json_scalar
).encode  # made once: ``json.dumps`` makes one for each call


def multipart(sent: Mapping[str, object]) -> dict[str, Any]:
    """Return the ``data`` and ``files`` arguments of httpx for fields of which some are an ``Upload``.

    None of the others is ``None``, which a form cannot say: no field of such a record can be null.
    """
    files = {name: value.part for name, value in sent.items() if isinstance(value, Upload)}
    data = {name: str(value) for name, value in sent.items() if not isinstance(value, Upload)}
    return {"data": data, "files": files}


def form_body(data: Any) -> Mapping[str, Any]:
    """Return the ``data`` argument of httpx for a form, in which all values are texts or lists of texts.

    Raises:
        FieldError: It is no form, or holds something else than texts and numbers.
    """
    if not isinstance(data, Mapping):
        raise _unfit("data", "must be a mapping, the fields of a form; for JSON use json=, for files files=")
    if not all(map(is_sendable, data)):
        raise _unfit("data", "the names of its fields are texts that can be sent")
    return {
        str.__str__(name): [form_text("data", name, item) for item in value]
        if isinstance(value, list | tuple)
        else form_text("data", name, value)
        for name, value in data.items()
    }


def form_text(what: str, name: str, value: object) -> str:
    """Return a value of a form or a query as text.

    Raises:
        FieldError: It is neither text nor a number nor a date. The error names the argument and the value's name.
    """
    from datetime import date
    from decimal import Decimal
    from uuid import UUID

    taken = (str, bytes, int, float, Decimal, date, UUID)
    found = value if value is None or isinstance(value, str | bytes) else _scalar(what, name, value)
    if isinstance(found, bool) or found is None:
        return {True: "true", False: "false", None: ""}[found]
    if not isinstance(found, taken):
        raise _unfit(
            what, f"{brief(name)} is of the type {type(value).__name__}; give text, a number, or a list of these"
        )
    try:
        text = found.decode() if isinstance(found, bytes) else str(found)
        text.encode()
    except ValueError:
        raise _unfit(
            what, f"{brief(name)} holds text that is not Unicode, or a number too long to be written"
        ) from None
    return text


def _scalar(what: str, name: str, value: object) -> object:
    try:
        return python_scalar(value)
    except FieldError as error:
        raise _unfit(what, f"{brief(name)}: {error}") from None


def with_known_length(files: Any, copies: ExitStack) -> Any:
    """Return the ``files`` argument of httpx with a copy of each file, which tells its length.

    Args:
        files: What the caller gave as ``files``.
        copies: Closes the copies.

    Raises:
        FieldError: It is not what httpx takes, has a name or header that cannot be sent, or a file gives no bytes.
    """
    try:
        pairs = [(name, part) for name, part in (files.items() if isinstance(files, Mapping) else files)]
    except (TypeError, ValueError):
        raise _no_files("give a mapping of names to files, or pairs of both") from None
    return [(_checked_name(name), _part(part, copies)) for name, part in pairs]


def _checked_name(name: object) -> object:
    if not is_sendable(name):
        raise _no_files("a name must be text that can be sent")
    return name


def _part(part: Any, copies: ExitStack) -> tuple[Any, ...]:
    """Return a part in the longest form of httpx: filename, file, content type, headers."""
    if not isinstance(part, tuple):
        part = (own_name(part) if hasattr(part, "read") else None) or "upload", part  # httpx names it so
    return _checked_part(copies, *part)


def _checked_part(
    copies: ExitStack, filename: Any = None, file: Any = None, kind: Any = None, headers: Any = None, *more: Any
) -> tuple[Any, ...]:
    """Check a part of a multipart body, so that it cannot inject lines: httpx writes type and headers unchecked.

    Raises:
        FieldError: The part has the wrong form, or text that cannot be sent.
    """
    check_filename(filename)
    known = headers is None or isinstance(headers, Mapping)
    texts: Iterable[Any] = [] if kind is None else [kind]
    if known and headers:
        texts = [*texts, *headers, *headers.values()]
    if file is None or more or not known or not all(map(is_sendable, texts)):
        raise _no_files("a part is a filename, a file, and if need be a content type and a mapping of headers, as text")
    kind = content_type(filename) if kind is None and filename else kind
    return filename, _content(file, copies), kind, dict(headers or {})  # a copy: httpx adds the type to it


def _content(file: Any, copies: ExitStack) -> Any:
    if isinstance(file, bytes | bytearray | memoryview):
        return bytes(file)
    if isinstance(file, str) and not SURROGATE.search(file):
        return str.__str__(file)
    if not hasattr(file, "read") or isinstance(file, io.TextIOBase):
        raise _no_files(f"give bytes, text, or a file opened in binary mode, not {type(file).__name__}")
    return copies.enter_context(measured_copy(file))


def _no_files(problem: str) -> FieldError:
    return _unfit("files", problem)


def _unfit(what: str, problem: str) -> FieldError:
    return FieldError(f"{what}: {problem}", field=what)
