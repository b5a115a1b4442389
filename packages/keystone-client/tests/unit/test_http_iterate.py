"""``http_iterate``: a listing of any endpoint, known to the client or not, is complete or raises."""

from typing import Any

import httpx
import pytest
from keystone_client import (
    DecodeError,
    FieldError,
    FilterError,
    InvalidURLError,
    NotFoundError,
    PaginationError,
    UnknownParameterWarning,
)
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone

from .listing_server import Change, ListServer, ordered
from .scripted import URL, Player, Scripted, answer, connect

NEW = "research/posters"
FEED = ("request_log", "task_result", "audit_log")
"""The tables that the feed merges; its keys begin with their first letters."""
TEAMS = [{"id": number + 1, "name": f"Team {number % 5}-{number}"} for number in range(25)]


def listed(records: int, **changes: Any) -> ListServer:
    return ListServer(({"id": number, "name": "abc"[number % 3]} for number in range(1, records + 1)), **changes)


def ids(records: list[dict[str, Any]]) -> list[Any]:
    return [record["id"] for record in records]


def keyed(*keys: object) -> list[dict[str, Any]]:
    return [{"id": key, "name": "x"} for key in keys]


@pytest.fixture
def fake() -> FakeKeystone:
    world = FakeKeystone(URL)
    for team in TEAMS:
        world.add.team(name=team["name"])
    return world


@pytest.fixture(scope="module")
def demo() -> FakeKeystone:
    world = FakeKeystone(URL)
    world.add_demo_data()
    return world


@pytest.fixture
def client(colour: str, fake: FakeKeystone) -> Player:
    player = connect(colour, fake.transport)
    player.login("admin", "quickstart")
    return player


@pytest.mark.parametrize("name", RESOURCES)
def test_a_known_listing_returns_what_the_server_holds(colour: str, demo: FakeKeystone, name: str) -> None:
    client = connect(colour, demo.transport)
    client.login("admin", "quickstart")
    tables = demo.world.store.tables
    expected = [f"{each[0]}{key}" for each in FEED for key in tables[each]] if name == "feed_entry" else [*tables[name]]
    endpoint, logs = RESOURCES[name].path, ("request_log", "feed_entry")

    found = ids(client.http_iterate(endpoint, page_size=250))

    assert expected
    assert sorted(found[: len(expected)]) == sorted(expected)
    assert len(found) == len(expected) or name in logs  # which grow while they are read


@pytest.mark.parametrize("order", ["id", "-id", "name", "-name", "name,-id", " -name , id"])
def test_the_order_of_the_caller_is_kept(client: Player, order: str) -> None:
    asked = "".join(order.split())

    found = client.http_iterate("users/teams", {"_order": order}, page_size=4)

    by = asked if asked.endswith("id") else f"{asked},id"
    assert [(team["id"], team["name"]) for team in found] == [(team["id"], team["name"]) for team in ordered(TEAMS, by)]


def test_filters_in_the_endpoint_and_in_the_parameters_are_combined(client: Player) -> None:
    found = client.http_iterate("users/teams?name__startswith=Team 1", {"id__gt": 8}, page_size=2)

    assert ids(found) == [12, 17, 22]


@pytest.mark.parametrize("limit", [0, 1, 6, 7, 100])
def test_at_most_limit_records_are_returned(client: Player, limit: int) -> None:
    assert ids(client.http_iterate("users/teams", limit=limit, page_size=3)) == ids(TEAMS[:limit])


def test_a_limit_of_zero_sends_nothing(colour: str) -> None:
    wire = Scripted()

    assert connect(colour, wire).http_iterate(NEW, limit=0) == []
    assert wire.requests == []


def test_an_unknown_endpoint_is_paged_by_key_under_concurrent_changes(colour: str) -> None:
    changes = [[Change(delete=number % 3, insert="z")] for number in range(12)]
    server = listed(30, between=changes)
    found = ids(connect(colour, Scripted(server)).http_iterate(NEW, page_size=5))

    assert found == sorted(set(found))
    assert set(range(1, 31)) - server.gone <= set(found)
    assert server.requests[0].url.path == f"/{NEW}/"


@pytest.mark.parametrize("order", ["-id", "name", "-name,id"])
def test_an_unknown_endpoint_is_paged_in_the_order_of_the_caller(colour: str, order: str) -> None:
    server = listed(30)
    found = connect(colour, Scripted(server)).http_iterate(NEW, {"_order": order}, page_size=4)

    assert len(found) == 30
    assert len(set(ids(found))) == 30


