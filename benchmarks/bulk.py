"""500 creates in bulk against one by one: on a server nearby, and with 20 ms of latency in between.

    python benchmarks/bulk.py

Against the server of KEYSTONE_URL, with KEYSTONE_USERNAME and KEYSTONE_PASSWORD; without it against the fake, which
takes less time for a record than a server does. Both ways take turns, a hundred records each, which are deleted again.
Raise the throttle of the server by the second (``1000000/sec``): it copies its list of the requests of the whole window
for each step of a job, so a window of a minute is what would be measured.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from time import sleep

import httpx
from compare import Action, report, timed
from keystone_client import KeystoneClient
from keystone_client_testing import FakeKeystone

NUMBER = 500
TURNS = 5
LATENCY = 0.02
LOGIN = {"username": "admin", "password": "quickstart"}


class Distant(httpx.BaseTransport):
    """A network with latency."""

    def __init__(self, latency: float) -> None:
        """Take the seconds each request takes beside the server's own."""
        self._latency = latency
        self._network = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Wait, then send."""
        sleep(self._latency)
        return self._network.handle_request(request)

    def close(self) -> None:
        """Close the network."""
        self._network.close()


def compare(url: str, login: dict[str, str], latency: float, bar: float) -> None:
    """Create the same number of records both ways, turn by turn, and print the ratio."""
    mark = f"bench-{uuid.uuid4().hex[:8]}"
    numbers = count()

    def names() -> Iterator[str]:
        return (f"{mark}-{number}" for number in islice(numbers, NUMBER // TURNS))

    with KeystoneClient(url, transport=Distant(latency)) as client:
        client.login(**login)
        ways: dict[str, Action] = {
            "bulk": lambda: client.bulk_create_cluster({"name": name} for name in names()),
            "single": lambda: [client.create_cluster(name=name) for name in names()],
        }
        try:
            times = timed(ways, TURNS)
        finally:
            mine = client.retrieve_cluster(filters={"name__startswith": mark})
            client.bulk_delete_cluster(cluster["id"] for cluster in mine)
    title = f"{NUMBER} creates, {latency * 1000:.0f} ms of latency: bulk / one by one"
    report(title, times["bulk"] * TURNS, times["single"] * TURNS, bar)


@contextmanager
def server() -> Iterator[tuple[str, dict[str, str]]]:
    """The server of the environment, or the fake."""
    if url := os.environ.get("KEYSTONE_URL"):
        yield url, {name: os.environ[f"KEYSTONE_{name.upper()}"] for name in LOGIN}
        return
    with FakeKeystone().serve() as url:
        yield url, LOGIN


if __name__ == "__main__":
    with server() as (address, credentials):
        compare(address, credentials, 0, 1 / 3)
        compare(address, credentials, LATENCY, 1 / 6)
