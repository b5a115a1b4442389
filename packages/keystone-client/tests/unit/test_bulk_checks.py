"""All invalid records of a bulk operation are reported in one error, before anything is sent."""

import copy
import inspect
import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keystone_client import BulkError, Fault, FieldError, ReferenceTokenError
from keystone_client_core import CHOICES, RESOURCES, encode_fields
from keystone_client_testing import FakeKeystone

from .blocking import Blocking, client_of
from .scripted import Scripted, answer, connect

GRANT = {"title": "t", "agency": "NSF", "amount": "1.00", "start_date": "2026-01-01"}


class Caller(Blocking):
    """A client of a fake that has a team."""

    def __init__(self, colour: str) -> None:
        self.fake = FakeKeystone()
        self.team = self.fake.add.team(name="Physics")["id"]
        super().__init__(client_of(self.fake, colour).client)

    def jobs(self) -> list[Any]:
        return [entry for entry in self.fake.journal if entry.path == "/batch/"]


def test_a_check_is_synchronous_and_sends_nothing(colour: str) -> None:
    transport = Scripted()
    client = connect(colour, transport).client

    found = client.check_user({7: {"username": "a b"}})

    assert not inspect.isawaitable(found)
    assert found == [
        Fault(7, "username", "a b", "give letters, digits and @ . + - _ only"),
        Fault(7, "password", None, "it is missing"),
    ]
    assert transport.requests == []


def test_a_hundred_bad_dates_cost_no_request_and_one_error(colour: str) -> None:
    caller = Caller(colour)
    sheet = [{**GRANT, "team": caller.team} for _ in range(300)]
    for place in range(0, 300, 3):
        sheet[place]["start_date"] = f"{place % 28 + 1}.1.2026"

    with pytest.raises(FieldError, match="100 faults in 100 of 300 records, and nothing was sent") as caught:
        caller.bulk_create_grant(sheet)

    error = caught.value
    assert [fault.label for fault in error.faults] == list(range(0, 300, 3))
    assert list(error.faults) == caller.check_grant(sheet)
    assert (error.position, error.field, error.label) == (0, "start_date", None)
    assert "and 90 more, in .faults" in str(error)
    assert len(str(error)) < 3000
    assert caller.jobs() == []
    assert pickle.loads(pickle.dumps(error)).faults == copy.copy(error).faults == error.faults


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_duplicate_user_is_found_before_the_first_chunk(colour: str, dry_run: bool) -> None:
    caller = Caller(colour)
    people = [{"username": f"u{number}", "password": "a long secret"} for number in range(14)]
    people[12]["username"] = people[0]["username"]

    with pytest.raises(FieldError, match=r"record 12, counted from 0: username='u0': record 0 has the same") as caught:
        caller.bulk_create_user(people, dry_run=dry_run)

    assert caught.value.position == 12
    assert caller.jobs() == []


def test_conflicting_changes_are_found_before_the_first_chunk(colour: str) -> None:
    caller = Caller(colour)

    with pytest.raises(FieldError, match="record 6: name='x': record 5 has the same"):
        caller.bulk_update_cluster({5: {"name": "x"}, 6: {"name": "x"}})
    with pytest.raises(FieldError, match="user, team"):
        caller.bulk_update_membership({5: {"user": 1, "team": 1}, 6: {"user": 1, "team": 1}})
    with pytest.raises(FieldError, match="2 faults in 2 of 2"):
        caller.bulk_update_grant({"x": {"title": "t"}, 6: {"start_date": "soon"}})

    assert caller.jobs() == []


def test_labels_are_named_in_every_error(colour: str) -> None:
    caller = Caller(colour)
    caller.fake.add.cluster(name="taken")
    sheet = {f"row {number}": {"name": f"c{number}"} for number in range(5)}

    with pytest.raises(FieldError, match=r"^record 'row 9': nmae='x'") as unknown:
        caller.bulk_create_cluster({**sheet, "row 9": {"name": "n", "nmae": "x"}})
    with pytest.raises(ReferenceTokenError, match=r"^record 'row 9': ") as token:
        caller.bulk_create_cluster({**sheet, "row 9": {"name": "@ref{a.b}"}})
    with pytest.raises(BulkError, match="record 'row 3' is to blame") as refused:
        caller.bulk_create_cluster({**sheet, "row 3": {"name": "taken"}}, chunk_size=2)

    assert (unknown.value.label, unknown.value.position, unknown.value.matches) == ("row 9", 5, ("name",))
    assert (token.value.label, token.value.position) == ("row 9", 5)
    assert (refused.value.label, refused.value.position) == ("row 3", 3)
    assert refused.value.failed == [{"name": "c2"}, {"name": "taken"}]
    bulk_error = pickle.loads(pickle.dumps(refused.value))
    assert bulk_error.label == "row 3"
    assert bulk_error.labels == {"completed": ["row 0", "row 1"], "failed": ["row 2", "row 3"], "pending": ["row 4"]}


