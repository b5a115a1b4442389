"""Records that are checked all at once: every fault of every record, and no value that the server would accept."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client_core import RESOURCES, Fault, FieldError, check_records, encode_fields, is_email, slugify
from keystone_client_core._collisions import Collisions

GRANT: Mapping[str, Any] = {"title": "t", "agency": "NSF", "amount": "1.00", "start_date": "2026-01-01", "team": 1}
USER: Mapping[str, Any] = {"username": "ada", "password": "a long secret"}


def faults(resource: str, *records: Any) -> list[Fault]:
    return check_records(RESOURCES[resource], records)


def places(found: Iterable[Fault]) -> list[tuple[Any, str]]:
    return [(fault.label, fault.field) for fault in found]


@pytest.mark.parametrize(
    ("resource", "record", "field", "reason"),
    [
        ("grant", {**GRANT, "title": "x" * 251}, "title", "251 characters, the server takes at most 250"),
        ("grant", {**GRANT, "title": "  "}, "title", "cannot be empty"),
        ("grant", {**GRANT, "title": None}, "title", "cannot be null"),
        ("grant", {**GRANT, "title": ["x"]}, "title", "give text"),
        ("grant", {**GRANT, "title": True}, "title", "give text"),
        ("user", {**USER, "email": f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 63}.de"}, "email", "at most 254"),
        ("grant", {**GRANT, "amount": "1" * 1001}, "amount", "of a bearable size"),
        ("grant", {**GRANT, "title": "a\0b"}, "title", "NUL characters"),
        ("grant", {**GRANT, "amount": "1.234"}, "amount", "2 decimal places"),
        ("grant", {**GRANT, "amount": Decimal("1E+12")}, "amount", "12 digits before the decimal point"),
        ("grant", {**GRANT, "amount": "1,50"}, "amount", "give a number"),
        ("grant", {**GRANT, "amount": ""}, "amount", "give a number"),
        ("grant", {**GRANT, "start_date": "31.01.2026"}, "start_date", "give a date or text such as"),
        ("grant", {**GRANT, "start_date": "2026-02-30"}, "start_date", "no such day"),
        ("grant", {**GRANT, "start_date": ""}, "start_date", "give a date or text such as"),
        ("grant", {**GRANT, "start_date": datetime(2026, 1, 1)}, "start_date", r"\.date\(\)"),
        ("grant", {**GRANT, "team": "Physics"}, "team", "primary key"),
        ("grant", {**GRANT, "nmae": 1}, "nmae", "no 'nmae'"),
        ("grant", {**GRANT, "id": 1}, "id", "cannot be set"),
        ("user", {**USER, "username": "john von"}, "username", "give letters, digits and"),
        ("user", {**USER, "username": "jose\u0301"}, "username", "give letters, digits and"),
        ("user", {**USER, "email": "ada(at)example.com"}, "email", "e-mail"),
        ("user", {**USER, "password": " a long secret"}, "password", "blanks at its ends"),
        ("membership", {"user": 1, "team": 1, "role": "OWNER"}, "role", "OW = Owner, AD = Admin, MB = Member"),
        ("membership", {"user": 1, "team": 1, "role": ""}, "role", "OW = Owner, AD = Admin, MB = Member"),
        ("allocation", {"cluster": 1, "request": 1, "requested": -1}, "requested", "give an integer from 0"),
        ("allocation", {"cluster": 1, "request": 1, "requested": 2**63}, "requested", "give an integer up to"),
        ("allocation", {"cluster": 1, "request": 1, "requested": "many"}, "requested", "give an integer"),
        ("cluster", {"name": "x", "enabled": None}, "enabled", "cannot be null; leave the field out"),
        ("cluster", {"name": "@ref{a.b}"}, "name", "reference"),
    ],
)
def test_a_value_the_server_would_refuse_is_reported_with_the_reason(
    resource: str, record: Any, field: str, reason: str
) -> None:
    (found,) = faults(resource, record)

    assert (found.label, found.field) == (0, field)
    assert re.search(reason, found.reason), found.reason


@pytest.mark.parametrize(
    ("resource", "record"),
    [
        ("grant", {**GRANT, "title": f" {'x' * 250} ", "end_date": None, "pi": "", "grant_number": None}),
        ("grant", {**GRANT, "amount": -1, "start_date": "2026-1-5", "description": "x" * 100_000}),
        ("grant", {**GRANT, "amount": "999999999999.99", "start_date": "20260105", "title": 4711}),
        ("grant", {**GRANT, "start_date": date(2026, 1, 5), "end_date": "2026-W01-1"}),
        ("user", {**USER, "username": "josé@x.y+z-_1", "email": "Ada@EXAMPLE.com", "first_name": None}),
        ("user", {**USER, "email": ""}),
        ("allocation", {"cluster": 1, "request": 1, "requested": 2**31}),  # PostgreSQL refuses it, SQLite does not
        ("allocation", {"cluster": 1, "request": 1, "requested": "5.0", "awarded": None}),
        ("preference", {"request_expiry_thresholds": {"any": "thing"}}),
    ],
)
def test_a_value_that_some_servers_accept_is_left_to_the_server(resource: str, record: Any) -> None:
    assert faults(resource, record) == []


def test_all_faults_of_all_records_are_reported_at_once() -> None:
    bad = {"titel": "t", "agency": "x" * 101, "amount": "abc", "start_date": "soon", "team": 1}

    found = faults("grant", GRANT, bad, "no record", GRANT)

    assert places(found) == [(1, "titel"), (1, "agency"), (1, "amount"), (1, "start_date"), (1, "title"), (2, "")]
    assert found[2].value == "abc"


def test_records_with_labels_are_named_by_them() -> None:
    sheet = {"line 2": {**USER, "email": "x"}, "line 3": USER, 4: USER}

    found = check_records(RESOURCES["user"], sheet)

    assert places(found) == [("line 2", "email"), ("line 3", "username"), (4, "username")]
    assert "record 'line 3'" not in found[1].reason
    assert "record 'line 2'" in found[1].reason
    assert "record 'line 2'" in found[2].reason


@pytest.mark.parametrize(
    ("resource", "first", "second", "field", "value", "reason"),
    [
        ("user", USER, {**USER, "username": " ada "}, "username", "ada", "the same, and the server holds it only once"),
        ("team", {"name": "Compilers"}, {"name": "compilers"}, "name", "compilers", "'Compilers', and .* 'compilers'"),
        ("team", {"name": "Physics"}, {"name": "Physics"}, "name", "Physics", "the same"),
        ("cluster", {"name": "5"}, {"name": 5}, "name", "5", "the same"),
        (
            "membership",
            {"user": 1, "team": "2", "role": "OW"},
            {"user": "1", "team": 2, "role": "MB"},
            "user, team",
            (1, 2),
            "the same",
        ),
        (
            "preference",
            {},
            {"notify_on_expiration": False},
            "user",
            None,
            "left it out, too: .* takes the caller",
        ),
    ],
)
def test_records_that_collide_are_reported_with_both_positions(
    resource: str, first: Any, second: Any, field: str, value: Any, reason: str
) -> None:
    (found,) = faults(resource, first, second)

    assert (found.label, found.field, found.value) == (1, field, value)
    assert re.match(f"record 0 has {reason}", found.reason), found.reason


@pytest.mark.parametrize(
    ("resource", "first", "second"),
    [
        ("user", USER, {**USER, "username": "Ada"}),
        ("cluster", {"name": "a"}, {"name": "A"}),
        ("membership", {"user": 1, "team": 2, "role": "OW"}, {"user": 1, "team": 3, "role": "OW"}),
        ("publication", {"title": "t", "team": 1, "doi": None}, {"title": "t", "team": 1, "doi": None}),
        ("publication", {"title": "t", "team": 1}, {"title": "t", "team": 1}),
        ("preference", {"user": 1}, {"user": 2}),
        ("grant", GRANT, GRANT),
    ],
)
def test_records_that_do_not_collide_pass(resource: str, first: Any, second: Any) -> None:
    assert faults(resource, first, second) == []


def test_a_label_that_two_rows_have_or_that_is_no_number_hides_and_makes_no_collision() -> None:
    nan = float("nan")  # what pandas has for a missing label
    rows = [({"name": "a"}, nan), ({"name": "b"}, "x"), ({"name": "b"}, "x")]

    def named(label: object) -> str:
        return f"record {label}"

    collisions = Collisions(RESOURCES["cluster"], named)

    found = [[each.field for each in collisions.of(label, record, "create")] for record, label in rows]

    assert found == [[], [], ["name"]]


def test_a_password_is_in_no_fault() -> None:
    found = faults(
        "user",
        {**USER, "password": " hunter2 hunter2"},
        {**USER, "username": "b", "password": "x" * 200},
        {**USER, "username": "c", "pasword": "hunter2 hunter2"},
        {**USER, "username": "d", "password": "@ref{hunter2}"},
        {**USER, "username": "e", "password": 87654321.0},  # as pandas reads a column of numbers with a gap
    )

    assert [fault.value for fault in found] == [None, None, None, None, None]
    assert "hunter2" not in str(found)
    assert "87654321" not in str(found)


def test_an_iterator_in_a_record_is_read_once() -> None:
    made = check_records(RESOURCES["cluster"], ({"name": "x", "access_teams": (t for t in [1, "x"])} for _ in "a"))

    assert places(made) == [(0, "access_teams")]


def test_items_that_are_not_records_are_reported_one_by_one() -> None:
    assert places(faults("team", "Physics", ["Chemistry"])) == [(0, ""), (1, "")]


@pytest.mark.parametrize("given", ["x", b"x", None, 5, {"name": "Physics"}, {"name": "x", "is_active": True}])
def test_one_record_or_none_is_refused(given: Any) -> None:
    with pytest.raises(FieldError, match="give several records"):
        check_records(RESOURCES["team"], given)


def test_an_empty_list_has_no_faults() -> None:
    assert check_records(RESOURCES["team"], []) == check_records(RESOURCES["team"], {}) == []


@given(st.dictionaries(st.sampled_from([*GRANT, "pi", "nope"]), st.text() | st.integers() | st.none() | st.floats()))
def test_what_the_encoder_refuses_is_always_a_fault(record: dict[str, Any]) -> None:
    refused = ""
    try:
        encode_fields(RESOURCES["grant"], record, "create")
    except FieldError as error:
        refused = error.field
    assert not refused or refused in [fault.field for fault in faults("grant", record)]


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Compilers", "compilers"), (" A  b--c! ", "a-b-c"), ("Ünïcödé", "unicode"), ("名前", ""), ("_x_", "x")],
)
def test_the_slug_of_a_name_is_the_servers(name: str, slug: str) -> None:
    assert slugify(name) == slug


@pytest.mark.parametrize("text", ["a@b.de", '"ab"@c.org', "a@localhost", "a@[::1]", "a@bücher.example", "A+b@X.YZ"])
def test_an_email_address_is_accepted(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize("text", ["a", "a@", "@b.de", "a b@c.de", "a@b", "a@b..de", "a@-b.de", "a@b.de\n", "a@b@c.de"])
def test_anything_but_an_email_address_is_refused(text: str) -> None:
    assert not is_email(text)
