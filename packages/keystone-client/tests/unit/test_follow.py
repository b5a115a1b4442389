"""Following a log returns each record once, even if records become visible out of key order."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keystone_client import FieldError, FilterError, Followed, PaginationError, RetryPolicy, TransportError

from .log_server import BEGIN, LogServer
from .scripted import Player, Scripted, connect, failure

OVERLAP = 60
Step = Callable[["Poller"], object]


class Poller:
    """A program that polls the request log and keeps the records and the position across restarts."""

    def __init__(self, colour: str = "sync", page_size: int = 7, **options: Any) -> None:
        self.log = LogServer()
        self.options = {"overlap": OVERLAP, **options}
        self.position: str | None = None
        self.got: list[int] = []
        self.naive: list[int] = []
        """The keys received by a program that lists the records after the highest key it has seen."""
        self._colour, self._page_size = colour, page_size

    def client(self) -> Player:
        return connect(self._colour, Scripted(self.log), page_size=self._page_size)

    def poll(self, **options: Any) -> Followed[Any]:
        """Poll once with a new client, which has only the saved position."""
        found: Followed[Any] = self.client().follow_request_log(self.position, **{**self.options, **options})
        self.position = found.position
        self.got += [record["id"] for record in found.records]
        return found

    def poll_naively(self) -> None:
        client = self.client()
        after = self.naive[-1] if self.naive else None
        self.naive += [row["id"] for row in client.iterate_request_log(after=after)]

    def finish(self) -> None:
        """Let all transactions end, and read the rest."""
        for _ in range(3):
            self.log.wait(OVERLAP)
            while self.poll().more:
                pass

    def read_and_purge(self) -> None:
        """Read all rows, then delete the old ones except the newest, because a log in use is never empty."""
        while self.poll().more:
            pass
        newest = max((row["id"] for row in self.log.rows), default=0)
        self.log.replace(*[row for row in self.log.rows if row["id"] == newest or self._is_young(row)])

    def _is_young(self, row: Any) -> bool:
        return datetime.fromisoformat(row["timestamp"]) > self.log.ago(2 * OVERLAP)

    def keys(self, method: str = "") -> list[int]:
        """Return the keys of all rows that were ever visible."""
        return sorted(row["id"] for row in self.log.committed if method in ("", row["method"]))


def write(number: int, delay: float, lasts: float, commits: bool, method: str) -> Step:
    return lambda poller: poller.log.write(number, delay=delay, lasts=lasts, commits=commits, method=method)


TIMES = st.floats(0, OVERLAP)
WRITES = st.builds(
    write, st.integers(1, 6), TIMES, TIMES | st.just(OVERLAP), st.booleans(), st.sampled_from(["GET", "POST"])
)


STEPS = st.one_of(
    WRITES,
    st.builds(lambda seconds: lambda poller: poller.log.wait(seconds), st.floats(0, 3 * OVERLAP)),
    st.builds(lambda limit: lambda poller: poller.poll(limit=limit), st.integers(1, 9)),
    st.just(lambda poller: poller.poll()),
    st.just(Poller.read_and_purge),
)


@given(steps=st.lists(STEPS, max_size=60), filtered=st.booleans())
def test_each_record_is_returned_once(steps: list[Step], filtered: bool) -> None:
    poller = Poller(filters={"method": "POST"} if filtered else None)

    for step in steps:
        step(poller)
    poller.finish()

    assert sorted(poller.got) == poller.keys("POST" if filtered else "")


@given(steps=st.lists(STEPS, max_size=60), before=st.lists(STEPS, max_size=20))
@example(
    steps=[
        write(1, 0, 60, commits=True, method="GET"),
        write(1, 0, 0, commits=True, method="GET"),
        lambda poller: poller.log.wait(120),
        Poller.read_and_purge,
    ],
    before=[],
)
def test_starting_at_now_returns_only_rows_that_become_visible_later(steps: list[Step], before: list[Step]) -> None:
    poller = Poller()
    for step in before:
        step(poller)
    poller.position, poller.got = None, []
    visible = {row["id"] for row in poller.log.committed}

    assert poller.poll(after="now").records == []
    for step in steps:
        step(poller)
    poller.finish()

    assert sorted(poller.got) == sorted(set(poller.keys()) - visible)


def test_listing_after_the_highest_key_loses_rows_and_following_does_not(colour: str) -> None:
    poller = Poller(colour)
    for _ in range(10):
        poller.log.write(5, lasts=4)
        poller.log.wait(1)
        poller.log.write()
        poller.poll()
        poller.poll_naively()
    poller.finish()
    poller.poll_naively()

    assert sorted(poller.got) == poller.keys()
    assert len(poller.naive) < len(poller.keys())


def test_a_late_record_comes_with_the_next_call(colour: str) -> None:
    poller = Poller(colour)
    poller.log.write(2, lasts=10)
    poller.log.write()
    assert [record["id"] for record in poller.poll().records] == [3]

    poller.log.wait(10)

    assert [record["id"] for record in poller.poll().records] == [1, 2]


def test_a_visible_row_only_proves_that_lower_keys_were_assigned_before_its_commit(
    colour: str,
) -> None:
    poller = Poller(colour)
    poller.log.write(delay=59, lasts=59)  # key 2, and the oldest time
    poller.log.wait(58)
    poller.log.write(lasts=59)  # key 1
    poller.log.wait(50)
    assert [record["id"] for record in poller.poll().records] == [2]
    poller.log.wait(5)  # 113: more than the overlap after the time of the visible row
    poller.poll()

    poller.finish()

    assert sorted(poller.got) == [1, 2]


def test_a_listing_resumed_after_a_limit_does_not_advance_the_floor(colour: str) -> None:
    poller = Poller(colour)
    poller.log.write(delay=59, lasts=59)  # key 3
    poller.log.wait(58)
    poller.log.write(lasts=59)  # key 1, visible after 117
    poller.log.write()  # key 2
    poller.log.wait(42)
    assert [record["id"] for record in poller.poll(limit=1).records] == [2]
    poller.log.wait(21)  # 121: twice the overlap after the time of key 3
    assert [record["id"] for record in poller.poll(limit=1).records] == [3]

    poller.finish()

    assert sorted(poller.got) == [1, 2, 3]


def test_a_row_committed_later_than_the_overlap_is_lost(colour: str) -> None:
    poller = Poller(colour)
    poller.log.write(lasts=5 * OVERLAP)
    poller.log.write()
    poller.poll()
    poller.log.wait(3 * OVERLAP)
    poller.poll()
    poller.log.wait(3 * OVERLAP)

    assert poller.poll(overlap=10 * OVERLAP).records == []  # the floor has passed it: a longer overlap no longer helps


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_limit_bounds_a_call_and_says_that_there_is_more(colour: str, limit: int) -> None:
    poller = Poller(colour)
    poller.log.write(20)

    calls = 1
    while poller.poll(limit=limit).more:
        calls += 1

    assert poller.got == poller.keys()
    assert calls == -(-20 // limit)


def test_a_recent_backlog_is_not_reread_on_every_call(colour: str) -> None:
    poller = Poller(colour)
    poller.log.write(200)
    while poller.poll(limit=10).more:
        pass

    assert len(poller.log.requests) < 20 * 5
    assert poller.got == poller.keys()


def test_late_rows_are_found_even_if_new_rows_come_faster_than_they_are_read() -> None:
    poller = Poller()
    poller.log.write(lasts=OVERLAP / 2)
    for _ in range(60):
        poller.log.write(12)
        poller.log.wait(5)
        poller.poll(limit=10)  # never catches up

    assert 1 in poller.got


def test_following_after_a_key_starts_after_that_key(colour: str) -> None:
    poller = Poller(colour)
    poller.log.write(9)
    poller.poll(after=4)
    poller.poll(after="now")  # a position exists, so ``after`` has no effect

    assert poller.got == [5, 6, 7, 8, 9]


def test_bounds_of_the_caller_hold(colour: str) -> None:
    poller = Poller(colour, filters={"id__gt": 3, "id__lte": 6})
    poller.log.write(9)
    poller.finish()

    assert poller.got == [4, 5, 6]


def test_a_filter_that_cannot_match_sends_no_request(colour: str) -> None:
    poller = Poller(colour, filters={"id__in": []})
    poller.log.write(9)

    assert poller.poll() == ([], poller.position, False)
    assert poller.poll().records == []


def test_a_failed_call_loses_no_record(colour: str) -> None:
    log = LogServer()
    log.write(20)
    broken = Scripted(log, log, log, failure(httpx.ReadError))
    client = connect(colour, broken, page_size=7, retry=None)
    with pytest.raises(TransportError):
        client.follow_request_log()

    again = connect(colour, Scripted(log)).follow_request_log()

    assert len(again.records) == 20


@pytest.mark.parametrize(("every", "filters"), [(1, None), (200, {"method": "POST"})], ids=["all", "a rare filter"])
def test_the_position_after_an_hour_of_a_busy_log_is_as_short_as_documented(every: int, filters: Any) -> None:
    poller, rate, seconds = Poller(page_size=1000, filters=filters), 5, 20
    sizes = []
    for number in range(3600 // seconds):
        poller.log.write(rate * seconds, method="POST" if number % every == 0 else "GET")
        poller.log.wait(seconds)
        if number % 20 == 0:
            poller.log.purge(3 * OVERLAP)
        poller.poll()
        sizes.append(len(poller.position or ""))

    young = rate * 2 * OVERLAP  # keys assigned within twice the overlap
    assert max(sizes) < young / 6 + 400
    assert len(poller.got) == len(poller.keys("POST" if filters else ""))


def test_an_old_backlog_leaves_a_short_position() -> None:
    poller = Poller(page_size=1000)
    poller.log.write(5000)
    poller.log.wait(10 * OVERLAP)
    while poller.poll(limit=500).more:
        assert len(poller.position or "") < 300

    assert len(poller.log.requests) <= 40


def test_a_restored_database_is_reported(colour: str) -> None:
    poller = Poller(colour)
    poller.log.write(50)
    poller.finish()
    poller.log.replace(*poller.log.rows[:20])

    with pytest.raises(PaginationError, match=r"newest key is 20.*read up to 50.*restored"):
        poller.poll()


def test_rows_deleted_before_they_were_read_are_reported(colour: str) -> None:
    poller = Poller(colour)
    poller.log.write(10)
    poller.finish()
    for _ in range(5):
        poller.log.wait(100 * OVERLAP)
        poller.log.write(10)
    poller.log.purge(250 * OVERLAP)

    with pytest.raises(PaginationError, match=r"oldest key is 31.*read up to 10.*deleted unread.*after=30"):
        poller.poll()

    poller.position = None
    poller.poll(after=30)
    assert poller.got[-30:] == list(range(31, 61))


def test_a_deleted_rest_of_a_backlog_is_reported(colour: str) -> None:
    poller = Poller(colour)
    for _ in range(10):
        poller.log.write(10)
        poller.log.wait(100 * OVERLAP)
    poller.poll(limit=15)  # the other rows are there, and are left for later
    poller.log.wait(50 * OVERLAP)
    poller.log.purge(400 * OVERLAP)

    with pytest.raises(PaginationError, match=r"oldest key is 71.*read up to 15.*deleted unread"):
        poller.poll()


def test_rows_deleted_after_they_were_read_are_not_reported(colour: str) -> None:
    poller = Poller(colour)
    for _ in range(5):
        poller.log.write(10)
        poller.log.wait(100 * OVERLAP)
        poller.log.purge(150 * OVERLAP)
        poller.poll()
    poller.log.wait(1000 * OVERLAP)
    poller.log.purge(OVERLAP)
    poller.poll()  # a log that is empty by now

    assert poller.got == poller.keys()


SOUND = {
    "version": 1,
    "server": "http://keystone.test/",
    "resource": "request_log",
    "filters": {},
    "floor": 0,
    "first": 1,
    "seen": "AQ",
    "resume": None,
    "begun": BEGIN,
    "asked": BEGIN,
}
UNSOUND = ["", "7", "null", "[]", "{", "{}", 7, {}, b"{}", "x" * 10, "9" * 5000]
UNSOUND += [json.dumps({**SOUND, name: value}) for name in ("floor", "first") for value in (-1, "1", None, 1.5, 2**70)]
UNSOUND += [json.dumps({**SOUND, "seen": value}) for value in (1, None, "é", "A")]
UNSOUND += [json.dumps({**SOUND, name: value}) for name in ("begun", "asked") for value in ("1", -1, 1e300, True)]
UNSOUND += [json.dumps({name: value for name, value in SOUND.items() if name != left}) for left in SOUND]


@pytest.mark.parametrize("position", UNSOUND, ids=lambda value: repr(value)[:60])
def test_an_invalid_position_is_refused_before_anything_is_sent(colour: str, position: Any) -> None:
    wire = Scripted()

    with pytest.raises(FieldError, match="position") as caught:
        connect(colour, wire).follow_request_log(position)

    assert caught.value.field == "position"
    assert wire.requests == []


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("server", "http://other.test/", "other.test"),
        ("resource", "audit_log", "audit_log"),
        ("filters", {"method": "GET"}, "method"),
    ],
)
def test_a_position_of_another_log_or_filter_is_refused(colour: str, name: str, value: Any, message: str) -> None:
    wire = Scripted()

    with pytest.raises(FieldError, match=message) as caught:
        connect(colour, wire).follow_request_log(json.dumps({**SOUND, name: value}))

    assert caught.value.field == "position"
    assert wire.requests == []


@pytest.mark.parametrize("overlap", [0, -1, "300", None, float("nan"), float("inf"), True, 1e10])
def test_an_invalid_overlap_is_refused(colour: str, overlap: Any) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="overlap=") as caught:
        connect(colour, wire).follow_audit_log(overlap=overlap)
    assert caught.value.field == "overlap"
    assert wire.requests == []


@pytest.mark.parametrize("limit", [0, -1, None, "5", True])
def test_an_invalid_limit_is_refused(colour: str, limit: Any) -> None:
    wire = Scripted()
    with pytest.raises(FilterError, match="limit="):
        connect(colour, wire).follow_audit_log(limit=limit)
    assert wire.requests == []


@pytest.mark.parametrize("after", [0, -1, "soon", 1.5, True])
def test_an_invalid_after_is_refused(colour: str, after: Any) -> None:
    wire = Scripted()
    with pytest.raises(FieldError):
        connect(colour, wire).follow_audit_log(after=after)
    assert wire.requests == []


def test_filters_are_checked_as_everywhere(colour: str) -> None:
    wire = Scripted()
    with pytest.raises(FilterError, match="Did you mean 'method'"):
        connect(colour, wire).follow_request_log(filters={"methode": "GET"})
    with pytest.raises(FilterError, match="follow without it"):
        connect(colour, wire).follow_request_log(filters={"id__in": range(1, 5000)})
    assert wire.requests == []


def test_both_colours_send_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(colour: str) -> list[str]:
        poller = Poller(colour)
        poller.log.write(9)
        poller.poll(after="now")
        poller.log.write(30, lasts=5)
        poller.log.wait(10)
        while poller.poll(limit=4).more:
            pass
        poller.log.wait(2 * OVERLAP)
        poller.poll()
        return [str(request.url) for request in poller.log.requests]

    assert sent("sync") == sent("async")


def test_without_a_date_header_the_clock_of_the_client_is_used(colour: str) -> None:
    log = LogServer()
    log.write(3)

    def dateless(request: Any) -> Any:
        response = log(request)
        del response.headers["date"]
        return response

    client = connect(colour, Scripted(dateless), retry=RetryPolicy(attempts=1))
    client.client._session.now = lambda: BEGIN + 1000
    settled = json.loads(client.follow_request_log(overlap=OVERLAP).position)

    assert (settled["floor"], settled["asked"]) == (3, BEGIN + 1000)


@given(st.sets(st.integers(1, 3000)), st.integers(0, 10**9))
def test_a_position_round_trips(keys: set[int], floor: int) -> None:
    from keystone_client._listing.position import Position, Subject, decode_position, encode_position

    subject = Subject("http://keystone.test/", "audit_log", {"action": "0"})
    position = Position(floor, frozenset(floor + key for key in keys), None, BEGIN, BEGIN + 5)

    text = encode_position(position, subject)

    assert decode_position(text, subject) == position
    span = max(keys, default=0) - min(keys, default=0)
    assert len(json.loads(text)["seen"]) <= span / 6 + 4
    assert base64.urlsafe_b64decode(json.loads(text)["seen"] + "==") is not None
