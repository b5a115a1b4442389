"""Finds the query parameters that a server ignores; each case was tried on a real server."""

import pytest
from keystone_client_core import RESOURCES, ignored_parameters

TEAM, REQUEST, USER = RESOURCES["team"], RESOURCES["request"], RESOURCES["user"]


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("order", "-expire", "_order"),
        ("ordering", "-expire", "_order"),
        ("limit", "5", "_limit"),
        ("offset", "5", "_offset"),
        ("page", "2", "_offset"),
        ("search", "x", "_search"),
        ("titel", "x", "title"),
        ("pk", "1", "id"),
        ("title__icontains", "x", "title__contains"),
    ],
)
def test_an_unknown_name_is_found_with_the_close_matches(name: str, value: str, match: str) -> None:
    (ignored,) = ignored_parameters(REQUEST, [(name, value)])

    assert ignored.name == name
    assert ignored.matches[0] == match
    assert "no parameter of allocations/requests" in ignored.why


def test_a_field_of_another_record_and_one_of_several_records_are_found() -> None:
    found = ignored_parameters(REQUEST, [("team__name", "x"), ("assignees", "1")])

    assert [each.name for each in found] == ["team__name", "assignees"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", ""), ("name__contains", " "), ("id__in", ""), ("_order", ""), ("_order", "-nam"), ("_order", "name,nam")],
)
def test_a_value_that_the_server_ignores_is_found(name: str, value: str) -> None:
    assert [each.name for each in ignored_parameters(TEAM, [(name, value)])] == [name]


@pytest.mark.parametrize("value", ["maybe", "yes", "None"])
@pytest.mark.parametrize("name", ["is_active", "is_active__not_eq", "name__isnull"])
def test_an_invalid_boolean_is_found(name: str, value: str) -> None:
    (ignored,) = ignored_parameters(TEAM, [(name, value)])

    assert ignored.why == f"is {value!r}, neither true nor false"


def test_of_several_values_only_the_last_one_counts() -> None:
    (ignored,) = ignored_parameters(REQUEST, [("status", "AP"), ("status", "PD")])

    assert ignored.matches == ("status__in",)


@pytest.mark.parametrize("name", RESOURCES)
def test_what_the_server_reads_is_not_found(name: str) -> None:
    resource = RESOURCES[name]
    known = [(field, "1") for field in resource.filterable if resource.fields[field].filter_kind != "key"]
    known += [("_limit", "5"), ("_offset", "5"), ("format", "json")]
    known += [("_order", f"-{','.join(resource.orderable)}")]

    assert ignored_parameters(resource, known) == []


@pytest.mark.parametrize("order", ["history", "membership", "groups"])
def test_an_order_by_several_records_is_not_called_ignored(order: str) -> None:
    assert ignored_parameters(USER, [("_order", order)]) == []


def test_a_filter_that_the_server_has_and_the_client_does_not_offer_is_not_found() -> None:
    assert ignored_parameters(USER, [("password", "x")]) == []
