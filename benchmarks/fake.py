"""The fake against a trivial handler, against building an httpx client, and among 10,000 records.

python benchmarks/fake.py
"""

import os

import httpx
from compare import report, timed
from keystone_client_testing import FakeKeystone

ROUNDS, EACH, RECORDS = 40, 20, 10_000
BAR_GET, BAR_WORLD, BAR_PAGE = 2.0, 0.1, 1.0
PAGE = "research/grants/?agency=DOE&amount__gte=9900&_order=-amount,id&_limit=20"
LOGIN = {"username": "admin", "password": "quickstart"}


def one_get() -> None:
    """Compare a GET through the transport door with one that a trivial handler answers."""
    fake = FakeKeystone()
    fake.add.cluster()
    body = {"id": 1, "name": "Cluster 1"}
    trivial = httpx.MockTransport(lambda request: httpx.Response(200, json=body))
    with (
        httpx.Client(base_url=fake.url, transport=fake.transport) as ours,
        httpx.Client(base_url=fake.url, transport=trivial) as theirs,
    ):
        ours.post("authentication/login/", json=LOGIN)
        theirs.cookies = ours.cookies
        took = timed(
            {
                "fake": lambda: ours.get("allocations/clusters/1/").json(),
                "version": lambda: ours.get("version/").text,
                "trivial": lambda: theirs.get("allocations/clusters/1/").json(),
            },
            ROUNDS,
            EACH,
        )
    report("GET of a record / httpx.MockTransport", took["fake"], took["trivial"], BAR_GET)
    report("GET of the version / httpx.MockTransport", took["version"], took["trivial"], BAR_GET)


def one_world() -> None:
    """Compare a new world, and what the fixture does around a test, with building an httpx client."""

    def fixture() -> None:
        with FakeKeystone().mock():
            pass

    took = timed({"world": FakeKeystone, "fixture": fixture, "client": lambda: httpx.Client().close()}, ROUNDS)
    report("a new world / httpx.Client()", took["world"], took["client"], BAR_WORLD)
    report("the fixture around a test / httpx.Client()", took["fixture"], took["client"], BAR_WORLD)


def one_page() -> None:
    """Compare a filtered page out of 10,000 records with the live server of KEYSTONE_URL answering its first page."""
    fake = FakeKeystone()
    for number in range(RECORDS):
        fake.add.grant(team=1, agency="DOE" if number % 2 else "NSF", amount=number) if number else fake.add.team()
    with httpx.Client(base_url=fake.url, transport=fake.transport) as ours:
        ours.post("authentication/login/", json=LOGIN)
        took = timed({"page": lambda: ours.get(PAGE).json()}, ROUNDS // 4)["page"]
    if not (url := os.environ.get("KEYSTONE_URL")):
        print(f"{f'a filtered page out of {RECORDS:,} records':<58} {took * 1e3:6.2f} ms (no KEYSTONE_URL to compare)")
        return
    with httpx.Client(base_url=url, trust_env=False) as live:
        names = {"username": os.environ["KEYSTONE_USERNAME"], "password": os.environ["KEYSTONE_PASSWORD"]}
        live.post("authentication/login/", json=names).raise_for_status()
        theirs = timed({"page": lambda: live.get(PAGE).json()}, ROUNDS // 4)["page"]
    report(f"a filtered page out of {RECORDS:,} records / the live server", took, theirs, BAR_PAGE)


if __name__ == "__main__":
    one_get()
    one_world()
    one_page()
