"""Download the file of an attachment: streamed, without credentials, and written whole or not at all."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias, cast
from urllib.parse import quote

import httpx
from keystone_client_core import RESOURCES, FieldError, brief, record_path

from .._flow import Flow
from .._progress import check_progress
from .._protocol.call import Call
from .._protocol.error_messages import decode_error, status_error
from .._protocol.measured_file import Sent
from .._protocol.requests import Draft, without_credentials
from .._protocol.responses import record_of
from .._protocol.uploads import IN_MEMORY
from .._transport.outgoing import OutgoingRequest

Target: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
"""A path, or a file opened in binary mode."""

HINT = "the API itself gives out no files: does a web server in front of it publish media/?"


class Sink:
    """Writes the body of an answer to a file and reports the progress."""

    def __init__(self, file: IO[bytes], on_progress: Sent | None) -> None:
        """Take the file to write to and the function to call with the progress, if any."""
        self._file, self._on_progress = file, on_progress

    def receive(self, request: OutgoingRequest) -> None:
        """Take the body of the answer to a request, without credentials; discard what an earlier try has written."""
        without_credentials(request)
        self._file.seek(0)
        self._file.truncate()
        request.sink = self

    def write(self, chunk: bytes, total: int) -> None:
        """Write a part of the body; ``total`` is its full length, 0 if the server does not say."""
        self._file.write(chunk)
        if self._on_progress is not None:
            self._on_progress(self._file.tell(), total)


def download(call: Call, pk: object, to: Target, on_progress: Sent | None) -> Flow[dict[str, Any]]:
    """Download an attachment to a path or into an open file, and return its record."""
    if not isinstance(to, str | os.PathLike) and not hasattr(to, "write"):
        raise FieldError(f"to={brief(to)}: give a path, or a file opened in binary mode", field="to")
    if isinstance(to, str | os.PathLike):
        _check_path(Path(to))
    elif isinstance(to, io.TextIOBase):
        raise FieldError("to: this file was opened as text; open it in binary mode", field="to")
    check_progress(on_progress)
    response = yield from call.send(Draft("GET", record_path(RESOURCES["attachment"].path, pk)))
    record = record_of(response, call.cid)
    endpoint = _endpoint(call, response, record)
    with _whole(to) as file:
        draft = Draft("GET", endpoint, headers={"Accept": "*/*"}, change=Sink(file, on_progress).receive)
        answer = yield from call.send(draft, renew=False)
        if answer.status_code != 200 or answer.headers.get("content-type", "").startswith("text/html"):
            raise status_error(answer, call.cid, hint="" if answer.has_redirect_location else HINT)
    return record


def _endpoint(call: Call, response: httpx.Response, record: Mapping[str, Any]) -> str:
    """Return the endpoint of a record's file; raise unless it lies below ``media/``."""
    try:
        endpoint = call.session.endpoint(f"media/{quote(record['file'])}").removesuffix("/")
        call.session.builder.url_of(endpoint)  # raises where the URL would be too long
    except (KeyError, TypeError, ValueError):
        endpoint = ""
    # An endpoint with two slashes in a row is sent with one. A file name that this would change is refused.
    if not endpoint.startswith("media/") or "//" in f"/{record['file']}":
        raise decode_error(response, "names no file below media/", call.cid)
    return endpoint


def _check_path(target: Path) -> None:
    if "\0" in str(target):
        raise FieldError(f"to={str(target)!r} holds a NUL, which no path can", field="to")
    if target.is_dir():
        raise FieldError(f"to={str(target)!r} is a folder: give the path of the file in it", field="to")
    if target.exists() and not target.is_file():  # a regular file would take its place
        raise FieldError(f"to={str(target)!r} is a device or the like: open it and give the open file", field="to")
    if not target.parent.is_dir():
        raise FieldError(f"to={str(target)!r}: there is no folder {str(target.parent)!r}; make it first", field="to")


@contextmanager
def _whole(to: Target) -> Iterator[IO[bytes]]:
    """Yield a temporary file, and move it to the target once it is complete."""
    if not isinstance(to, str | os.PathLike):
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as copy:
            yield cast("IO[bytes]", copy)
            copy.seek(0)
            shutil.copyfileobj(copy, to)
        return
    target = Path(os.path.realpath(to))  # a symbolic link stays, and what it leads to is replaced
    part = target.with_name(f".{target.name[:50]}.{os.urandom(8).hex()}")
    with part.open("xb") as file:  # not tempfile: its files are readable by their owner only
        try:
            yield file
            file.close()
            if target.exists():
                shutil.copymode(target, part)
            os.replace(part, target)
        except BaseException:
            file.close()
            part.unlink(missing_ok=True)
            raise
