"""Which requests a planned fault hits, how often, and whether the write happened."""

import threading
from typing import Any

import httpx
import pytest
from keystone_client import KeystoneClient, RequestTimeoutError
from keystone_client_testing import FakeKeystone

from .conftest import Session

TEAMS = "users/teams/"
KINDS: list[dict[str, Any]] = [
    *({"error": error} for error in ("connect", "timeout", "reset", "cut", "html")),
    *({"status": status} for status in (400, 401, 403, 404, 422, 429, 500, 502, 503, 504)),
    {"error": "html", "status": 502},
    {"delay": 60},
]


def attempt(session: Session, method: str, path: str, **options: Any) -> int:
    """Send a request and return the status; 0 if no answer arrives."""
    try:
        return session(method, path, **options).status_code
    except httpx.TransportError:
        return 0


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@pytest.mark.parametrize("when", ["before", "after"])
def test_every_kind_of_fault_comes_before_or_after_the_write(
    fake: FakeKeystone, admin: Session, kind: dict[str, Any], when: str
) -> None:
    fake.fail("POST", TEAMS, when=when, **kind)
    seen = attempt(admin, "POST", TEAMS, json={"name": "A"})
    assert seen == kind.get("status", 200 if kind.get("error") == "html" else 0)
    assert len(fake.world.store.tables["team"]) == (when == "after")
    assert [change.action for change in fake.journal[-1].changes] == (["create"] if when == "after" else [])
    assert fake.unused_faults == []
    assert attempt(admin, "POST", TEAMS, json={"name": "B"}) == 201


@pytest.mark.parametrize(("when", "teams"), [("before", 0), ("after", 1)])
def test_a_real_client_that_gives_up_on_the_server_finds_the_write_done_or_not(
    fake: FakeKeystone, when: str, teams: int
) -> None:
    fake.fail("POST", TEAMS, delay=30, when=when)
    token = {"Authorization": f"Token {fake.add.token()}"}
    with fake.serve() as url, httpx.Client(base_url=url, trust_env=False, timeout=0.2, headers=token) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(TEAMS, json={"name": "A"})
        while not fake.journal:  # the server notices a moment later that the client has disconnected
            client.get("version/")
        assert len(fake.world.store.tables["team"]) == teams


def test_the_journal_has_status_0_only_for_what_never_reached_the_server(fake: FakeKeystone, admin: Session) -> None:
    for when in ("before", "after"):
        fake.fail("POST", TEAMS, error="reset", when=when)
        with pytest.raises(httpx.TransportError):
            admin("POST", TEAMS, json={"name": "A"})
    assert [entry.status for entry in fake.journal.find("POST", TEAMS)] == [0, 201]


def test_latency_a_client_does_not_wait_for_costs_no_real_time(fake: FakeKeystone) -> None:
    fake.fail(path=TEAMS, delay=3600, times=4)
    moment = fake.clock.time()
    with fake.client(timeout=10) as client, pytest.raises(RequestTimeoutError):
        client.count_team()
    assert 40 <= fake.clock.time() - moment < 3600


@pytest.mark.parametrize(
    ("wanted", "hit"),
    [
        ({"path": "users"}, ["users/teams/", "users/teams/1/", "users/users/"]),
        ({"path": "/users/teams/"}, ["users/teams/", "users/teams/1/"]),
        ({"path": "users/team"}, []),
        ({"path": "users/*/1"}, ["users/teams/1/"]),
        ({"route": "/users/teams/"}, ["users/teams/"]),
        ({"route": "users/teams/{id}"}, ["users/teams/1/"]),
        ({"route": "users/{id}"}, []),
        ({"method": "get", "path": ""}, ["users/teams/", "users/teams/1/", "users/users/", "version/"]),
        ({"method": "POST"}, []),
        ({"user": "admin"}, ["users/teams/", "users/teams/1/", "users/users/", "version/"]),
        ({"user": ""}, []),
    ],
)
def test_faults_and_journal_know_requests_by_the_same_rules(
    fake: FakeKeystone, admin: Session, wanted: dict[str, Any], hit: list[str]
) -> None:
    fake.add.team()
    before = len(fake.journal)
    fake.fail(status=503, times=None, **wanted)
    paths = ("users/teams/", "users/teams/1/", "users/users/", "version/")
    assert [path for path in paths if attempt(admin, "GET", path) == 503] == hit
    found = [entry for entry in fake.journal.find(**wanted) if entry in fake.journal[before:]]
    assert [entry.path.removeprefix("/") for entry in found] == hit
    assert [entry.fault for entry in found] == ["status 503"] * len(hit)


