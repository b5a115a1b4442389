"""A file that gives as many bytes as were announced ahead of it."""

import io
import os
from collections.abc import Callable
from typing import IO, TypeAlias, cast

from keystone_client_core import FieldError

Sent: TypeAlias = Callable[[int, int], object]
"""Called with the number of bytes sent so far and the number of bytes in all."""


def measured(file: IO[bytes], size: int, on_progress: Sent | None = None) -> IO[bytes]:
    """Return a file of a known size that reports how far it was read."""
    return cast("IO[bytes]", _Measured(file, size, on_progress))


class _Measured(io.BufferedIOBase):
    """A file that gives as many bytes as were announced, and reports how far it was read.

    It has no descriptor, by which httpx would measure it.
    """

    def __init__(self, file: IO[bytes], size: int, on_progress: Sent | None) -> None:
        self._file, self._size, self._on_progress = file, size, on_progress

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(self._size - self._file.tell(), 0)  # what was written to the file meanwhile is not sent
        chunk = self._file.read(left if size is None or size < 0 else min(size, left))
        if left and not chunk and size:
            raise FieldError(f"the file has become shorter than {self._size:,} bytes while it was sent", field="file")
        if chunk and self._on_progress is not None:
            self._on_progress(self._file.tell(), self._size)
        return chunk

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._size}[whence]
        return self._file.seek(start + offset)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()
