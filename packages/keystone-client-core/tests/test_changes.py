"""Read, change, write: only what was changed is written."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from keystone_client_core import RESOURCES, FieldError, RequestStatus, changes, encode_fields

BEFORE: dict[str, Any] = {
    "id": 7,
    "title": "Dark matter",
    "status": "PD",
    "active": "2026-01-01",
    "amount": "5.00",
    "enabled": True,
    "users": [1, 2],
    "_team": {"id": 3, "name": "Physics"},
}


def test_only_the_fields_that_differ_are_there() -> None:
    after = {**BEFORE, "title": "Dark energy", "users": [1, 2, 3]}

    assert changes(BEFORE, after) == {"title": "Dark energy", "users": [1, 2, 3]}


def test_a_record_that_was_not_changed_has_no_changes() -> None:
    assert changes(BEFORE, dict(BEFORE)) == {}


def test_the_same_value_in_another_form_is_no_change() -> None:
    after = {**BEFORE, "active": date(2026, 1, 1), "status": RequestStatus.PENDING, "amount": Decimal("5.00")}

    assert changes(BEFORE, after) == {}


@pytest.mark.parametrize("value", [False, None, 1, object()])
def test_a_value_of_another_kind_is_a_change(value: object) -> None:
    assert changes(BEFORE, {**BEFORE, "enabled": value}) == {"enabled": value}


def test_some_fields_are_compared_as_a_whole_record_is() -> None:
    assert changes(BEFORE, {"title": "Dark energy", "status": "PD"}) == {"title": "Dark energy"}


def test_an_unknown_field_is_a_change_that_the_update_then_checks() -> None:
    data = changes(BEFORE, {**BEFORE, "titel": "Dark energy"})

    with pytest.raises(FieldError, match="Did you mean 'title'"):
        encode_fields(RESOURCES["request"], data, "update")


@pytest.mark.parametrize(("before", "after"), [(None, BEFORE), (BEFORE, None), ([BEFORE], BEFORE)])
def test_anything_but_a_record_is_refused(before: Any, after: Any) -> None:
    with pytest.raises(FieldError, match="give a record"):
        changes(before, after)
