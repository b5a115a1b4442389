"""Followers of the logs beside pollers that remember the highest key, while batch jobs hold keys back.

    KEYSTONE_URL=http://localhost:8000 KEYSTONE_USERNAME=admin KEYSTONE_PASSWORD=quickstart \
    KEYSTONE_ALLOW_WRITES=1 python benchmarks/follow.py [--rounds 3] [--overlap 10]

In each round three writers send batch jobs of 60 creates, one writes single records, and one has its jobs undone (dry
runs); everybody reads at the same time. Both ways read the whole audit log, what the writers did in it, and their part
of the request log, and in the middle each goes on with a new client from what it had stored. At the end a complete
listing tells what there was. What the writers make is deleted again. Ends with status 1 if a follower lost a row or
delivered one twice. On SQLite nothing can be lost: there is one writer at a time.
"""

import argparse
import os
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

from keystone_client import KeystoneClient

JOB = 60
"""Creates in a batch job."""
JOBS = 3
"""Of each writer in a round."""
NEEDED = ("KEYSTONE_URL", "KEYSTONE_USERNAME", "KEYSTONE_PASSWORD")


class Reader:
    """Reads one log, poll by poll, and keeps what it was given."""

    def __init__(self, connect: Callable[[], KeystoneClient], log: str, filters: dict[str, object]) -> None:
        """Take what is read, and how to get a client."""
        self.log, self.filters = log, filters
        self.delivered: list[int] = []
        self._connect = connect
        self._client = connect()

    def restart(self) -> None:
        """Go on with a new client, as after the end of the process."""
        self._client = self._connect()

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a method for the log."""
        return getattr(self._client, f"{method}_{self.log}")(*args, **options, filters=self.filters)

    def poll(self) -> None:
        """Read what is new."""
        raise NotImplementedError


class Follower(Reader):
    """Follows the log."""

    def __init__(self, *args: Any, overlap: float) -> None:
        """Begin with what comes."""
        super().__init__(*args)
        self._overlap = overlap
        self._position = self.call("follow", after="now", overlap=overlap).position

    def poll(self) -> None:
        """Read until there is no more."""
        more = True
        while more:
            rows, self._position, more = self.call("follow", self._position, overlap=self._overlap, limit=500)
            self.delivered += [row["id"] for row in rows]


class Poller(Reader):
    """Asks for what lies behind the highest key it was given."""

    def __init__(self, *args: Any) -> None:
        """Begin behind the newest row of the log."""
        super().__init__(*args)
        self._last = _newest(self._client, self.log)

    def poll(self) -> None:
        """Read what lies behind."""
        for row in self.call("iterate", after=self._last):
            self.delivered.append(row["id"])
            self._last = row["id"]


class Outcome(NamedTuple):
    """What became of the rows of one log in one round."""

    written: int
    delivered: int
    lost: int
    twice: int


def _newest(client: KeystoneClient, log: str) -> int:
    return int(getattr(client, f"retrieve_{log}")(order="-id", limit=1)[0]["id"])


def jobs(client: KeystoneClient, team: int, mark: str, *, dry_run: bool = False) -> None:
    """Write by batch jobs, or have them undone."""
    for number in range(JOBS):
        with client.batch(dry_run=dry_run) as job:
            for each in range(JOB):
                job.create_grant(**_grant(team, f"{mark}-{number}-{each}"))


def singles(client: KeystoneClient, team: int, mark: str) -> None:
    """Write one record after another."""
    for number in range(JOB):
        client.create_grant(**_grant(team, f"{mark}-{number}"))


def _grant(team: int, title: str) -> Any:
    fixed = {"agency": "NSF", "amount": "1", "start_date": "2026-01-01"}
    return {**fixed, "title": title, "grant_number": title, "team": team}


def write(client: KeystoneClient, team: int, mark: str) -> None:
    """Let all writers work at the same time."""
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(jobs, client, team, f"{mark}-{number}") for number in range(3)]
        work.append(pool.submit(jobs, client, team, f"{mark}-dry", dry_run=True))
        work.append(pool.submit(singles, client, team, f"{mark}-one"))
    for each in work:
        each.result()


def read(reader: Reader, written: threading.Event) -> None:
    """Poll until the writers are done, with a new client in the middle, and twice more for what comes late."""
    until_restart = time.monotonic() + 1
    while not written.is_set():
        reader.poll()
        if time.monotonic() > until_restart:
            until_restart = float("inf")
            reader.restart()
        time.sleep(0.02)
    reader.poll()
    reader.poll()


def play(client: KeystoneClient, team: int, readers: list[Reader]) -> None:
    """Have everybody write and read at the same time."""
    written = threading.Event()
    with ThreadPoolExecutor(len(readers)) as pool:
        reading = [pool.submit(read, reader, written) for reader in readers]
        try:
            write(client, team, uuid.uuid4().hex[:8])
        finally:
            written.set()
    for each in reading:
        each.result()


def judge(client: KeystoneClient, reader: Reader, after: int) -> Outcome:
    """Hold what a reader was given against a complete listing."""
    rows = getattr(client, f"iterate_{reader.log}")(after=after, filters=reader.filters)
    there, given = {row["id"] for row in rows}, Counter(reader.delivered)
    return Outcome(len(there), len(given), len(there - given.keys()), sum(count - 1 for count in given.values()))


def one_round(writer: KeystoneClient, connect: Callable[[], KeystoneClient], overlap: float) -> Iterator[bool]:
    """Play a round and print it; yields whether each follower gave every row once."""
    own: dict[str, object] = {"cid": writer.cid}
    logs = {"audit log": ("audit_log", {}), "audit log, filtered": ("audit_log", own), "requests": ("request_log", own)}
    team = writer.create_team(name=f"follow-{uuid.uuid4().hex[:8]}")["id"]
    observer = connect()  # with another correlation id, so that looking adds nothing to what is counted
    try:
        begin = {log: _newest(observer, log) for log, _ in logs.values()}
        readers: list[tuple[str, Reader]] = []
        for name, (log, filters) in logs.items():
            readers.append((f"{name}: follower", Follower(connect, log, filters, overlap=overlap)))
            readers.append((f"{name}: highest key", Poller(connect, log, filters)))
        play(writer, team, [reader for _, reader in readers])
        for name, reader in readers:
            outcome = judge(observer, reader, begin[reader.log])
            print(f"{name:34}{outcome.written:8}{outcome.delivered:11}{outcome.lost:6}{outcome.twice:7}", flush=True)
            if isinstance(reader, Follower):
                yield outcome.lost == outcome.twice == 0
    finally:
        writer.bulk_delete_grant(grant["id"] for grant in writer.retrieve_grant(filters={"team": team}))
        writer.delete_team(team)


def main() -> int:
    """Run the command line; 1 if a follower lost a row or delivered one twice."""
    parser = argparse.ArgumentParser(description="Follow the logs of a server while others write.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--overlap", type=float, default=10, help="seconds a transaction of the server takes at most")
    options = parser.parse_args()
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        parser.error(f"this needs {', '.join(missing)}")
    if os.environ.get("KEYSTONE_ALLOW_WRITES") != "1":
        parser.error("this writes to the server and removes it again: allow it with KEYSTONE_ALLOW_WRITES=1")
    url, username, password = (os.environ[name] for name in NEEDED)
    right: list[bool] = []
    with ExitStack() as stack:

        def connect() -> KeystoneClient:
            client = stack.enter_context(KeystoneClient(url, timeout=60))
            client.login(username, password)
            return client

        writer = connect()
        for number in range(1, options.rounds + 1):
            print(f"{f'round {number}':34}{'written':>8}{'delivered':>11}{'lost':>6}{'twice':>7}")
            right += one_round(writer, connect, options.overlap)
    print("every follower gave every row once" if all(right) else "A FOLLOWER LOST ROWS OR GAVE THEM TWICE")
    return int(not all(right))


if __name__ == "__main__":
    sys.exit(main())