def test_text_keys_are_paged_by_offset(colour: str) -> None:
    server = ListServer(keyed(*"abcdefghijk"))

    assert ids(connect(colour, Scripted(server)).http_iterate(NEW, page_size=3)) == list("abcdefghijk")


def test_an_empty_listing_has_no_records(colour: str) -> None:
    assert connect(colour, Scripted(ListServer([]))).http_iterate(NEW) == []


@pytest.mark.parametrize(
    "change",
    [Change(delete=0), Change(insert="z"), Change(delete=0, insert="z")],
    ids=["fewer", "more", "as many"],
)
def test_a_change_during_offset_paging_raises(colour: str, change: Change) -> None:
    server = ListServer(keyed(*"abcdefghijk"), between=[[], [], [], [change]])
    client = connect(colour, Scripted(server))

    with pytest.raises(PaginationError, match=NEW):
        client.http_iterate(NEW, page_size=3)


def test_a_server_that_ignores_the_key_bound_raises(colour: str) -> None:
    def ignoring(request: httpx.Request) -> httpx.Response:
        kept = {name: value for name, value in request.url.params.items() if not name.startswith("id__")}
        return server(httpx.Request("GET", request.url.copy_with(params=kept)))

    server = listed(9)
    with pytest.raises(PaginationError, match="do not advance"):
        connect(colour, Scripted(ignoring)).http_iterate(NEW, page_size=3)


def test_a_record_deleted_before_its_page_is_read_does_not_raise(colour: str) -> None:
    server = ListServer(keyed(*"abcdefghijk"), between=[[], [], [], [Change(delete=9, insert="z")]])

    assert ids(connect(colour, Scripted(server)).http_iterate(NEW, page_size=3)) == [*"abcdefghik", 1]


def test_a_server_that_repeats_a_record_raises(colour: str) -> None:
    server = ListServer(keyed("a", "b", "c", "b", "d"))

    with pytest.raises(PaginationError, match="came twice"):
        connect(colour, Scripted(server)).http_iterate(NEW, page_size=3)


@pytest.mark.parametrize("order", ["history", "username,-membership", "-logs_set"])
def test_an_order_in_which_the_server_loses_records_is_refused(colour: str, order: str) -> None:
    wire = Scripted()
    with pytest.raises(FilterError, match="order"):
        connect(colour, wire).http_iterate("users/users", {"_order": order})

    assert wire.requests == []


def test_an_order_of_an_unknown_endpoint_that_repeats_a_record_raises(colour: str) -> None:
    server = ListServer([*keyed(1, 2), *keyed(2, 3)])

    with pytest.raises(PaginationError, match="came twice"):
        connect(colour, Scripted(server)).http_iterate(NEW, {"_order": "name"})


def test_a_server_that_counts_more_than_it_sends_raises(colour: str) -> None:
    body = {"count": 9, "next": None, "previous": None, "results": keyed("a", "b")}

    with pytest.raises(PaginationError, match="counts 9 records and sends 2"):
        connect(colour, Scripted(answer(200, body))).http_iterate(NEW)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"_limit": 5}, "use limit="),
        ({"_offset": 5}, "every page"),
        ({"status": ["AP", "PD"]}, "status__in"),
        ({"id__gt": "x"}, "whole number"),
        ({"id__lte": ""}, "whole number"),
    ],
)
def test_parameters_that_the_listing_needs_for_itself_are_refused(
    colour: str, params: dict[str, Any], message: str
) -> None:
    wire = Scripted()
    with pytest.raises(FilterError, match=message):
        connect(colour, wire).http_iterate(NEW, params)

    assert wire.requests == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"endpoint": "//elsewhere.test"}, InvalidURLError),
        ({"endpoint": NEW, "params": 5}, FieldError),
        ({"endpoint": NEW, "limit": -1}, FilterError),
        ({"endpoint": NEW, "page_size": 5000}, FilterError),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(
    colour: str, arguments: dict[str, Any], error: type[Exception]
) -> None:
    wire = Scripted()
    with pytest.raises(error):
        connect(colour, wire).http_iterate(**arguments)

    assert wire.requests == []


def test_an_endpoint_that_is_not_a_listing_raises(client: Player) -> None:
    with pytest.raises(DecodeError):
        client.http_iterate("users/teams/1")
    with pytest.raises(NotFoundError):
        client.http_iterate(NEW)


def test_an_ignored_parameter_is_warned_about(client: Player) -> None:
    with pytest.warns(UnknownParameterWarning, match="Did you mean _order"):
        assert len(client.http_iterate("users/teams", {"order": "name"})) == 25
