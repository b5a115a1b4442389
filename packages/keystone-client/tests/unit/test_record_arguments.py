"""Arguments of the methods for records that are refused before anything is sent."""

import pytest
from keystone_client import FieldError

from .scripted import Scripted, connect


def test_a_notification_can_only_be_marked_as_read(colour: str) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="subject"):
        connect(colour, wire).update_notification(1, {"subject": "x"})
    assert wire.requests == []


def test_a_key_and_list_arguments_cannot_be_combined(colour: str) -> None:
    wire = Scripted()
    with pytest.raises(ValueError, match="pk"):
        connect(colour, wire).retrieve_user(1, filters={"id": 1})
    with pytest.raises(ValueError, match="whole table"):
        connect(colour, wire).retrieve_user(None)
    assert wire.requests == []


@pytest.mark.parametrize("other", ["PHYSICS LAB", " physics lab!", "physics - lab"])
def test_teams_whose_names_have_one_slug_collide(colour: str, other: str) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="the slug"):
        connect(colour, wire).bulk_create_team([{"name": "physics lab"}, {"name": other}], dry_run=True)
    assert wire.requests == []


@pytest.mark.parametrize("keys", [[7, None], [7, "x"], [7, 0], "7", {"id": 7}, None])
def test_keys_are_checked_before_anything_is_sent(colour: str, keys: object) -> None:
    wire = Scripted()
    with pytest.raises(FieldError):
        connect(colour, wire).bulk_delete_cluster(keys)
    assert wire.requests == []


def test_changes_are_given_by_key_and_each_key_once(colour: str) -> None:
    wire = Scripted()
    with pytest.raises(FieldError, match="twice"):
        connect(colour, wire).bulk_update_cluster({7: {"enabled": True}, "7": {"enabled": False}})
    with pytest.raises(FieldError, match="mapping"):
        connect(colour, wire).bulk_update_cluster([7])
    assert wire.requests == []
