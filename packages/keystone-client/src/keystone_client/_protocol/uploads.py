"""Files to be sent: opened, measured and named, before anything is sent.

``Content-Length`` must be the number of bytes that ``read()`` will return. For a file object that decompresses or wraps
another, neither its descriptor nor its position tells that number, so the file object of a caller is copied first: to
memory, or to disk if it is large. A file given by its path is not copied.
"""

import inspect
import io
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

from keystone_client_core import RESOURCES, FieldError, brief

from .._progress import check_progress
from .measured_file import Sent, measured

Content: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes]
"""A path, bytes, or a file opened in binary mode."""

IN_MEMORY = 1_000_000
"""How many bytes of a copy are kept in memory before it is spooled to disk."""

_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_CHUNK = 65_536
_UNPACKED = {"gzip": (".gz",), "bz2": (".bz2",), "lzma": (".xz", ".lzma")}
"""Endings to drop from the name of a file object, by its module: what ``gzip.open()`` reads is not compressed."""


class Upload(NamedTuple):
    """A file of known length that can be sent again from its beginning, as a retry needs it."""

    filename: str
    file: IO[bytes]
    size: int

    @property
    def part(self) -> tuple[str, IO[bytes], str]:
        """The file as a part of a multipart body, in the form of httpx."""
        return self.filename, self.file, content_type(self.filename)

    def close(self) -> None:
        """Close the file, which is a copy or was opened here."""
        self.file.close()


def open_upload(content: Content, filename: str | None = None, on_progress: Sent | None = None) -> Upload:
    """Open a file for an upload.

    Args:
        content: A path, bytes, or a file opened in binary mode. A file is sent from its beginning; one that cannot go
            back there, from where it is.
        filename: The name to send; that of the path or the file if left out.
        on_progress: Called with the number of bytes sent so far and the number of bytes in all.

    Returns:
        The upload, which the caller closes.

    Raises:
        FieldError: It is no file, has no name, or gives no bytes.
    """
    check_progress(on_progress)
    filename = filename or own_name(content)
    check_filename(filename)
    if not filename:
        _check_content(content)
        raise FieldError(
            "give a filename, a path, or a file that has a name: the server tells the type of a file by its extension",
            field="filename",
        )
    file, size = _opened(content)
    return Upload(filename, measured(file, size, on_progress), size)


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
        problem = f"filename={brief(upload.filename)} is longer than the {longest} characters of an attachment's name"
        raise FieldError(f"{problem}: give a shorter name=", field="filename")
    return fields


def own_name(content: Any) -> str | None:
    """Return the name of a path, or of a file that has one; else ``None``.

    What a compressed file gives is not compressed, so its name loses the ending that says so.
    """
    if isinstance(content, str | os.PathLike):
        return _path(content).name
    content = getattr(content, "raw", content)  # a buffer has the name of the file below it
    try:
        name = os.path.basename(os.fsdecode(content.name))
    except Exception:  # noqa: BLE001  # no name, a number, or a property that fails: all the same, there is none
        return None
    for ending in _UNPACKED.get(type(content).__module__, ()):
        name = name.removesuffix(ending)
    return name


def content_type(filename: str) -> str:
    """Guess the type of a file by its name. httpx would guess alike, but fail on names that look like broken URLs."""
    import mimetypes  # here because it reads the tables of the machine, and most programs upload nothing

    return mimetypes.guess_type(os.path.basename(filename))[0] or "application/octet-stream"


def check_filename(filename: object) -> None:
    """Check a file name that is sent; ``None`` stands for none.

    Raises:
        FieldError: It is no text, or has characters that cannot be sent.
    """
    if filename is None or is_sendable(filename):
        return
    raise FieldError(
        f"filename={filename!a:.80}: give a filename of text that can be sent, without control characters",
        field="filename",
    )


def is_sendable(text: object) -> bool:
    """Return whether a value is text that can be encoded, without control characters that could start another line."""
    return isinstance(text, str) and _UNSENDABLE.search(text) is None


def measured_copy(file: Any) -> IO[bytes]:
    """Return a copy of a caller's file, which tells its length and can be sent again.

    Raises:
        FieldError: The file does not give bytes.
    """
    copy, size = _copy(file)
    return measured(copy, size)


def _opened(content: Content) -> tuple[IO[bytes], int]:
    _check_content(content)
    if isinstance(content, bytes | bytearray | memoryview):
        data = bytes(content)
        return io.BytesIO(data), len(data)
    if not isinstance(content, str | os.PathLike):
        return _copy(content)
    file = _path(content).open("rb")
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size:  # files of the kernel say that they are empty
        return file, status.st_size
    with file:
        return _copy(file)


def _check_content(content: object) -> None:
    known = isinstance(content, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(content, "read")
    if not known or isinstance(content, io.TextIOBase):
        raise FieldError(f"file={brief(content)}: give a path, bytes, or a file opened in binary mode", field="file")


def _path(content: "str | os.PathLike[str]") -> Path:
    try:
        text = os.fsdecode(content)
        os.fsencode(text)
    except (TypeError, ValueError):  # a surrogate, or an object that is no path after all
        text = ""
    if not text or "\0" in text:
        raise FieldError(f"file={content!a:.80}: give the path of a file", field="file")
    return Path(text)


def _copy(file: Any) -> tuple[IO[bytes], int]:
    """Copy what a file gives, from its beginning if it can go back there, and return the copy and its size."""
    copy: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - lives as long as the call
    try:
        _rewind(file)
        while chunk := _chunk(file):
            copy.write(chunk)
    except BaseException:
        copy.close()
        raise
    size = copy.tell()
    copy.seek(0)
    return copy, size


def _rewind(file: Any) -> None:
    try:
        file.seek(0)
    except Exception:  # noqa: BLE001  # a pipe, a download: it says so in its own way, and is read from where it is
        return


def _chunk(file: Any) -> bytes:
    try:
        chunk = file.read(_CHUNK)
    except Exception as error:
        said = brief(error)
        raise FieldError(f"file={brief(file)} cannot be read: {said}", field="file") from error
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    if inspect.iscoroutine(chunk):
        chunk.close()  # or Python warns that it was never awaited
    kind = type(chunk).__name__
    raise FieldError(f"file={brief(file)}: give a file opened in binary mode; its read() gives {kind}", field="file")
