"""Compares ``follow`` with polling by the highest known key, while batch jobs commit keys late.

    KEYSTONE_URL=http://localhost:8000 KEYSTONE_USERNAME=admin KEYSTONE_PASSWORD=quickstart \
    KEYSTONE_ALLOW_WRITES=1 python benchmarks/follow.py [--rounds 3] [--overlap 10]

In each round three writers send batch jobs of 60 creates, one writes single records, and one sends dry runs, which the
server undoes. At the same time a follower and a poller read each of three logs: the whole audit log, the writers'
entries of it, and the writers' entries of the request log. In the middle of a round each reader continues with a new
client from its stored position. At the end the rows that they delivered are compared with a complete listing, and the
records of the writers are deleted. Exits with status 1 if a follower lost a row or delivered one twice. On SQLite the
poller loses nothing either, since there is only one writer at a time.
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
"""The number of creates in a batch job."""
JOBS = 3
"""The number of batch jobs of each writer in a round."""
NEEDED = ("KEYSTONE_URL", "KEYSTONE_USERNAME", "KEYSTONE_PASSWORD")


class Reader:
    """Polls one log and keeps the keys of the rows it received."""

    def __init__(self, connect: Callable[[], KeystoneClient], log: str, filters: dict[str, object]) -> None:
        """Store the log and the filters, and connect a client."""
        self.log, self.filters = log, filters
        self.delivered: list[int] = []
        self._connect = connect
        self._client = connect()

    def restart(self) -> None:
        """Continue with a new client, as after a restart of the process."""
        self._client = self._connect()

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call the client's method for the log, such as ``follow_audit_log``."""
        return getattr(self._client, f"{method}_{self.log}")(*args, **options, filters=self.filters)

    def poll(self) -> None:
        """Read the rows that were added since the last poll."""
        raise NotImplementedError


class Follower(Reader):
    """Reads the log with ``follow``."""

    def __init__(self, *args: Any, overlap: float) -> None:
        """Begin with the rows that are written from now on."""
        super().__init__(*args)
        self._overlap = overlap
        self._position = self.call("follow", after="now", overlap=overlap).position

    def poll(self) -> None:
        """Call ``follow`` until there are no more rows."""
        more = True
        while more:
            rows, self._position, more = self.call("follow", self._position, overlap=self._overlap, limit=500)
            self.delivered += [row["id"] for row in rows]


class Poller(Reader):
    """Reads the rows after the highest key it has received, and so misses rows with a lower key that appear later."""

    def __init__(self, *args: Any) -> None:
        """Begin after the newest row of the log."""
        super().__init__(*args)
        self._last = _newest(self._client, self.log)

    def poll(self) -> None:
        """Read the rows after the highest key."""
        for row in self.call("iterate", after=self._last):
            self.delivered.append(row["id"])
            self._last = row["id"]


class Outcome(NamedTuple):
    """The numbers of rows of one log in one round."""

    written: int
    delivered: int
    lost: int
    twice: int


def _newest(client: KeystoneClient, log: str) -> int:
    return int(getattr(client, f"retrieve_{log}")(order="-id", limit=1)[0]["id"])


def jobs(client: KeystoneClient, team: int, mark: str, *, dry_run: bool = False) -> None:
    """Write with batch jobs; in a dry run the server undoes them."""
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
    """Run all writers at the same time and wait for them."""
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(jobs, client, team, f"{mark}-{number}") for number in range(3)]
        work.append(pool.submit(jobs, client, team, f"{mark}-dry", dry_run=True))
        work.append(pool.submit(singles, client, team, f"{mark}-one"))
    for each in work:
        each.result()


def read(reader: Reader, written: threading.Event) -> None:
    """Poll until the writers are done, with a restart after a second. Poll twice more for rows that appear late."""
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
    """Run the writers and the readers at the same time."""
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
    """Compare the rows that a reader received with a complete listing."""
    rows = getattr(client, f"iterate_{reader.log}")(after=after, filters=reader.filters)
    there, given = {row["id"] for row in rows}, Counter(reader.delivered)
    return Outcome(len(there), len(given), len(there - given.keys()), sum(count - 1 for count in given.values()))


def one_round(writer: KeystoneClient, connect: Callable[[], KeystoneClient], overlap: float) -> Iterator[bool]:
    """Run a round and print the results. Yield for each follower whether it delivered every row exactly once."""
    own: dict[str, object] = {"cid": writer.cid}
    logs = {"audit log": ("audit_log", {}), "audit log, filtered": ("audit_log", own), "requests": ("request_log", own)}
    team = writer.create_team(name=f"follow-{uuid.uuid4().hex[:8]}")["id"]
    observer = connect()  # has another correlation id, so its own requests are not counted
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
    """Run the command line. Return the exit status: 1 if a follower lost a row or delivered one twice, else 0."""
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
