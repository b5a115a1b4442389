"""Build the bodies of requests, each of known length: the server ignores a body that is sent in chunks without one."""

import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias, cast

from keystone_client_core import RESOURCES, FieldError, brief

from .._progress import check_progress

Content: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes]"
"""A path, bytes, or a file opened in binary mode."""

Sent: TypeAlias = Callable[[int, int], object]
"""Called with the number of bytes sent so far and the number of bytes in all."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

IN_MEMORY = 1_000_000
"""How many bytes of a file of unknown length are kept in memory before it is spooled to disk."""


class Upload(NamedTuple):
    """A file of known length that can be sent again from its beginning, as a retry needs it."""

    filename: str
    file: IO[bytes]
    size: int
    opened: IO[bytes] | None
    """The file to close afterwards; ``None`` if the caller opened it."""

    def close(self) -> None:
        """Close the file, unless the caller opened it."""
        if self.opened is not None:
            self.opened.close()


def json_body(value: object) -> bytes:
    """Return a value as JSON.

    Raises:
        FieldError: JSON cannot hold the value.
    """
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        problem = "text that is not Unicode" if isinstance(error, UnicodeError) else str(error)
        raise FieldError(f"the body cannot be sent as JSON: {problem}", field="json") from None


def open_upload(content: Content, filename: str | None = None, on_progress: Sent | None = None) -> Upload:
    """Open a file for an upload.

    Args:
        content: A path, bytes, or a file opened in binary mode.
        filename: The name to send; that of the path or the file if left out.
        on_progress: Called with the number of bytes sent so far and the number of bytes in all.

    Returns:
        The upload, which the caller closes.

    Raises:
        FieldError: It is no file, has no name, or was opened as text.
    """
    check_progress(on_progress)
    filename = filename or _own_name(content)
    _check_filename(filename)
    if isinstance(content, str | os.PathLike):
        path = Path(content)
        file: IO[bytes] = path.open("rb")
    elif isinstance(content, bytes | bytearray | memoryview):
        file = io.BytesIO(content)
    elif not hasattr(content, "read") or isinstance(content, io.TextIOBase):
        raise FieldError(f"file={brief(content)}: give a path, bytes, or a file opened in binary mode", field="file")
    else:
        file = sized(content)
    opened = None if file is content else file
    if not filename:
        if opened is not None:
            opened.close()
        raise FieldError(
            "give a filename, a path, or a file that has a name: the server tells the type of a file by its extension",
            field="filename",
        )
    size = _length(file)
    watched = cast("IO[bytes]", _Watched(file, size, on_progress)) if on_progress else file
    return Upload(filename, watched, size, opened)


def _check_filename(filename: object) -> None:
    if filename is None or _is_sendable(filename):
        return
    raise FieldError(
        f"filename={filename!a:.80}: give a filename of text that can be sent, without control characters",
        field="filename",
    )


def _is_sendable(text: object) -> bool:
    """Return whether a value is text that can be encoded, without control characters that could start another line."""
    return isinstance(text, str) and _UNSENDABLE.search(text) is None


def multipart(sent: Mapping[str, object]) -> dict[str, Any]:
    """Return the ``data`` and ``files`` arguments of httpx for fields of which some are an ``Upload``."""
    files = {name: (value.filename, value.file) for name, value in sent.items() if isinstance(value, Upload)}
    data = {name: str(value) for name, value in sent.items() if not isinstance(value, Upload)}
    return {"data": data, "files": files}


def with_known_length(files: Any, copies: ExitStack) -> Any:
    """Return the ``files`` argument of httpx with a spooled copy of each file that cannot tell its length.

    Args:
        files: What the caller gave as ``files``.
        copies: Closes the copies.

    Raises:
        FieldError: It is not what httpx takes, or has a name or header that cannot be sent.
    """
    try:
        pairs = [(name, part) for name, part in (files.items() if isinstance(files, Mapping) else files)]
    except (TypeError, ValueError):
        raise _no_files("give a mapping of names to files, or pairs of both") from None
    return [(_checked_name(name), _sized_part(part, copies)) for name, part in pairs]


def _checked_name(name: object) -> object:
    if not _is_sendable(name):
        raise _no_files("a name must be text that can be sent")
    return name


def _sized_part(part: Any, copies: ExitStack) -> Any:
    if isinstance(part, tuple):
        _check_part(*part)
        return (part[0], _sized_part(part[1], copies), *part[2:])
    if isinstance(part, bytes) or (isinstance(part, str) and not _SURROGATE.search(part)):
        return part
    if not hasattr(part, "read") or isinstance(part, io.TextIOBase):
        raise _no_files(f"give bytes, text, or a file opened in binary mode, not {type(part).__name__}")
    _check_filename(_own_name(part))
    file = sized(cast("IO[bytes]", part))
    return part if file is part else copies.enter_context(file)


def _check_part(filename: Any = None, file: Any = None, kind: Any = None, headers: Any = None, *more: Any) -> None:
    """Check a part of a multipart body, so that it cannot inject lines: httpx writes type and headers unchecked.

    Raises:
        FieldError: The part has the wrong form, or text that cannot be sent.
    """
    _check_filename(filename)
    pairs = list(headers.items()) if isinstance(headers, Mapping) else [(headers, headers)]
    texts = [text for text in (kind, *(text for pair in pairs for text in pair)) if text is not None]
    if file is None or more or not all(map(_is_sendable, texts)):
        raise _no_files("a part is a filename, a file, and if need be a content type and a mapping of headers, as text")


def _no_files(problem: str) -> FieldError:
    return FieldError(f"files: {problem}", field="files")


def sized(file: IO[bytes]) -> IO[bytes]:
    """Return the file if it can seek, and so tell its length and be sent again; else a spooled copy of it."""
    try:
        file.seek(file.tell())
    except (AttributeError, OSError, ValueError):
        copy: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - lives as long as the call
        while chunk := file.read(65_536):
            copy.write(chunk)
        copy.seek(0)
        return copy
    return file


def _length(file: IO[bytes]) -> int:
    position = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(position)
    return size


def _own_name(content: object) -> str | None:
    """Return the name of a path, or of a file that has one; else ``None``."""
    if isinstance(content, str | os.PathLike):
        return Path(content).name
    name = getattr(content, "name", None)
    return os.path.basename(name) if isinstance(name, str) else None


class _Watched(io.BufferedIOBase):
    """A file that reports how far it was read."""

    def __init__(self, file: IO[bytes], size: int, on_progress: Sent) -> None:
        self._file, self._size, self._on_progress = file, size, on_progress

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = self._file.read(-1 if size is None else size)
        if chunk:
            self._on_progress(self._file.tell(), self._size)
        return chunk

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def attachment_fields(request: object, upload: Upload, name: str | None) -> dict[str, object]:
    """Return the fields of a new attachment.

    Without a name the server takes the name of the file, and on PostgreSQL answers 500 if that is too long.

    Raises:
        FieldError: There is no name, and that of the file is too long.
    """
    fields = {"request": request, "file": upload}
    if name is not None:
        return {**fields, "name": name}
    longest = RESOURCES["attachment"].fields["name"].column_length
    if longest is not None and len(upload.filename) > longest:
        told = f"filename={brief(upload.filename)} is longer than the {longest} characters of an attachment's name"
        raise FieldError(f"{told}: give a shorter name=", field="filename")
    return fields
