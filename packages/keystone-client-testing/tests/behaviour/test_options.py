"""OPTIONS: the name of an endpoint and the fields that the caller may send."""

from collections.abc import Callable

import pytest
from keystone_client_core import RESOURCES
from keystone_client_testing import FakeKeystone

from .conftest import Session


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("users/", "Api Root"),
        ("users/users/", "User List"),
        ("users/users/1/", "User Instance"),
        ("allocations/requests/99/", "Allocation Request Instance"),
        ("logs/feed/", "Feed"),
        ("stats/requests/", "Allocation Request Stats"),
        ("authentication/whoami/", "Who Am I"),
    ],
)
def test_every_endpoint_has_a_name_and_lists_its_media_types(admin: Session, path: str, name: str) -> None:
    body = admin("OPTIONS", path).json()
    assert (body["name"], body["renders"]) == (name, ["application/json"])
    assert body["parses"] == ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]


@pytest.mark.parametrize(("database", "largest"), [("postgresql", 2**31 - 1), ("sqlite", 2**63 - 1)])
def test_fields_are_described_with_their_limits(admin: Session, largest: int) -> None:
    fields = admin("OPTIONS", "allocations/allocations/").json()["actions"]["POST"]
    assert fields["requested"] == {
        "type": "integer", "required": True, "read_only": False, "label": "Requested",
        "min_value": 0, "max_value": largest,
    }  # fmt: skip
    assert fields["_cluster"]["children"]["name"]["max_length"] == 50
    assert fields["_history"]["child"]["children"]["changes"]["label"] == "Change message"
    roles = admin("OPTIONS", "users/memberships/").json()["actions"]["POST"]["role"]["choices"]
    assert roles[0] == {"value": "OW", "display_name": "Owner"}


@pytest.mark.parametrize("resource", [name for name, entry in RESOURCES.items() if "create" in entry.operations])
def test_every_field_of_a_record_is_described(admin: Session, resource: str) -> None:
    fields = admin("OPTIONS", f"{RESOURCES[resource].path}/").json()["actions"]["POST"]
    assert fields.keys() == {name for name, field in RESOURCES[resource].fields.items() if not field.hidden}


def test_what_a_caller_may_not_write_is_not_offered(
    fake: FakeKeystone, anonymous: Session, as_user: Callable[[str], Session]
) -> None:
    assert anonymous("OPTIONS", "users/users/").status_code == 401
    assert anonymous("OPTIONS", "authentication/login/").json()["actions"]["POST"].keys() == {"username", "password"}
    bob = as_user("bob")
    assert bob("OPTIONS", "logs/audit/").status_code == 403
    assert "actions" not in bob("OPTIONS", "users/users/1/").json()
    own = bob("OPTIONS", "users/users/2/").json()["actions"]["PUT"]
    assert (own["is_staff"]["read_only"], own["email"]["read_only"]) == (True, False)
    assert "actions" not in bob("OPTIONS", "users/users/99/").json()
