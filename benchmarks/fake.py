"""Measures a suite on the fake; the fake against a trivial handler, against building a client, and a live server.

python benchmarks/fake.py

A test of the suite takes a new fake and a client, logs in, creates three records and lists them. It is measured beside
the same requests of httpx to a handler that does nothing, and in time of the CPU too, which other work on the machine
disturbs less.

The last part needs KEYSTONE_URL, KEYSTONE_USERNAME, KEYSTONE_PASSWORD and KEYSTONE_ALLOW_WRITES=1. It adds 10,000
grants to the live server unless it has them already, which takes minutes, and then sends the same requests to both.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from statistics import median
from time import perf_counter, process_time
from typing import Any

import httpx
from compare import Action, report, timed
from keystone_client import KeystoneClient
from keystone_client_testing import FakeKeystone
from keystone_client_testing._server import routes

ROUNDS, EACH, RECORDS, ROUTES = 40, 20, 10_000, 5_000
TESTS, TURNS = 1_000, 20
BAR_TEST = 1.2  # ms
BAR_GET, BAR_WORLD, BAR_ROUTES, BAR_PAGE, BAR_LIVE = 2.0, 0.1, 1.15, 1.0, 1 / 20
PAGE = "research/grants/?agency=DOE&amount__gte=9900&_order=-amount,id&_limit=20"
LOGIN = {"username": "admin", "password": "quickstart"}


def a_test() -> None:
    """Do what a test of the suite does."""
    fake = FakeKeystone()
    with KeystoneClient(fake.url, transport=fake.transport) as client:
        client.login(**LOGIN)
        create_and_list(client)


def a_test_with_fixtures() -> None:
    """Do the same as a test that takes ``fake_keystone`` and ``keystone_session``: patched, and logged in already."""
    fake = FakeKeystone()
    with fake.mock(), fake.client() as client:
        create_and_list(client)
    assert not fake.complaints()


def create_and_list(client: KeystoneClient) -> None:
    """Create three records, and list them."""
    for number in range(3):
        client.create_cluster(name=f"cluster-{number}")
    assert len(client.retrieve_cluster()) == 3


def a_test_of_httpx() -> None:
    """Send the same requests with plain httpx, to a handler that does nothing."""
    with httpx.Client(base_url="http://keystone.test/", transport=httpx.MockTransport(trivial)) as client:
        client.post("authentication/login/", json=LOGIN).raise_for_status()
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        for number in range(3):
            client.post("allocations/clusters/", json={"name": f"cluster-{number}"}).raise_for_status().json()
        assert len(client.get("allocations/clusters/", params={"_limit": 1000}).raise_for_status().json()) == 3


def trivial(request: httpx.Request) -> httpx.Response:
    """Answer a login, a create and a list, always the same."""
    record = {"id": 1, "name": "cluster-1"}
    if request.method == "GET":
        return httpx.Response(200, json=[record] * 3)
    cookies = [("Set-Cookie", f"{name}=value; Path=/") for name in ("csrftoken", "sessionid")]
    return httpx.Response(200, json=record, headers=cookies if "login" in request.url.path else None)


def suite() -> None:
    """Run a suite of a thousand tests, in turns with the same requests of httpx."""
    tests: dict[str, Action] = {"ours": a_test, "fixtures": a_test_with_fixtures, "httpx": a_test_of_httpx}
    wall: dict[str, list[float]] = {name: [] for name in tests}
    busy: dict[str, list[float]] = {name: [] for name in tests}
    for turn in range(-1, TURNS):
        for name, test in tests.items():
            began, began_busy = perf_counter(), process_time()
            for _ in range(TESTS // TURNS):
                test()
            if turn >= 0:
                wall[name].append((perf_counter() - began) * 1000 * TURNS / TESTS)
                busy[name].append((process_time() - began_busy) * 1000 * TURNS / TESTS)
    for name, title in (("ours", "a test"), ("fixtures", "a test with the fixtures")):
        ratio = median(busy[name]) / median(busy["httpx"])
        verdict = ("ok" if median(wall[name]) <= BAR_TEST else "MISSED") if name == "ours" else ""
        print(
            f"{title}: log in, create 3, list{median(wall[name]):10.2f} ms  (bar {BAR_TEST})  {verdict:<6}  CPU "
            f"{median(busy[name]):.2f} ms, at best {min(busy[name]):.2f}; {ratio:.2f} of httpx to a trivial handler"
        )


def one_get() -> None:
    """Compare a GET through the fake's transport with one that a trivial handler answers."""
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


