"""Ctrl-C during a call: the KeyboardInterrupt is raised, and the client stays usable.

Python checks for signals when a Python function starts and when a C function has returned. A profile function is called
at both, so here it raises the interrupt: the tests try each such moment of a call in turn.
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from types import FrameType
from typing import Any, TypeAlias

import httpx
import pytest
from keystone_client import BulkError, KeystoneClient, PlanError, RetryPolicy, Wanted
from keystone_client_testing import FakeKeystone

OURS = ("keystone_client._transport.pool", "keystone_client._transport.permits", "keystone_client._drivers.sync_driver")
ALL = ("keystone_client.", "httpx.", "httpcore.", "h11.", "http.", "threading", "contextlib", "socket")
BEYOND_US = "httpcore._synchronization"
"""At a few instructions of httpcore 1.0.9 an interrupt leaves a lock held that httpcore then waits for itself; only
another interrupt ends that deadlock."""

pytestmark = [  # Python itself closes what was being opened, and a destructor discards an exception raised in it
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def interrupted(act: Callable[[], object], moment: int, modules: tuple[str, ...]) -> bool:
    """Run an act, interrupt it after ``moment`` events in these modules, and return whether it was interrupted."""
    left = moment

    def profile(frame: FrameType, event: str, _: object) -> None:
        nonlocal left
        name = frame.f_globals.get("__name__", "")
        if event in ("call", "c_return") and name.startswith(modules) and name != BEYOND_US:
            left -= 1
            if left == 0 and frame.f_code.co_name != "__del__":
                sys.setprofile(None)
                raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return left <= 0


def iterate(client: KeystoneClient) -> None:
    records = client.iterate_team(page_size=1, limit=2, prefetch=False)
    try:
        list(records)
    finally:
        records.close()


ACTS: dict[str, Callable[[KeystoneClient], object]] = {
    "get": lambda client: client.http_get("version"),
    "create": lambda client: client.http_post("users/teams/", json={"name": "the same"}),
    "iterate": iterate,
    "login": lambda client: client.login("admin", "quickstart"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("connected", [True, False], ids=["on a connection there is", "on a new one"])
@pytest.mark.parametrize(("modules", "step"), [(OURS, 1), (ALL, 41)], ids=["in the client", "anywhere"])
def test_a_call_interrupted_at_any_moment_leaves_the_client_usable(
    act: Callable[[KeystoneClient], object], connected: bool, modules: tuple[str, ...], step: int
) -> None:
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=int(connected))
    fake = FakeKeystone()
    with fake.serve() as url, KeystoneClient(url, limits=limits, timeout=httpx.Timeout(30, pool=1)) as client:
        fake.add.team(name="one")
        fake.add.team(name="two")
        client.login("admin", "quickstart")
        moment = step
        while interrupted(lambda: act(client), moment, modules):
            assert client.http_get("version").status_code == 200
            if client.http_delete("users/teams/999/").status_code == 401:  # the answer to the login was lost
                client.login("admin", "quickstart")
            assert client.http_delete("users/teams/999/").status_code == 404
            moment += step
        assert moment > 10 * step


Report: TypeAlias = BulkError | PlanError


def reported(act: Callable[[], object], reports: list[Report]) -> None:
    """Create teams, and keep the report if that stops."""
    try:
        act()
    except BaseException as stop:
        reports += [error for error in (stop, stop.__cause__) if isinstance(error, BulkError | PlanError)]
        if isinstance(stop, KeyboardInterrupt):
            raise


def bulk(client: KeystoneClient) -> Callable[[], object]:
    return partial(client.bulk_create_team, [{"name": "A"}, {"name": "B"}], chunk_size=1)


def plan(client: KeystoneClient) -> Callable[[], object]:
    return partial(client.plan(Wanted("team", [{"name": "A"}, {"name": "B"}])).apply, chunk_size=1)


def names(records: Iterable[Any]) -> set[str]:
    return {each["name"] if isinstance(each, dict) else each.name for each in records}


@pytest.mark.parametrize("prepare", [bulk, plan])
@pytest.mark.parametrize("answer", [{}, {"status": 500, "when": "after"}], ids=["in time", "a 500 after the write"])
def test_what_an_interrupted_operation_has_written_is_never_reported_as_not_written(
    answer: dict[str, Any], prepare: Callable[[KeystoneClient], Callable[[], object]]
) -> None:
    reports: list[Report] = []
    moment, go_on = 0, True
    while go_on:
        moment += 1
        fake = FakeKeystone()
        client = fake.client(user="admin", retry=RetryPolicy(attempts=1))
        if answer:
            fake.fail("POST", "/batch/", **answer)
        reports.clear()
        act = prepare(client)
        go_on = interrupted(
            partial(reported, act, reports), moment, ("keystone_client._protocol.", "keystone_client._bulk.")
        )
        written = {team["name"] for team in fake.world.store.tables["team"].values()}
        for report in reports:
            assert written.isdisjoint(names([*report.failed, *report.pending])), moment
            done = report.done if isinstance(report, PlanError) else report.completed
            assert names(done) <= written, moment
    assert moment > 100
