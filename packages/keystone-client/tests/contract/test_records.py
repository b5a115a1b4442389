"""Create, retrieve, update and delete, for every resource that has them."""

from typing import Any

import pytest
from keystone_client import FieldError, NotFoundError, PermissionDeniedError, ValidationError
from keystone_client_core import RESOURCES

from .samples import CHANGES, FIELDS, request, team

CREATABLE = [name for name, resource in RESOURCES.items() if "create" in resource.operations]
NO_SUCH_KEY = 2**62


@pytest.mark.parametrize("resource", CREATABLE)
def test_create_retrieve_update_and_delete(bench: Any, resource: Any) -> None:
    call = {verb: getattr(bench.client, f"{verb}_{resource}") for verb in ("retrieve", "update", "delete", "count")}

    created = bench.make(resource, **FIELDS[resource](bench))
    pk = created["id"]
    fetched = call["retrieve"](pk)
    updated = call["update"](pk, CHANGES[resource])
    listed = call["retrieve"](filters={"id": pk})
    counted = call["count"](filters={"id": pk})
    call["delete"](pk)

    assert fetched["id"] == pk
    assert set(RESOURCES[resource].fields) - {"password"} <= {*created, *hidden(resource)}
    assert {name: updated[name] for name in CHANGES[resource]} == CHANGES[resource]
    assert [record["id"] for record in listed] == [pk]
    assert counted == 1
    assert call["retrieve"](pk) is None
    assert call["retrieve"](filters={"id": pk}) == []


def hidden(resource: str) -> set[str]:
    return {name for name, field in RESOURCES[resource].fields.items() if field.hidden}


@pytest.mark.parametrize("resource", [name for name, r in RESOURCES.items() if "retrieve" in r.operations])
def test_a_missing_record_is_none_or_raises_if_asked(bench: Any, resource: Any) -> None:
    retrieve = getattr(bench.client, f"retrieve_{resource}")

    assert retrieve(NO_SUCH_KEY) is None
    with pytest.raises(NotFoundError, match=f"No {RESOURCES[resource].model} matches"):
        retrieve(NO_SUCH_KEY, raise_not_exists=True)


def test_deleting_a_missing_record_is_silent_unless_asked(bench: Any) -> None:
    pk = bench.make("team", name=bench.name())["id"]
    bench.client.delete_team(pk)

    bench.client.delete_team(str(pk))
    with pytest.raises(NotFoundError, match="No Team matches"):
        bench.client.delete_team(pk, raise_not_exists=True)


def test_updating_a_missing_record_raises(bench: Any) -> None:
    with pytest.raises(NotFoundError):
        bench.client.update_team(NO_SUCH_KEY, {"is_active": True})


def test_validation_errors_are_reported_by_field(bench: Any) -> None:
    name = bench.name()
    bench.make("cluster", name=name)

    with pytest.raises(ValidationError) as taken:
        bench.client.create_cluster(name=name, access_teams=[NO_SUCH_KEY])

    assert taken.value.field_errors == {
        "name": ["cluster with this name already exists."],
        "access_teams": [f'Invalid pk "{NO_SUCH_KEY}" - object does not exist.'],
    }
    assert str(taken.value).startswith("400 Bad Request: POST /allocations/clusters/")
    assert taken.value.cid == bench.client.cid


def test_a_reference_to_a_missing_record_is_a_validation_error(bench: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        bench.client.create_publication(title=bench.name(), team=NO_SUCH_KEY)

    assert caught.value.field_errors == {"team": [f'Invalid pk "{NO_SUCH_KEY}" - object does not exist.']}


def test_fields_the_server_would_drop_are_refused_before_sending(bench: Any) -> None:
    before = bench.client.count_team()

    with pytest.raises(FieldError, match="nmae"):
        bench.client.create_team(nmae="x")
    with pytest.raises(FieldError, match="slug"):
        bench.client.create_team(name=bench.name(), slug="x")
    with pytest.raises(FieldError, match="name"):
        bench.client.update_team(team(bench), {"name": "another"})

    assert bench.client.count_team() == before + 1  # the record created for the update


def test_python_values_are_stored_as_the_server_represents_them(bench: Any) -> None:
    from datetime import date
    from decimal import Decimal

    from keystone_client import AccessMode

    grant = bench.make(
        "grant",
        title=bench.name(),
        team=team(bench),
        agency="NSF",
        amount=Decimal("1234.50"),
        start_date=date(2026, 2, 28),
    )
    cluster = bench.make("cluster", name=bench.name(), access_mode=AccessMode.WHITELIST, access_teams={team(bench)})

    assert (grant["amount"], grant["start_date"]) == ("1234.50", "2026-02-28")
    assert (cluster["access_mode"], cluster["access_teams"]) == ("WL", [team(bench)])


def test_unicode_text_arrives_unchanged(bench: Any) -> None:
    description = 'Größe ≥ 10 µm, 日本語, 🚀, "quoted", back\\slash, new\nline'

    record = bench.make("cluster", name=bench.name(), description=description)

    assert record["description"] == description
    assert bench.client.retrieve_cluster(record["id"])["description"] == description


def test_staff_only_fields_are_not_dropped_silently(bench: Any) -> None:
    user = bench.make("user", username=bench.name(), password="a long enough secret")
    client = bench.connect()
    client.login(user["username"], "a long enough secret")

    with pytest.raises(FieldError, match="is_staff") as caught:
        client.update_user(user["id"], {"first_name": "Eve", "is_staff": True})

    assert caught.value.record is not None
    assert caught.value.record["first_name"] == "Eve"
    assert caught.value.record["is_staff"] is False


def test_a_forbidden_action_is_a_permission_error(bench: Any) -> None:
    user = bench.make("user", username=bench.name(), password="a long enough secret")
    client = bench.connect()
    client.login(user["username"], "a long enough secret")

    with pytest.raises(PermissionDeniedError, match="You do not have permission"):
        client.create_cluster(name=bench.name())


def test_the_name_of_an_attachment_has_at_most_250_characters(bench: Any) -> None:
    wanted = request(bench)

    longest = bench.make("attachment", request=wanted, file=b"x", filename=f"{'n' * 246}.txt")
    assert len(longest["name"]) == 250
    with pytest.raises(FieldError, match="250") as caught:
        bench.client.create_attachment(request=wanted, file=b"x", filename="a.txt", name="n" * 251)
    assert caught.value.field == "name"
    with pytest.raises(FieldError, match="shorter name=") as caught:  # the server names the record after the file
        bench.client.create_attachment(request=wanted, file=b"x", filename=f"{'n' * 247}.txt")
    assert caught.value.field == "filename"
    with pytest.raises(FieldError, match="250"):
        bench.client.update_attachment(longest["id"], {"name": "n" * 251})
    with pytest.raises(FieldError, match="250"), bench.client.batch() as job:
        job.create_attachment(request=wanted, file=b"x", filename=f"{'n' * 247}.txt")

    assert bench.client.count_attachment(filters={"request": wanted}) == 1
