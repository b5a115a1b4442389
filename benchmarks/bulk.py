"""Measures 500 creates in bulk against 500 single ones, without latency and with 20 ms of it.

    python benchmarks/bulk.py

Runs against the server of KEYSTONE_URL, with KEYSTONE_USERNAME and KEYSTONE_PASSWORD, or else against the fake, which
is faster per record than a server. Both ways take turns with a hundred records each, and the records are deleted at the
end. Set the throttle of the server to a high rate per second (``1000000/sec``): for each action of a job the server
copies its list of all requests in the throttle window, and with a window of a minute these copies would dominate the
time.
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
    """A transport that adds latency to each request."""

    def __init__(self, latency: float) -> None:
        """Store the latency in seconds, which adds to the time that the server takes."""
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
    """Create the same number of records both ways, in turns, and print the ratio of the times."""
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
    """Yield the URL and the login of the server in the environment, or of the fake."""
    if url := os.environ.get("KEYSTONE_URL"):
        yield url, {name: os.environ[f"KEYSTONE_{name.upper()}"] for name in LOGIN}
        return
    with FakeKeystone().serve() as url:
        yield url, LOGIN


if __name__ == "__main__":
    with server() as (address, credentials):
        compare(address, credentials, 0, 1 / 3)
        compare(address, credentials, LATENCY, 1 / 6)