def test_labelled_records_are_created_in_order(colour: str) -> None:
    caller = Caller(colour)

    made = caller.bulk_create_cluster({9: {"name": "b"}, 3: {"name": "a"}})

    assert [record["name"] for record in made] == ["b", "a"]
    assert caller.bulk_create_cluster({}) == []


def test_a_dropped_field_names_the_label(colour: str) -> None:
    transport = Scripted(answer(200, {"results": [{"body": {"id": 7, "is_staff": False}}]}))
    person = {"username": "a", "password": "a long secret", "is_staff": True}

    with pytest.raises(FieldError, match="is_staff") as caught:
        connect(colour, transport).bulk_create_user({"line 2": person})

    assert (caught.value.position, caught.value.label) == (0, "line 2")


def test_a_single_record_instead_of_a_list_is_refused_with_a_hint(colour: str) -> None:
    with pytest.raises(FieldError, match="give several records"):
        Caller(colour).bulk_create_cluster({"name": "x"})


def test_an_error_with_values_that_cannot_be_pickled_is_pickled(colour: str) -> None:
    with pytest.raises(FieldError) as caught:
        Caller(colour).bulk_create_cluster({0: {"name": (letter for letter in "x")}})

    assert "generator" in pickle.loads(pickle.dumps(caught.value)).faults[0].value


def test_every_invalid_key_is_reported(colour: str) -> None:
    with pytest.raises(FieldError, match="2 faults in 2 of 4 records") as caught:
        Caller(colour).bulk_delete_cluster([1, "x", 2, 0])

    assert [fault.label for fault in caught.value.faults] == [1, 3]


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=2)
    | st.dates()
    | st.text(max_size=12)
    | st.sampled_from(["", " ", "2026-1-5", "OW", "AP", "1e3", "a@b.de", "x" * 101, "x" * 251, " 5 ", "5.0"])
)
COMPARED = {"text", "email", "choice", "int", "decimal", "bool", "date"}
FIELDS = [
    (resource.name, field.name)
    for resource in RESOURCES.values()
    for field in resource.fields.values()
    if "create" in resource.operations and resource.name != "attachment" and field.writable and field.kind in COMPARED
    if field.name != "password"  # only the server knows which are too weak
]


def records_of(fake: FakeKeystone) -> dict[str, dict[str, Any]]:
    """Return for each kind of record the fields that one needs."""
    team = fake.add.team()["id"]
    user = fake.add.user()["id"]
    request = fake.add.request(team=team)["id"]
    return {
        "allocation": {"cluster": fake.add.cluster()["id"], "request": request, "requested": 1},
        "cluster": {"name": "c"},
        "comment": {"content": "c", "request": request},
        "grant": {**GRANT, "team": team},
        "membership": {"team": team, "user": user, "role": "MB"},
        "preference": {"user": user},
        "publication": {"title": "t", "team": team},
        "request": {"title": "t", "description": "d", "team": team, "submitter": 1},
        "review": {"status": "AP", "request": request},
        "team": {"name": "t"},
        "user": {"username": "u", "password": "a long secret"},
    }


@pytest.mark.parametrize(("resource", "field"), FIELDS)
@settings(max_examples=15)
@given(data=st.data())
def test_a_check_finds_what_the_server_would_refuse_or_change(resource: str, field: str, data: Any) -> None:
    """The server is asked by ``http_post``: the methods for records make the same check before they send."""
    choices = CHOICES.get(RESOURCES[resource].fields[field].target, ())
    value = data.draw(st.sampled_from([*choices]) if choices else VALUES)
    fake = FakeKeystone(database="sqlite")
    record = {**records_of(fake)[resource], field: value}

    found = getattr(fake.client(), f"check_{resource}")([record])
    sent = (
        json.loads(json.dumps(record, default=str)) if found else encode_fields(RESOURCES[resource], record, "create")
    )
    reply = fake.client().http_post(RESOURCES[resource].path, json=sent)

    if not found:
        assert reply.status_code == 201, reply.text
    elif reply.status_code == 201 and reply.json()[field] == value:
        assert "only once" in found[0].reason


def test_a_bad_change_is_named_by_its_key(colour: str) -> None:
    caller = Caller(colour)

    with pytest.raises(FieldError, match=r"^record 7: enabled='perhaps'") as caught:
        caller.bulk_update_cluster({1: {"enabled": True}, 7: {"enabled": "perhaps"}})

    assert (caught.value.label, caught.value.position) == (7, 1)
    assert caller.jobs() == []
