"""Child processes that are always ended, even if the test fails or hangs; and whether this machine has IPv6."""

import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no loopback address of IPv6")


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
