"""Which files the server takes, and under which name it keeps them. Contents are checked for size only."""

import mimetypes
import random
import string
from pathlib import PurePosixPath

from .._world.store import Store
from .bodies import Upload, storage_name

MAX_SIZE = 2_621_440
ALLOWED_TYPES = (
    "application/pdf",
    "application/rtf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.oasis.opendocument.text",
    "application/x-latex",
    "application/x-tex",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "text/plain",
    "text/markdown",
    "text/richtext",
    "text/csv",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/svg+xml",
    "image/tiff",
    "image/bmp",
)
_MAX_PATH = 100


def check_upload(upload: Upload) -> str:
    """Return the server's complaint about a file, or nothing."""
    if not upload.content:
        return "The submitted file is empty."
    if len(upload.content) > MAX_SIZE:
        return "File size should not exceed 2.50 MB."
    kind, _ = mimetypes.guess_type(upload.name)
    if kind is None:
        return "File type could not be resolved."
    return "" if kind in ALLOWED_TYPES else f"File type '{kind}' is not allowed."


def storage_path(store: Store, name: str) -> str:
    """Return a free path below the upload folder; a taken or too long name gets a random suffix."""
    cleaned = storage_name(name)
    extension = "".join(PurePosixPath(cleaned).suffixes)
    stem = cleaned.removesuffix(extension)
    path = f"allocations/{stem}{extension}"
    while path in store.files or len(path) > _MAX_PATH:
        suffix = "_" + "".join(random.choices(string.ascii_letters + string.digits, k=7))  # no secret
        room = _MAX_PATH - len("allocations/") - len(suffix) - len(extension)
        path = f"allocations/{stem[:room]}{suffix}{extension}"
    return path
