"""The harness itself, with a second fake behind a socket in place of the live server."""

import random
from collections.abc import Iterator

import pytest
from keystone_client_testing import FakeKeystone

from .compare import compare
from .ids import NEWEST
from .mix import burst_of
from .pair import CAST, NOBODY, Ask, Database, Pair
from .tally import Tally
from .tokens import COMMAND, GIVEN, Tokens
from .traffic import Traffic
from .trail import compare_trails

NO_TOKENS = Tokens({})
DATABASES: tuple[Database, ...] = ("postgresql", "sqlite")


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> Database:
    name: Database = request.param
    return name


@pytest.fixture
def live(database: Database) -> FakeKeystone:
    return FakeKeystone(database=database)


@pytest.fixture
def pair(live: FakeKeystone, database: Database) -> Iterator[Pair]:
    live.world.sessions.tokens.update({f"token-of-{name}": key for key, name in enumerate(CAST, 1)})
    tokens = Tokens({GIVEN: '{"admin": "token-of-admin", "staff": "token-of-staff"}'})
    with live.serve() as url:
        both = Pair(url, "admin", "quickstart", database, tokens)
        yield both
        both.close()


def _create(pair: Pair, name: str) -> tuple[str, int]:
    """Create a team on both; return the difference, and the id on the fake."""
    live, fake = pair.send(Ask("create", "admin", "POST", "/users/teams/", body={"json": {"name": name}}))
    return compare(live, fake), fake.json()["id"]


def _lose(fake: FakeKeystone, table: str, count: int) -> None:
    for _ in range(count):
        fake.world.store.new_id(table)


def test_two_servers_that_are_alike_answer_alike(pair: Pair) -> None:
    tally = Tally()
    for step in burst_of(Traffic(random.Random(1), pair), 60):
        if "/health/" not in step.ask.path:
            found = compare(*pair.send(step.ask), step.ordered)
            tally.count(step.ask.kind, step.ask.caller, not found)
            assert found == "", str(step.ask)
    compare_trails(pair, tally)
    tally.count_ids(pair.ids)
    assert tally.low() == []
    assert tally.asked["ids", "all"] > 10
    assert any(kind == "token" for kind, _ in tally.asked)


@pytest.mark.parametrize("table", ["team", "audit_log"])
def test_a_drift_of_ids_is_counted_and_affects_no_answer(pair: Pair, live: FakeKeystone, table: str) -> None:
    assert _create(pair, "A") == ("", 1)
    _lose(live, table, 3)
    assert _create(pair, "B") == ("", 5 if table == "team" else 2)
    _lose(pair.fake, table, 2)
    assert _create(pair, "C")[0] == ""
    assert _create(pair, "D")[0] == ""
    assert [drift.partition(":")[0] for drift in pair.ids.drifts] == [
        f"{table}, live ahead by 3", f"{table}, live ahead by -2",
    ]  # fmt: skip


def test_a_drift_within_a_job_is_corrected_too(pair: Pair, live: FakeKeystone) -> None:
    _lose(live, "cluster", 1)
    actions = [
        {"method": "POST", "path": "/users/teams/", "payload": {"name": "A"}},
        {"method": "POST", "path": "/allocations/clusters/", "payload": {"name": "B"}, "ref": "b"},
        {"method": "PATCH", "path": "/allocations/clusters/@ref{b.id}/", "payload": {"enabled": False}},
    ]
    assert pair.ask(Ask("batch", "admin", "POST", "/batch/", body={"json": {"job": {"actions": actions}}})) == ""
    assert len(pair.ids.drifts) == 1


def test_a_drift_of_the_request_log_shows_in_its_newest_row(pair: Pair, live: FakeKeystone) -> None:
    _lose(live, "request_log", 4)
    newest = Ask("logs", "admin", "GET", "/logs/requests/", NEWEST)
    assert pair.ask(newest) == ""  # of the row before the drift
    assert pair.ask(newest) != ""
    assert pair.ask(newest) == ""
    assert len(pair.ids.drifts) == 1


def test_a_server_on_another_database_is_refused(live: FakeKeystone, database: Database) -> None:
    other = next(name for name in DATABASES if name != database)
    with live.serve() as url, pytest.raises(RuntimeError, match=f"KEYSTONE_DATABASE says {other}"):
        Pair(url, "admin", "quickstart", other, NO_TOKENS)


def test_a_database_with_records_is_refused(live: FakeKeystone, database: Database) -> None:
    live.add.team()
    with live.serve() as url, pytest.raises(RuntimeError, match="not fresh"):
        Pair(url, "admin", "quickstart", database, NO_TOKENS)


def test_a_token_can_be_sent_with_the_session_of_another_user(pair: Pair) -> None:
    for who in (NOBODY, "owner"):
        ask = Ask("token", who, "GET", "/authentication/whoami/", token="staff")
        assert ask.caller == "staff"
        live, fake = pair.send(ask)
        assert live.json()["username"] == fake.json()["username"] == "staff"


def test_tokens_come_from_the_environment_or_a_command() -> None:
    given = Tokens({GIVEN: '{"admin": "abc"}'})
    assert (given.of("admin"), given.of("staff")) == ("abc", "")
    assert "requests by token but those of admin, accounts that delete themselves by token" in given.note
    printed = Tokens({GIVEN: '{"admin": "abc"}', COMMAND: "echo token of"})
    assert (printed.of("admin"), printed.of("staff"), printed.note) == ("abc", "token of staff", "")
    assert "requests by token, accounts" in NO_TOKENS.note
