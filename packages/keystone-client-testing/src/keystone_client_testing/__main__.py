"""``python -m keystone_client_testing``: serve a fake Keystone for front-ends, other languages and a first look."""

import argparse
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

from ._fake import FakeKeystone
from ._world.database import DATABASES, POSTGRESQL
from ._world.state import ADMIN, ADMIN_PASSWORD
from .doors.connections import exposure
from .doors.server import Server


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    Args:
        argv: the command line; that of the process by default.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(argv)
    fake = FakeKeystone(database=options.database)
    if complaint := _filled(fake, options.world, options.demo_data):
        print(complaint, file=sys.stderr)
        return 1
    if danger := exposure(options.host):
        print(f"WARNING: {danger}", file=sys.stderr, flush=True)
    try:
        with warnings.catch_warnings(action="ignore"):
            server = Server(fake.world, options.host, options.port)
    except OSError as error:
        print(f"cannot serve on {options.host}:{options.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    end = _told_to_stop()  # before anybody is told that there is something to stop
    with server:
        print(f"Fake Keystone at {server.url}  (login: {ADMIN} / {ADMIN_PASSWORD}); stop it with Ctrl-C", flush=True)
        end.wait()
    print("stopped", flush=True)
    return 0


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
    parser.add_argument("--host", default="127.0.0.1", help="address to bind to (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="TCP port, 0 for a free one (default: %(default)s)")
    about = "what the server keeps its records in (default: %(default)s)"
    parser.add_argument("--database", choices=list(DATABASES), default=POSTGRESQL.name, help=about)
    parser.add_argument("--world", type=Path, metavar="FILE", help="start with the world FakeKeystone.dump() wrote")
    parser.add_argument("--demo-data", action="store_true", help="fill it with the records of a made-up centre")
    return parser


def _told_to_stop() -> threading.Event:
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    return end


if __name__ == "__main__":
    sys.exit(main())
