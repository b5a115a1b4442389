"""The HTTP methods on any endpoint: any content type, complete listings, and warnings about ignored parameters."""

from typing import Any

import pytest
from keystone_client import UnknownParameterWarning

NUMBER = 7


@pytest.fixture
def teams(bench: Any) -> list[Any]:
    name = bench.name()
    return [bench.make("team", name=f"{name} {number}") for number in range(NUMBER)]


def keys(records: Any) -> list[Any]:
    return [record["id"] for record in records]


@pytest.mark.parametrize("endpoint", ["openapi/yaml", "openapi/json", "version"])
def test_an_endpoint_that_does_not_answer_with_json_can_be_read(bench: Any, endpoint: str) -> None:
    assert bench.client.http_get(endpoint).status_code == 200


@pytest.mark.parametrize("order", [None, "id", "-id", "-name", "is_active,name"])
def test_any_listing_is_complete_and_ordered(bench: Any, teams: Any, order: str | None) -> None:
    params = {"name__startswith": teams[0]["name"][:-2], **({"_order": order} if order else {})}
    found = keys(bench.client.http_iterate("users/teams", params, page_size=3))

    assert found == (keys(teams) if order in (None, "id", "is_active,name") else keys(teams)[::-1])


def test_the_feed_has_each_entry_once(bench: Any, teams: Any) -> None:
    seen = keys(bench.client.http_iterate("logs/feed", {"record_type": "audit"}, limit=50, page_size=20))

    assert len(seen) == len(set(seen))
    assert seen


@pytest.mark.parametrize(
    "params",
    [
        {"order": "-id"},
        {"page": 2},
        {"limit": 1},
        {"offset": 1},
        {"pk": 1},
        {"nam": "x"},
        {"name__icontains": "nobody"},
        {"membership__user": 1},
        {"name": ""},
        {"name__contains": " "},
        {"id__in": ""},
        {"is_active": "maybe"},
        {"_order": "-nam"},
    ],
    ids=str,
)
def test_exactly_the_ignored_parameters_are_warned_about(bench: Any, teams: Any, params: dict[str, Any]) -> None:
    plain = {"_limit": NUMBER - 1, "name__startswith": teams[0]["name"][:-2]}
    whole = bench.client.http_get("users/teams", plain).json()
    with pytest.warns(UnknownParameterWarning):
        ignoring = bench.client.http_get("users/teams", {**plain, **params}).json()

    assert ignoring["count"] == whole["count"] == NUMBER
    assert keys(ignoring["results"]) == keys(whole["results"])


def test_of_two_values_of_a_parameter_the_server_uses_the_last(bench: Any, teams: Any) -> None:
    names = [teams[0]["name"], teams[1]["name"]]
    with pytest.warns(UnknownParameterWarning, match="name__in"):
        found = bench.client.http_get("users/teams", {"name": names}).json()["results"]

    assert keys(found) == keys(teams[1:2])
