"""Fields of forms, which have no null, no false and no lists of their own: what the server makes of the texts."""

from typing import Any

import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session


def test_a_field_that_occurs_several_times_is_a_list(fake: FakeKeystone, admin: Session) -> None:
    teams = [fake.add.team(name=name)["id"] for name in ("Physics", "Biology")]
    made = admin("POST", "allocations/clusters/", data={"name": "Andromeda", "access_teams": teams}).json()
    assert sorted(made["access_teams"]) == teams


@pytest.mark.parametrize(("text", "stored"), [("[1, 2]", [1, 2]), ('{"a": null}', {"a": None})])
def test_the_text_of_a_json_field_is_read(fake: FakeKeystone, admin: Session, text: str, stored: Any) -> None:
    made = admin("POST", "notifications/preferences/", data={"user": 1, "request_expiry_thresholds": text})
    assert made.json()["request_expiry_thresholds"] == stored


def test_a_text_that_is_no_json_is_refused(admin: Session) -> None:
    answer = admin("POST", "notifications/preferences/", data={"user": 1, "request_expiry_thresholds": "[1"})
    assert (answer.status_code, answer.json()) == (400, {"request_expiry_thresholds": ["Value must be valid JSON."]})


def test_empty_texts_of_required_fields_are_refused_in_the_words_of_each_field(
    fake: FakeKeystone, admin: Session
) -> None:
    form = {"title": "", "team": fake.add.team()["id"], "amount": "", "start_date": ""}
    assert admin("POST", "research/grants/", data=form).json() == {
        "title": ["This field may not be blank."],
        "agency": ["This field is required."],
        "amount": ["A valid number is required."],
        "start_date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
    }


def test_empty_texts_of_other_fields_are_null_or_empty_as_the_column_has_it(fake: FakeKeystone, admin: Session) -> None:
    form = {"title": "P", "team": fake.add.team()["id"], "submitted": "", "journal": ""}
    made = admin("POST", "research/publications/", data=form).json()
    assert (made["submitted"], made["journal"]) == (None, "")
