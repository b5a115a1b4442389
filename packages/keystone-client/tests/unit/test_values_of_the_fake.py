"""Values: in process and over a socket, the fake accepts the values that the client accepts, with the same meaning."""

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from keystone_client import FieldError, FilterError, KeystoneClient, UnknownParameterWarning
from keystone_client_testing import FakeKeystone

from .scripted import Scripted, answer, connect

SPELLINGS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("request", {"expire__isnull": value}, {"open"})
    for value in ("true", "True", "tRuE", "1", 1, True)
] + [
    ("request", {"expire__isnull": value}, {"dated"})
    for value in ("false", "FALSE", "0", 0, False)
] + [
    ("request", {"expire": value}, {"dated"})
    for value in ("2024-12-31", "12/31/2024", "Dec 31 2024", "31 December, 2024", datetime.date(2024, 12, 31))
] + [
    ("request", {"expire__in": ["31 Dec, 2024"]}, {"dated"}),
    ("request", {"submitted__gte": "2000-1-1 1:2"}, {"open", "dated"}),
    ("request", {"id": " 1 "}, {"open"}),
    ("request", {"id": "1.0"}, {"open"}),
    ("request", {"id": 1.0}, {"open"}),
    ("request", {"team": "01"}, {"open", "dated"}),
    ("request", {"title": "open"}, {"open"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def fake() -> FakeKeystone:
    made = FakeKeystone()
    team = made.add.team(name="Physics")["id"]
    for title, expire in (("open", None), ("dated", datetime.date(2024, 12, 31))):
        made.add.request(title=title, team=team, expire=expire)
    return made


@pytest.fixture(scope="module", params=["in process", "over a socket"])
def client(request: pytest.FixtureRequest, fake: FakeKeystone) -> Iterator[KeystoneClient]:
    with fake.serve() as url:
        place: dict[str, Any] = {"url": url}
        if request.param == "in process":
            place = {"url": fake.url, "transport": fake.transport}
        with KeystoneClient(**place) as made:
            made.login("admin", "quickstart")
            yield made


SENT_AS_THEY_ARE = [case for case in SPELLINGS if not any(isinstance(value, list) for value in case[1].values())]
"""A list is a form of the client's own."""


def stable_id(value: object) -> str:
    """The name of a parameter, which must be the same in each process; a set has no order."""
    return str(sorted(value)) if isinstance(value, set) else str(value)


@pytest.mark.parametrize(("resource", "filters", "titles"), SPELLINGS, ids=stable_id)
def test_a_spelling_of_the_server_finds_what_it_says(
    client: KeystoneClient, resource: str, filters: dict[str, Any], titles: set[str]
) -> None:
    assert {record["title"] for record in client.retrieve_request(filters=filters)} == titles


@pytest.mark.parametrize(("resource", "filters", "titles"), SENT_AS_THEY_ARE, ids=stable_id)
def test_the_fake_takes_the_spelling_itself_as_the_server_does(
    client: KeystoneClient, resource: str, filters: dict[str, Any], titles: set[str]
) -> None:
    """Programs without this client send it as it is."""
    ((name, value),) = filters.items()
    text = "1" if isinstance(value, float) else str(value)
    page = client.http_get("allocations/requests", params={name: text}).json()
    assert {record["title"] for record in page["results"]} == titles


@pytest.mark.parametrize("value", ["yes", "on", "t", " true ", "1.0", "01"])
def test_what_the_server_ignores_is_refused_by_the_client_and_ignored_by_the_fake(
    client: KeystoneClient, value: str
) -> None:
    with pytest.raises(FilterError, match="the server ignores anything else"):
        client.retrieve_request(filters={"expire__isnull": value})
    with pytest.warns(UnknownParameterWarning, match="neither true nor false"):
        page = client.http_get("allocations/requests", params={"expire__isnull": value}).json()
    assert page["count"] == 2


def test_an_invalid_spreadsheet_value_is_reported_by_record_and_field_before_sending(colour: str) -> None:
    transport = Scripted(answer(200, {}))
    good = {"title": "t", "agency": "a", "amount": Decimal("1.50"), "start_date": "2024-01-05", "team": 1}

    for name, value in (
        ("end_date", float("nan")),
        ("grant_number", 4711.0),
        ("start_date", "05.01.2024"),
        ("title", "x" * 251),
    ):
        with pytest.raises(FieldError, match=f"record 1, counted from 0: {name}=") as caught:
            connect(colour, transport).bulk_create_grant([good, {**good, name: value}])
        assert (vars(caught.value)["position"], caught.value.field) == (1, name)
    assert transport.requests == []


DOIS: dict[str, Any] = {
    "create": lambda client: client.create_publication(title="t", team=1, doi=""),
    "update": lambda client: client.update_publication(1, {"doi": " "}),
    "bulk create": lambda client: client.bulk_create_publication([{"title": "t", "team": 1, "doi": ""}]),
    "bulk update": lambda client: client.bulk_update_publication({1: {"doi": ""}}),
}


@pytest.mark.parametrize("way", DOIS.values(), ids=DOIS)
def test_an_empty_doi_is_refused_with_what_to_give_instead(colour: str, way: Any) -> None:
    transport = Scripted()

    with pytest.raises(FieldError, match="give None for null"):
        way(connect(colour, transport))
    assert transport.requests == []


@pytest.mark.parametrize("value", ["\0", ["a\0"], {"\0": 1}])
def test_a_nested_nul_character_is_refused(colour: str, value: Any) -> None:
    transport = Scripted()

    with pytest.raises(FieldError, match="NUL"):
        connect(colour, transport).update_preference(1, {"request_expiry_thresholds": value})
    assert transport.requests == []