def many_routes() -> None:
    """Compare a GET when the fake has its own routes with one when it has thousands."""
    fake, table = FakeKeystone(), routes.table()
    larger = {**table, **{f"/made-up/{number}/": table["/version/"] for number in range(ROUTES)}}
    with httpx.Client(base_url=fake.url, transport=fake.transport) as client:

        def get(among: dict[str, Any]) -> str:
            vars(routes)["table"] = lambda: among
            return client.get("version/").text

        took = timed({"few": lambda: get(table), "many": lambda: get(larger)}, ROUNDS, EACH)
    vars(routes)["table"] = lambda: table
    report(f"a GET among {len(larger):,} routes / among {len(table)}", took["many"], took["few"], BAR_ROUTES)


def one_world() -> None:
    """Compare building a fake, and setting up and tearing down the fixture, with building an httpx client."""

    def fixture() -> None:
        with FakeKeystone().mock():
            pass

    took = timed({"world": FakeKeystone, "fixture": fixture, "client": lambda: httpx.Client().close()}, ROUNDS)
    report("a new world / httpx.Client()", took["world"], took["client"], BAR_WORLD)
    report("the fixture, set up and torn down / httpx.Client()", took["fixture"], took["client"], BAR_WORLD)


def grant(number: int, team: int) -> dict[str, Any]:
    """Return the fields of one of the grants that both the fake and the live server have."""
    return {
        "title": f"Grant {number}",
        "agency": "DOE" if number % 2 else "NSF",
        "amount": number,
        "grant_number": str(number),
        "start_date": "2024-01-01",
        "team": team,
    }


def fill_live() -> None:
    """Add the grants that the fake has to the live server, unless it has them already."""
    with KeystoneClient.from_env() as client:
        if client.count_grant(filters={"title__startswith": "Grant"}) < RECORDS:
            team = client.create_team(name="Benchmark")["id"]
            client.bulk_create_grant([grant(number, team) for number in range(RECORDS)])  # type: ignore[misc]  # plain dicts


@contextmanager
def filled_fake() -> Iterator[FakeKeystone]:
    """Yield a fake that has the grants."""
    fake = FakeKeystone()
    team = fake.add.team()["id"]
    for number in range(RECORDS):
        fake.add.grant(**grant(number, team))
    yield fake


def against_live() -> None:
    """Compare the fake with the live server of KEYSTONE_URL, each with 10,000 grants."""
    if os.environ.get("KEYSTONE_ALLOW_WRITES") != "1" or "KEYSTONE_URL" not in os.environ:
        print("against a live server: needs KEYSTONE_URL and KEYSTONE_ALLOW_WRITES=1")
        return
    fill_live()
    names = {"username": os.environ["KEYSTONE_USERNAME"], "password": os.environ["KEYSTONE_PASSWORD"]}
    with ExitStack() as stack:
        fake = stack.enter_context(filled_fake())
        ours = stack.enter_context(httpx.Client(base_url=fake.url, transport=fake.transport))
        theirs = stack.enter_context(httpx.Client(base_url=os.environ["KEYSTONE_URL"], trust_env=False, timeout=60))
        for client, login in ((ours, LOGIN), (theirs, names)):
            client.post("authentication/login/", json=login).raise_for_status()
            client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        found = [[row["title"] for row in client.get(PAGE).json()["results"]] for client in (ours, theirs)]
        assert found[0] == found[1], "the two sides hold different grants"
        compare_sides(ours, theirs)


def compare_sides(ours: httpx.Client, theirs: httpx.Client) -> None:
    """Time each kind of request on the fake and on the live server."""
    number = count()
    key = {
        client: client.get("research/grants/?_order=id&_limit=1").json()["results"][0]["id"]
        for client in (ours, theirs)
    }

    def create(client: httpx.Client) -> None:
        answer = client.post("users/teams/", json={"name": f"Benchmark {os.getpid()} {next(number)}"})
        answer.raise_for_status()

    kinds = {
        "a GET of a record": lambda client: client.get(f"research/grants/{key[client]}/").json(),
        "a GET of the version": lambda client: client.get("version/").text,
        "a POST of a team": create,
        f"a filtered page out of {RECORDS:,} records": lambda client: client.get(PAGE).json(),
    }
    for name, ask in kinds.items():
        took = timed({"ours": lambda ask=ask: ask(ours), "theirs": lambda ask=ask: ask(theirs)}, ROUNDS // 4, 5)  # type: ignore[misc]
        bar = BAR_PAGE if "page" in name else BAR_LIVE
        report(f"{name} / the live server", took["ours"], took["theirs"], bar)


if __name__ == "__main__":
    suite()
    one_get()
    many_routes()
    one_world()
    against_live()
