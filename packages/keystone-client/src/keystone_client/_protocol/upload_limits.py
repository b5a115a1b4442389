"""Which files a server takes, as far as it says so: what is beyond is refused before it is sent."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keystone_client_core import FieldError

from .bodies import Upload


class Limits(NamedTuple):
    """Which files a server says that it takes; ``None`` where it does not say."""

    size: int | None = None
    """Bytes at most."""
    types: Collection[str] | None = None


def limits_of(told: Mapping[str, Any]) -> Limits:
    """The limits in the settings of a server, as far as they make sense."""
    size, types = told.get("max_upload_size"), told.get("allowed_file_types")
    known = isinstance(types, list) and all(isinstance(each, str) for each in types)
    return Limits(size if type(size) is int and size > 0 else None, types if known else None)


def check_uploads(uploads: Iterable[Upload], limits: Limits) -> None:
    """Compare files with the limits of the server, where those are known.

    Raises:
        FieldError: A file is larger, or empty, which the server takes for a mistake, or of a type it does not take.
    """
    for upload in uploads:
        name = repr(upload.filename)
        if limits.size is not None and not 0 < upload.size <= limits.size:
            told = f"{name} has {upload.size:,} bytes; the server takes files of 1 to {limits.size:,}"
            raise FieldError(told, field="file")
        if limits.types is not None:
            problem = _wrong_type(upload.filename, limits.types)
            if problem:
                raise FieldError(f"{name} {problem}; the server takes {', '.join(limits.types)}", field="file")


def _wrong_type(filename: str, types: Collection[str]) -> str:
    """Why the server will not take a file of this name; nothing where only the server can tell.

    It goes by the extension, and asks the tables of its own machine: those of this one may know another type.
    """
    if not Path(filename).suffix:
        return "has no extension, by which the server tells the type of a file"
    import mimetypes  # reads the tables of the machine, and is not always needed

    tables = (mimetypes.MimeTypes(), mimetypes)
    guesses = {table.guess_type(filename, strict=strict)[0] for table in tables for strict in (True, False)} - {None}
    if not guesses or guesses & set(types):
        return ""
    return f"is of the type {' or '.join(sorted(map(str, guesses)))}"
