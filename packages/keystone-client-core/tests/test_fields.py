"""Fields of a record to be written: nothing that the server would silently drop or change is sent."""

import json
from collections import UserDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Literal
from uuid import UUID

import pytest
from keystone_client_core import RESOURCES, AccessMode, FieldError, Resource, encode_fields, ignored_fields

CLUSTER, TEAM, USER, GRANT, REQUEST, ALLOCATION, PREFERENCE, ATTACHMENT = (
    RESOURCES[name]
    for name in ("cluster", "team", "user", "grant", "request", "allocation", "preference", "attachment")
)
UID = UUID("4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11")


class Number(IntEnum):
    FIVE = 5


class Title(Enum):
    LONG = "long"


class Index:
    """An integer of a numeric library."""

    def __index__(self) -> int:
        return 7


def updated(resource: Resource, **data: object) -> dict[str, object]:
    return encode_fields(resource, data, "update")


def refusal(resource: Resource, data: Any, operation: Literal["create", "update"] = "update") -> FieldError:
    with pytest.raises(FieldError) as caught:
        encode_fields(resource, data, operation)
    return caught.value


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("resource", "name", "value", "encoded"),
    [
        (GRANT, "start_date", date(2024, 2, 29), "2024-02-29"),
        (GRANT, "start_date", "2024-02-29", "2024-02-29"),
        (GRANT, "amount", Decimal("1E+3"), "1000"),
        (GRANT, "amount", Decimal("12.50"), "12.50"),
        (GRANT, "amount", 12.5, 12.5),
        (GRANT, "title", UID, str(UID)),
        (GRANT, "title", Title.LONG, "long"),
        (GRANT, "team", "5", 5),
        (GRANT, "team", Index(), 7),
        (GRANT, "team", Number.FIVE, 5),
        (GRANT, "end_date", None, None),
        (GRANT, "title", "  kept  ", "  kept  "),
        (CLUSTER, "access_mode", AccessMode.OPEN, "OP"),
        (CLUSTER, "access_teams", (1, "2"), [1, 2]),
        (CLUSTER, "access_teams", {3, 1, 2}, [1, 2, 3]),
        (CLUSTER, "access_teams", (n for n in (2, 1)), [2, 1]),
        (CLUSTER, "access_teams", [], []),
        (CLUSTER, "enabled", False, False),
        (ALLOCATION, "requested", Index(), 7),
        (ALLOCATION, "requested", "5", "5"),
        (PREFERENCE, "request_expiry_thresholds", {"a": [1, (2.5, None)], "b": {date(2024, 1, 1)}},
         {"a": [1, [2.5, None]], "b": ["2024-01-01"]}),
        (PREFERENCE, "request_expiry_thresholds", datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00Z"),
        (PREFERENCE, "request_expiry_thresholds", nested(100), nested(100)),
    ],
)  # fmt: skip
def test_values_become_what_json_can_hold(resource: Resource, name: str, value: object, encoded: object) -> None:
    found = updated(resource, **{name: value})
    assert found == {name: encoded}
    assert json.loads(json.dumps(found)) == found


def test_the_data_is_copied_and_any_mapping_will_do() -> None:
    data = UserDict({"name": "x", "access_teams": [1]})
    encoded = encode_fields(CLUSTER, data, "create")
    assert encoded == {"name": "x", "access_teams": [1]}
    assert encoded["access_teams"] is not data["access_teams"]


def test_an_update_may_be_empty() -> None:
    assert encode_fields(CLUSTER, {}, "update") == {}


def test_a_file_is_passed_through() -> None:
    file = object()
    assert encode_fields(ATTACHMENT, {"file": file, "request": 1}, "create")["file"] is file


def test_unknown_fields_are_all_named_with_those_that_are_close() -> None:
    error = refusal(CLUSTER, {"nmae": "x", "enabeld": True, "zzz": 1})
    assert error.field == "nmae"
    assert error.matches == ("name",)
    assert "'nmae', 'enabeld', 'zzz'" in str(error)
    assert "'enabled'" in str(error)


@pytest.mark.parametrize(
    ("resource", "name"),
    [(TEAM, "id"), (TEAM, "slug"), (TEAM, "users"), (TEAM, "_history"), (REQUEST, "submitted"), (USER, "last_login")],
)
@pytest.mark.parametrize("operation", ["create", "update"])
def test_fields_only_the_server_sets_are_refused(
    resource: Resource, name: str, operation: Literal["create", "update"]
) -> None:
    error = refusal(resource, {name: 1}, operation)
    assert error.field == name
    assert "the server ignores it" in str(error)


def test_a_field_that_exists_only_as_a_filter_is_refused() -> None:
    assert "message_text" in str(refusal(RESOURCES["notification"], {"message_text": "x"}))


def test_a_teams_name_is_taken_on_create_and_refused_on_update() -> None:
    assert encode_fields(TEAM, {"name": "Physics"}, "create") == {"name": "Physics"}
    assert "cannot be set once the record exists" in str(refusal(TEAM, {"name": "Physics"}))


def test_missing_fields_are_all_named_at_once_on_create_only() -> None:
    error = refusal(GRANT, {"agency": "NSF"}, "create")
    assert "title, amount, start_date, team" in str(error)
    assert error.field == "title"
    assert updated(GRANT, agency="NSF") == {"agency": "NSF"}


