"""The files of seeded attachments: a path, bytes, or an open file, as ``create_attachment`` takes them."""

import os
from pathlib import Path, PurePath
from typing import Any

from keystone_client_core import FieldError, brief

from .._parsing.bodies import Upload, clean_filename
from .._parsing.uploads import check_upload

DEFAULT = b"An attachment."
_DEFAULT_NAME = "attachment.txt"


def read_upload(file: Any, name: str | None) -> Upload:
    """Read the file of an attachment, and check it as the server would.

    Args:
        file: a path, bytes, or a file that was opened in binary mode; it is read from where it stands.
        name: the attachment's name, which a file without a name of its own is called by if it has an extension.

    Returns:
        The file under its own name.

    Raises:
        FieldError: it is no file, cannot be read, or the server would refuse it.
    """
    own = clean_filename(_own_name(file))
    fallback = name if name and PurePath(name).suffix else _DEFAULT_NAME
    upload = Upload(own or clean_filename(fallback), _content(file))
    if complaint := check_upload(upload):
        raise _unfit(f"{upload.name!r} does not fit: {complaint}")
    return upload


def _own_name(file: Any) -> str:
    if isinstance(file, str | os.PathLike):
        return str(os.fspath(file))
    name = getattr(file, "name", None)  # of a file that was opened by its descriptor it is a number
    return name if isinstance(name, str) else ""


def _content(file: Any) -> bytes:
    try:
        if isinstance(file, str | os.PathLike):
            return Path(file).read_bytes()
        if isinstance(file, bytes | bytearray | memoryview):
            return bytes(file)
        content = file.read() if hasattr(file, "read") else None
    except (OSError, ValueError) as error:  # a ValueError: a closed file, or a path with NUL
        raise _unfit(f"{brief(file)} cannot be read: {error}") from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise _unfit(f"{brief(file)} does not fit: give a path, bytes, or a file opened in binary mode")
    return bytes(content)


def _unfit(why: str) -> FieldError:
    return FieldError(f"attachment field 'file': {why}", field="file")
