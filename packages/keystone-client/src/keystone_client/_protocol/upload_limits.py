"""Check files against the limits that the server announces, before they are sent."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keystone_client_core import FieldError

from .uploads import Upload


class Limits(NamedTuple):
    """The files that the server accepts; ``None`` where it does not say."""

    size: int | None = None
    """The most bytes a file may have."""
    types: Collection[str] | None = None
    """The MIME types a file may have."""


def limits_of(told: Mapping[str, Any]) -> Limits:
    """Return the limits in the settings that a server sent; values that make no sense are ignored."""
    size, types = told.get("max_upload_size"), told.get("allowed_file_types")
    known = isinstance(types, list) and all(isinstance(each, str) for each in types)
    return Limits(size if type(size) is int and size > 0 else None, types if known else None)


def check_uploads(uploads: Iterable[Upload], limits: Limits) -> None:
    """Check files against the limits, where those are known.

    Raises:
        FieldError: A file is too large, is empty (which the server rejects), or has a type that it does not accept.
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
    """Return why the server will not accept a file of this name; empty if it may accept it.

    The server guesses the type from the extension, with the MIME tables of its own machine, which may differ from those
    here. So a file is refused only if every guess made here is a type that is not accepted.
    """
    if not Path(filename).suffix:
        return "has no extension, by which the server tells the type of a file"
    import mimetypes  # here because it reads the tables of the machine, and most programs upload nothing

    tables = (mimetypes.MimeTypes(), mimetypes)
    guesses = {
        table.guess_type(Path(filename).name, strict=strict)[0] for table in tables for strict in (True, False)
    } - {None}
    if not guesses or guesses & set(types):
        return ""
    return f"is of the type {' or '.join(sorted(map(str, guesses)))}"
