"""Mistakes that the table knows are reported before anything is sent, in the same words for fields and filters.

Where the server takes more than that, nothing is refused: the spellings here were tried on a server.
"""

from typing import Any, Literal

import pytest
from keystone_client_core import RESOURCES, FieldError, FilterError, encode_fields, encode_filters

CHOICES = "give one of PD = Pending, AP = Approved, DC = Declined, CR = Changes Requested"
BOTH: list[Literal["create", "update"]] = ["create", "update"]
COMPLETE: dict[str, dict[str, Any]] = {
    "grant": {"title": "t", "agency": "a", "amount": 1, "start_date": "2024-01-05", "team": 1},
    "request": {"title": "t", "description": "d", "submitter": 1, "team": 1},
    "allocation": {"requested": 1, "cluster": 1, "request": 1},
    "user": {"username": "u", "password": "correct horse"},
    "publication": {"title": "t", "team": 1},
    "cluster": {"name": "c"},
    "membership": {"user": 1, "team": 1, "role": "MB"},
}


def encoded(resource: str, name: str, value: object, operation: Literal["create", "update"]) -> object:
    others = COMPLETE[resource] if operation == "create" else {}
    return encode_fields(RESOURCES[resource], {**others, name: value}, operation)[name]


def filtered(resource: str, name: str, value: object) -> dict[str, str]:
    return encode_filters(RESOURCES[resource], {name: value}).params


WRONG = [
    ("request", "status", "Approved", CHOICES),
    ("request", "status", "pd", CHOICES),
    ("request", "status", "", CHOICES),
    ("membership", "role", "Owner", "give one of OW = Owner, AD = Admin, MB = Member"),
    ("grant", "start_date", "01.05.2024", "give a date or text such as '2024-12-31'"),
    ("grant", "start_date", "2024-02-30", "there is no such day"),
    ("grant", "start_date", 45296, "give a date or text such as '2024-12-31'"),
    ("grant", "amount", "1,5", "number"),
    ("grant", "amount", "Infinity", "finite number"),
    ("grant", "title", "a\0b", "NUL"),
    ("grant", "title", "a\ud800", "lone surrogates"),
    ("grant", "title", True, "give text, not bool"),
    ("allocation", "requested", "many", "give an integer"),
    ("allocation", "requested", 1.5, "the server would cut off decimals"),
    ("cluster", "enabled", "maybe", "give True or False"),
    ("cluster", "enabled", 2, "give True or False"),
]


@pytest.mark.parametrize("operation", BOTH)
@pytest.mark.parametrize(("resource", "name", "value", "said"), WRONG)
def test_create_update_and_filters_report_the_same_mistake_in_the_same_words(
    resource: str, name: str, value: object, said: str, operation: Literal["create", "update"]
) -> None:
    with pytest.raises(FieldError) as caught:
        encoded(resource, name, value, operation)
    with pytest.raises(FilterError) as refused:
        filtered(resource, name, value)

    assert said in str(caught.value)
    assert said in str(refused.value)
    assert caught.value.field == refused.value.field == name


@pytest.mark.parametrize("operation", BOTH)
@pytest.mark.parametrize(
    ("resource", "name", "value", "said"),
    [
        ("grant", "title", "", "it cannot be empty; the field needs one"),
        ("grant", "title", " \u2003", "it cannot be empty"),
        ("grant", "title", "x" * 251, "it has 251 characters, the server takes at most 250"),
        ("grant", "title", None, "it cannot be null; the field needs one"),
        ("request", "status", None, "it cannot be null; leave the field out"),
        ("request", "active", "", "give a date"),
        ("grant", "amount", "1.005", "at most 2 decimal places"),
        ("grant", "amount", "1.000", "at most 2 decimal places"),
        ("grant", "amount", 0.1 + 0.2, "at most 2 decimal places"),
        ("grant", "amount", 10**12, "at most 12 digits before the decimal point"),
        ("allocation", "requested", -1, "give an integer from 0"),
        ("allocation", "requested", 2**63, "give an integer up to 2147483647"),
        ("user", "username", "anna maria", "give letters, digits and @ . + - _ only"),
        ("user", "email", "anna", "give an e-mail address"),
        ("user", "email", "anna@uni", "give an e-mail address"),
        ("user", "email", "ä@b.example", "give an e-mail address"),
        ("user", "password", "x" * 129, "it has 129 characters"),
    ],
)
def test_a_value_the_table_knows_to_be_wrong_is_refused_before_it_is_sent(
    resource: str, name: str, value: object, said: str, operation: Literal["create", "update"]
) -> None:
    with pytest.raises(FieldError) as caught:
        encoded(resource, name, value, operation)

    assert said in str(caught.value)
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("resource", "name", "value", "sent"),
    [
        ("grant", "start_date", "2024-1-5", "2024-01-05"),
        ("grant", "start_date", "20240105", "2024-01-05"),
        ("grant", "start_date", "2024-W01-5", "2024-01-05"),
        ("grant", "start_date", "\uff12\uff10\uff12\uff14-01-05", "2024-01-05"),
        ("grant", "amount", " 100 ", " 100 "),
        ("grant", "amount", "1e2", "1e2"),
        ("grant", "amount", "1_00", "1_00"),
        ("grant", "amount", "-0", "-0"),
        ("grant", "amount", 999999999999.99, 999999999999.99),
        ("grant", "title", "x" * 250 + "  ", "x" * 250 + "  "),
        ("grant", "pi", "", ""),
        ("allocation", "requested", " 5.0 ", " 5.0 "),
        ("allocation", "requested", 2**31, 2**31),  # on SQLite
        ("allocation", "requested", 2**63 - 1, 2**63 - 1),
        ("grant", "team", " 01 ", 1),
        ("grant", "team", "\uff11", 1),
        ("cluster", "enabled", "Yes", True),
        ("cluster", "enabled", "off", False),
        ("cluster", "enabled", 1, True),
        ("user", "email", "", ""),
        ("user", "email", "a@localhost", "a@localhost"),
        ("user", "email", "a@ö.example", "a@ö.example"),
        ("user", "username", "ädmin@x\n", "ädmin@x\n"),
    ],
)
def test_values_the_server_accepts_are_accepted(resource: str, name: str, value: object, sent: object) -> None:
    assert encoded(resource, name, value, "update") == sent