def test_a_fault_may_apply_to_anonymous_requests_only(fake: FakeKeystone, admin: Session, anonymous: Session) -> None:
    fake.fail(user="", status=503)
    assert attempt(admin, "GET", "version/") == 200
    anonymous.http.cookies.clear()
    assert attempt(anonymous, "GET", "version/") == 503


def test_a_fault_may_skip_the_first_requests(fake: FakeKeystone, admin: Session) -> None:
    fake.fail("GET", TEAMS, status=500, skip=2)
    assert [attempt(admin, "GET", TEAMS) for _ in range(4)] == [200, 200, 500, 200]


def test_an_outage_lasts_until_it_is_healed(fake: FakeKeystone, admin: Session) -> None:
    fake.fail(error="connect", times=None)
    assert len(fake.unused_faults) == 1
    assert [attempt(admin, "GET", TEAMS) for _ in range(3)] == [0, 0, 0]
    assert fake.unused_faults == []
    fake.heal()
    assert attempt(admin, "GET", TEAMS) == 200
    assert fake.complaints() == []


def test_a_status_may_have_a_body_and_a_wait_of_its_own(fake: FakeKeystone, admin: Session) -> None:
    fake.fail(status=400, json={"name": ["Taken."]})
    fake.fail(status=503, retry_after=7)
    fake.fail(status=204)
    assert admin("GET", TEAMS).json() == {"name": ["Taken."]}
    assert admin("GET", TEAMS).headers["retry-after"] == "7"
    assert admin("GET", TEAMS).content == b""


def test_a_throttled_answer_says_how_long_and_a_failed_job_which_step(fake: FakeKeystone, admin: Session) -> None:
    fake.fail(status=429, retry_after=5)
    fake.fail("POST", "batch", status=422)
    answer = admin("GET", TEAMS)
    assert (answer.headers["retry-after"], answer.json()["detail"]) == (
        "5", "Request was throttled. Expected available in 5 seconds.",
    )  # fmt: skip
    assert admin("POST", "batch/", json={}).json()["step"] == 1


@pytest.mark.parametrize("options", [{"times": 0}, {"times": -1}, {"skip": -1}, {"status": 99}, {"delay": -1}])
def test_invalid_counts_and_numbers_are_refused(fake: FakeKeystone, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        fake.fail(**{"error": "reset" if "status" not in options else None, **options})
    assert fake.unused_faults == []


def test_while_one_request_is_late_others_are_served(fake: FakeKeystone) -> None:
    fake.fail("GET", "version", delay=0.5)
    with fake.serve() as url, KeystoneClient(url, trust_env=False) as client:
        late = threading.Thread(target=httpx.get, args=(f"{url}version/",), kwargs={"trust_env": False}, daemon=True)
        late.start()
        while fake.unused_faults:  # until the late request is on its way
            client.http_get("health/json")
        assert client.http_get("version").text == "0.0.0"
        assert fake.journal.find(path="version", fault="delay") == []
        late.join(30)
        assert not late.is_alive()
    assert len(fake.journal.find(path="version", fault="delay")) == 1


def test_unused_faults_and_ignored_requests_can_be_checked_without_pytest(fake: FakeKeystone, admin: Session) -> None:
    fake.verify(strict=True)
    fake.fail("GET", "users/teams", status=503)
    admin("GET", "nope/")
    assert len(fake.complaints()) == 1
    assert len(fake.complaints(strict=True)) == 2
    with pytest.raises(AssertionError, match="GET /nope/: the server has no such path"):
        fake.verify(strict=True)


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("users/teams/?nmae=x", "the query parameter 'nmae'"),
        ("users/teams/?name=", "the value '' of the query parameter 'name'"),
        ("users/users/?is_staff=yes", "the value 'yes' of the query parameter 'is_staff'"),
        ("users/users/?email__isnull=t", "the value 't' of the query parameter 'email__isnull'"),
        ("users/users/?username__contains=%20", "the value ' ' of the query parameter 'username__contains'"),
        ("users/teams/?_order=-nmae,id", "the order by '-nmae'"),
        ("version/?a=1", "the query parameter 'a'"),
        ("users/teams/?name=x&_order=-name,id&_limit=5&_offset=0&_search=x&format=json", ""),
        ("users/users/?is_staff=True&id__in=1,2&email__isnull=false", ""),
        ("users/memberships/?team=7", ""),
        ("users/users/?id=x", ""),
    ],
)
def test_strict_mode_names_everything_the_server_would_ignore(
    fake: FakeKeystone, admin: Session, path: str, ignored: str
) -> None:
    admin("GET", path)
    bare = path.partition("?")[0]
    assert fake.complaints(strict=True) == ([f"GET /{bare}: the server ignores {ignored}"] if ignored else [])
