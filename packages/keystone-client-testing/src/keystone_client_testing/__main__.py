"""``python -m keystone_client_testing``: serve a fake Keystone for front-ends, other languages and a first look."""

import argparse
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from ._fake import FakeKeystone
from ._world.database import DATABASES, POSTGRESQL
from ._world.state import ADMIN, ADMIN_PASSWORD
from .doors.connections import LARGEST_PORT, bare_host, exposure
from .doors.server import Server

JOURNAL = 1000
"""How many requests the journal of a server keeps: it runs for days, and each takes some 3 kB."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    Args:
        argv: the command line; that of the process by default.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(argv)
    fake = FakeKeystone(database=options.database, journal=options.journal)
    if problem := _filled(fake, options.world, options.demo_data):
        return _failed(problem)
    if danger := exposure(bare_host(options.host)):
        say(f"WARNING: {danger}", sys.stderr)
    try:
        with warnings.catch_warnings(action="ignore"):
            server = Server(fake.world, options.host, options.port)
    except OSError as error:
        host = f"[{bare_host(options.host)}]" if ":" in options.host else options.host
        return _failed(f"cannot serve on {host}:{options.port}: {error.strerror or error}")
    stopped = _stop_signal()  # before the address is printed, so that whoever reads it can stop the server
    with server:
        say(f"Fake Keystone at {server.url}  (login: {ADMIN} / {ADMIN_PASSWORD}); stop it with Ctrl-C", sys.stdout)
        stopped.wait()
    say("stopped", sys.stdout)
    return 0


def _failed(problem: str) -> int:
    say(problem, sys.stderr)
    return 1


def say(text: str, stream: TextIO) -> None:
    """Print a line; go on where nobody reads it any more, as after ``| head -1``.

    Args:
        text: the line.
        stream: where it is printed.
    """
    try:
        print(text, file=stream, flush=True)
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # what is left in the stream would fail again when Python exits
            os.dup2(nowhere.fileno(), stream.fileno())


def _filled(fake: FakeKeystone, world: Path | None, demo_data: bool) -> str:
    """Fill a fake, and return why that cannot be."""
    if world:
        try:
            fake.load(world.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            return f"cannot load {world}: {error}"
    try:
        if demo_data:
            fake.add_demo_data()
    except ValueError as error:
        return f"cannot add the demo data: {error}"
    return ""


def _parser() -> argparse.ArgumentParser:
    about = "Serve a fake Keystone over HTTP until Ctrl-C."
    parser = argparse.ArgumentParser(prog="python -m keystone_client_testing", description=about)
    about = "address to bind to, of IPv4 or IPv6 (default: %(default)s)"
    parser.add_argument("--host", default="127.0.0.1", help=about)
    about = "TCP port, 0 for a free one (default: %(default)s)"
    parser.add_argument("--port", type=partial(_number, most=LARGEST_PORT), default=8000, help=about)
    about = "how many of the last requests the journal keeps (default: %(default)s)"
    parser.add_argument("--journal", type=_number, metavar="N", default=JOURNAL, help=about)
    about = "what the server keeps its records in (default: %(default)s)"
    parser.add_argument("--database", choices=list(DATABASES), default=POSTGRESQL.name, help=about)
    parser.add_argument("--world", type=Path, metavar="FILE", help="start with the world FakeKeystone.dump() wrote")
    parser.add_argument("--demo-data", action="store_true", help="fill it with the records of a made-up centre")
    return parser


def _number(text: str, most: int | None = None) -> int:
    """Read a number of the command line that is not negative."""
    if not text.isdecimal() or (most is not None and int(text) > most):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 {'on' if most is None else f'to {most}'}")
    return int(text)


def _stop_signal() -> threading.Event:
    """Return an event that is set by Ctrl-C and by SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


if __name__ == "__main__":
    sys.exit(main())