@pytest.mark.parametrize("password", [" hunter2", "hunter2 ", "hunter2\n", "hunter2\ud800", b"hunter2", 87654321.0])
def test_a_password_the_server_would_change_is_refused_and_not_repeated(password: object) -> None:
    error = refusal(USER, {"password": password})
    assert error.field == "password"
    assert not any(secret in shown for secret in ("hunter2", "87654321") for shown in (str(error), repr(error)))
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("resource", "name", "value"),
    [
        (GRANT, "team", 1.5), (GRANT, "team", True), (GRANT, "team", "1.0"), (GRANT, "team", 0),
        (GRANT, "team", 2.0**60),
        (GRANT, "team", {"id": 1}), (GRANT, "team", ""), (GRANT, "team", Decimal("1.5")),
        (CLUSTER, "access_teams", "12"), (CLUSTER, "access_teams", 5), (CLUSTER, "access_teams", [1.5]),
        (CLUSTER, "access_teams", [None]), (CLUSTER, "access_teams", {1: 2}), (CLUSTER, "access_teams", [True]),
        (ALLOCATION, "requested", 1.5), (ALLOCATION, "requested", True), (ALLOCATION, "requested", float("inf")),
        pytest.param(ALLOCATION, "requested", 10**5000, id="huge"),
        (CLUSTER, "enabled", "maybe"), (CLUSTER, "enabled", 2), (CLUSTER, "enabled", ""),
        (GRANT, "amount", float("nan")), (GRANT, "amount", float("inf")), (GRANT, "amount", Decimal("NaN")),
        (GRANT, "amount", True), (GRANT, "amount", Decimal("1E+999999")), (GRANT, "start_date", datetime(2024, 1, 1)),
        (GRANT, "title", "\ud800"), (GRANT, "title", object()), (GRANT, "title", b"x"), (GRANT, "title", 1j),
        (PREFERENCE, "request_expiry_thresholds", nested(101)), (PREFERENCE, "request_expiry_thresholds", {1: 2}),
        (PREFERENCE, "request_expiry_thresholds", [float("nan")]),
        (PREFERENCE, "request_expiry_thresholds", {"\ud800": 1}),
        (PREFERENCE, "request_expiry_thresholds", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
    ],
)  # fmt: skip
def test_a_value_the_server_would_change_or_json_cannot_hold_is_refused(
    resource: Resource, name: str, value: object
) -> None:
    error = refusal(resource, {name: value})
    assert error.field == name
    assert f"{resource.name} field {name!r}" in str(error)
    assert len(str(error)) < 300


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    refusal(PREFERENCE, {"request_expiry_thresholds": loop})


@pytest.mark.parametrize("data", [None, [("name", "x")], "name", 5, {5: "x"}, {None: 1}])
def test_data_that_is_no_mapping_of_names_is_refused(data: object) -> None:
    refusal(CLUSTER, data, "create")


def test_a_name_that_only_the_servers_database_refuses_is_refused() -> None:
    for name in ("n" * 250, " " + "n" * 250 + " "):  # the server cuts off the blanks
        assert updated(ATTACHMENT, name=name) == {"name": name}
    with pytest.raises(FieldError, match="it has 251 characters, and the server fails on more than 250") as caught:
        updated(ATTACHMENT, name="n" * 251)
    assert caught.value.field == "name"


def test_the_bounds_of_numbers_are_those_of_postgresql() -> None:
    assert {ALLOCATION.fields[name].maximum for name in ("requested", "awarded", "final")} == {2**31 - 1}


def test_fields_dropped_by_role_are_those_that_differ_in_the_answer() -> None:
    sent = {"is_staff": True, "is_active": False, "is_ldap_user": False, "email": "A@b.example"}
    record = {"id": 1, "is_staff": False, "is_active": False, "is_ldap_user": False, "email": "a@b.example"}
    assert ignored_fields(USER, sent, record) == ("is_staff",)
    assert ignored_fields(USER, {"email": "x"}, record) == ()
    assert ignored_fields(TEAM, {"is_active": False}, {"is_active": True}) == ()


def test_one_error_names_all_that_is_wrong_with_an_update() -> None:
    request = RESOURCES["request"]
    record = {name: None for name, field in request.fields.items() if not field.hidden}
    read_only = [name for name, field in request.fields.items() if field.read_only]
    assert len(read_only) > 5

    with pytest.raises(FieldError) as caught:
        encode_fields(request, {"titel": "x", **record, "active": datetime(2026, 5, 1), "team": "Physics"}, "update")

    for name in ("titel", *read_only, "a date is wanted", "'Physics'"):
        assert name in str(caught.value)
    assert caught.value.field == "titel"
    assert caught.value.matches == ("title",)


def test_one_error_names_all_that_is_wrong_with_a_create() -> None:
    with pytest.raises(FieldError) as caught:
        encode_fields(RESOURCES["cluster"], {"id": 1, "enabled": "maybe"}, "create")

    for part in ("'id' cannot be set", "'maybe'", "also needs name"):
        assert part in str(caught.value)


def test_the_table_says_which_fields_may_be_null_or_blank() -> None:
    username, first_name = (RESOURCES["user"].fields[name] for name in ("username", "first_name"))
    assert (username.blank, username.nullable, username.unique) == (False, False, True)
    assert (first_name.blank, first_name.nullable, first_name.unique) == (True, True, False)


def test_a_name_that_the_server_would_ignore_is_not_suggested() -> None:
    error = refusal(USER, {"last_logn": "x"})
    assert "last_name" in error.matches
    assert "last_login" not in error.matches


def test_mappings_are_nested_a_hundred_deep_at_most() -> None:
    value: dict[str, Any] = {}
    for _ in range(100):
        value = {"a": value}
    encoded = encode_fields(PREFERENCE, {"request_expiry_thresholds": value}, "update")
    assert encoded == {"request_expiry_thresholds": value}
    assert "more than 100 deep" in str(refusal(PREFERENCE, {"request_expiry_thresholds": {"a": value}}))
