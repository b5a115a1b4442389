"""Child processes that are always ended, even if the test fails or hangs."""

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def started(command: Sequence[str], seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """Start a command with pipes; it is killed after a time, which ends every read from it, and when the block ends."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            process.kill()