@pytest.mark.parametrize(
    ("resource", "name", "value", "sent"),
    [
        *[("request", "expire__isnull", value, {"expire__isnull": "true"}) for value in ("true", "tRuE", "1", 1)],
        *[("request", "expire__isnull", value, {"expire__isnull": "false"}) for value in ("false", "FALSE", "0", 0)],
        *[("cluster", "enabled", value, {"enabled": "true"}) for value in ("true", "TRUE", "1", 1, 1.0)],
        *[("cluster", "enabled__in", value, {"enabled": "true"}) for value in (["1"], [1], ["True", True])],
        *[("cluster", "enabled__not_eq", value, {"enabled__not_eq": "false"}) for value in ("0", 0, "False")],
        *[
            ("request", "expire", value, {"expire": "2024-12-31"})
            for value in ("12/31/2024", "12/31/24", "Dec 31 2024", "Dec 31, 2024", "31 Dec 2024", "31 Dec, 2024",
                          "December 31 2024", "December 31, 2024", "31 December 2024", "31 December, 2024",
                          " 2024-12-31 ")
        ],
        ("request", "expire__in", ["31 Dec, 2024", "2024-1-5"], {"expire__in": "2024-12-31,2024-01-05"}),
        *[("grant", "amount", value, {"amount": "100"}) for value in (" 100 ", "+100", "1_00", "1E+2")],
        *[("grant", "id", value, {"id": "1"}) for value in (" 1 ", "1.0", "1e0", "+1", "01", "\uff11")],
        *[("grant", "team", value, {"team": "1"}) for value in (" 1 ", "+1", "01", "\uff11")],
        *[
            ("request", "submitted__gte", value, {"submitted__gte": "2024-01-01T10:00:00"})
            for value in ("2024-01-01 10:00", "2024-1-1 10:0", "2024-01-01T10", "20240101T100000", " 2024-1-1T10:00 ")
        ],
        ("request", "submitted__gte", "2024-1-1 10:00:00,5+02", {"submitted__gte": "2024-01-01T08:00:00.500000Z"}),
        ("request", "submitted__gte", "2024-01-01T10:00:00.1234567", {"submitted__gte": "2024-01-01T10:00:00.123456"}),
        ("audit_log", "action", "1", {"action": "1"}),
        ("grant", "title", 5, {"title": "5"}),
    ],
)  # fmt: skip
def test_every_filter_spelling_that_the_server_accepts_is_accepted(
    resource: str, name: str, value: object, sent: dict[str, str]
) -> None:
    assert filtered(resource, name, value) == sent


@pytest.mark.parametrize("value", ["yes", "on", "t", " true ", "1.0", "01", 2, None])
def test_a_spelling_that_the_server_ignores_is_refused_for_that_reason(value: object) -> None:
    with pytest.raises(FilterError, match=r"server ignores anything else|None can only") as caught:
        filtered("request", "expire__isnull", value)
    assert "True or False" in str(caught.value) or value is None


@pytest.mark.parametrize("operation", BOTH)
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_text_that_the_server_can_hold_only_once_is_refused(
    value: str, operation: Literal["create", "update"]
) -> None:
    """The server's own check lets a second one through, and its database then fails."""
    with pytest.raises(FieldError, match="only once, in one record; give None for null"):
        encoded("publication", "doi", value, operation)
    assert encoded("publication", "doi", None, operation) is None


@pytest.mark.parametrize("name", ["!!!", "名前", "_-_"])
def test_a_team_name_without_a_slug_is_refused_because_only_one_team_can_have_none(name: str) -> None:
    with pytest.raises(FieldError, match="letter from a to z or a digit"):
        encode_fields(RESOURCES["team"], {"name": name}, "create")
    for kept in ("Émile", "名前 2", "x"):
        assert encode_fields(RESOURCES["team"], {"name": kept}, "create") == {"name": kept}


def test_text_that_is_partly_a_reference_has_no_length_yet() -> None:
    text = "@ref{a1_1.name}" * 20
    assert encoded("grant", "title", text, "update") == text
