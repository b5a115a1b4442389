"""500 creates in bulk against one by one: on a server nearby, and with 20 ms of latency in between.

    python benchmarks/bulk.py

Against the server of KEYSTONE_URL, with KEYSTONE_USERNAME and KEYSTONE_PASSWORD; without it against the fake, which
takes less time for a record than a server does. The records are deleted again.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, sleep

import httpx
from compare import report
from keystone_client import KeystoneClient
from keystone_client_testing import FakeKeystone

NUMBER = 500
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
    """Create the same records both ways, and print the ratio."""
    mark = f"bench-{uuid.uuid4().hex[:8]}"
    with KeystoneClient(url, transport=Distant(latency)) as client:
        client.login(**login)
        try:
            started = perf_counter()
            client.bulk_create_cluster({"name": f"{mark}-{number}"} for number in range(NUMBER))
            bulk = perf_counter() - started
            started = perf_counter()
            for number in range(NUMBER):
                client.create_cluster(name=f"{mark}-single-{number}")
            single = perf_counter() - started
        finally:
            mine = client.retrieve_cluster(filters={"name__startswith": mark})
            client.bulk_delete_cluster(cluster["id"] for cluster in mine)
    report(f"{NUMBER} creates, {latency * 1000:.0f} ms of latency: bulk / one by one", bulk, single, bar)


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
