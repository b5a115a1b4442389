"""Bulk operations: many records in atomic chunks; after a failure the error reports the state of every record."""

import pickle
from typing import Any

import pytest
from keystone_client import BulkError, FieldError, JobError, ReferenceTokenError

from .samples import CHANGES, FIELDS, me

NO_SUCH_KEY = 2**62


@pytest.fixture
def prefix(bench: Any) -> Any:
    """Return a unique prefix for cluster names; clusters with it are deleted after the test."""
    name = bench.name()
    yield name
    bench.client.bulk_delete_cluster(
        row["id"] for row in bench.client.retrieve_cluster(filters={"name__startswith": name})
    )


def rows(prefix: str, number: int) -> list[dict[str, Any]]:
    return [{"name": f"{prefix}-{place}", "enabled": place % 2 == 0} for place in range(number)]


@pytest.mark.parametrize("resource", [name for name in FIELDS if name != "attachment"])  # files go one by one
def test_the_bulk_methods_of_each_resource_write_its_records(bench: Any, resource: str) -> None:
    verbs = ("retrieve", "check", "bulk_create", "bulk_update", "bulk_delete")
    call = {verb: getattr(bench.client, f"{verb}_{resource}") for verb in verbs}
    fields, change = FIELDS[resource](bench), CHANGES[resource]

    assert call["check"]([fields]) == []
    [made] = call["bulk_create"]([fields])
    pk = bench.made(resource, made)["id"]
    [changed] = call["bulk_update"]({pk: change})

    shown = {name: value for name, value in fields.items() if name != "password"}
    assert {name: made[name] for name in shown} == shown
    assert {name: changed[name] for name in change} == change
    call["bulk_delete"]([pk])
    assert call["retrieve"](pk) is None


def test_records_are_created_in_order(bench: Any, prefix: str) -> None:
    seen: list[tuple[int, int]] = []
    given = rows(prefix, 7)

    made = bench.client.bulk_create_cluster(iter(given), chunk_size=3, on_progress=lambda *so_far: seen.append(so_far))

    assert [(record["name"], record["enabled"]) for record in made] == [(row["name"], row["enabled"]) for row in given]
    assert seen == [(3, 7), (6, 7), (7, 7)]
    assert bench.client.retrieve_cluster(filters={"name__startswith": prefix}) == made


def test_records_are_updated_in_order_and_deleted(bench: Any, prefix: str) -> None:
    made = bench.client.bulk_create_cluster(rows(prefix, 5))
    changes = {record["id"]: {"description": f"the {record['name']}"} for record in reversed(made)}

    changed = bench.client.bulk_update_cluster(changes, chunk_size=2)
    bench.client.bulk_delete_cluster([record["id"] for record in made], chunk_size=2)

    assert [record["id"] for record in changed] == list(changes)
    assert [record["description"] for record in changed] == [data["description"] for data in changes.values()]
    assert bench.client.count_cluster(filters={"name__startswith": prefix}) == 0


def test_a_conflict_stops_the_operation_and_every_record_is_accounted_for(bench: Any, prefix: str) -> None:
    given = rows(prefix, 25)
    bench.client.create_cluster(name=f"{prefix}-there")
    given[18]["name"] = f"{prefix}-there"

    with pytest.raises(BulkError) as caught:
        bench.client.bulk_create_cluster(given, chunk_size=5)

    error = caught.value
    assert [record["name"] for record in error.completed] == [row["name"] for row in given[:15]]
    assert error.failed == given[15:20]
    assert error.pending == given[20:]
    assert error.unknown == []
    assert error.position == 18
    assert isinstance(error.__cause__, JobError)
    assert "already exists" in str(error)
    assert "correct that record and go on with those that failed and are pending" in str(error)
    assert pickle.loads(pickle.dumps(error)).failed == error.failed


def test_resuming_after_fixing_the_record_creates_no_duplicates(bench: Any, prefix: str) -> None:
    given = rows(prefix, 10)
    bench.client.create_cluster(name=f"{prefix}-there")
    given[7]["name"] = f"{prefix}-there"
    with pytest.raises(BulkError) as caught:
        bench.client.bulk_create_cluster(given, chunk_size=4)
    error = caught.value

    given[7]["name"] = f"{prefix}-7"
    bench.client.bulk_create_cluster(error.failed + error.pending, chunk_size=4)

    names = [record["name"] for record in bench.client.retrieve_cluster(filters={"name__startswith": prefix})]
    assert sorted(names) == sorted([f"{prefix}-there", *(f"{prefix}-{place}" for place in range(10))])


def test_a_dry_run_finds_what_the_server_would_refuse_and_writes_nothing(bench: Any, prefix: str) -> None:
    tried = bench.client.bulk_create_cluster(rows(prefix, 4), chunk_size=3, dry_run=True)
    given = rows(prefix, 6)
    bench.client.create_cluster(name=f"{prefix}-there")
    given[5]["name"] = f"{prefix}-there"
    with pytest.raises(BulkError) as caught:
        bench.client.bulk_create_cluster(given, chunk_size=3, dry_run=True)

    assert [record["name"] for record in tried] == [row["name"] for row in given[:4]]
    assert caught.value.completed == []
    assert caught.value.pending == given[:3]
    assert caught.value.failed == given[3:]
    assert bench.client.count_cluster(filters={"name__startswith": prefix}) == 1


def test_duplicates_across_chunks_are_found_before_anything_is_sent(bench: Any, prefix: str) -> None:
    given = rows(prefix, 12)
    given[10] = dict(given[2])

    for dry_run in (True, False):
        with pytest.raises(FieldError, match=r"record 10, counted from 0: name=.*record 2 has the same") as caught:
            bench.client.bulk_create_cluster(given, chunk_size=5, dry_run=dry_run)
        assert caught.value.position == 10
    assert bench.client.count_cluster(filters={"name__startswith": prefix}) == 0


def test_a_typo_late_in_the_list_is_found_before_anything_is_sent(bench: Any, prefix: str) -> None:
    refused: list[tuple[Any, type[FieldError] | type[ReferenceTokenError]]] = [
        ({"nmae": "x"}, FieldError),
        ({"name": "x", "enabled": "maybe"}, FieldError),
        ({"name": "@ref{a.b}"}, ReferenceTokenError),
        ("x", FieldError),
    ]
    for wrong, error in refused:
        with pytest.raises(error, match="record 4, counted from 0") as caught:
            bench.client.bulk_create_cluster([*rows(prefix, 4), wrong], chunk_size=2)
        assert vars(caught.value)["position"] == 4
    assert bench.client.count_cluster(filters={"name__startswith": prefix}) == 0


def test_missing_keys_do_not_fail_a_delete_unless_asked(bench: Any, prefix: str) -> None:
    keys = [record["id"] for record in bench.client.bulk_create_cluster(rows(prefix, 8))]
    bench.client.delete_cluster(keys[1])
    bench.client.delete_cluster(keys[6])

    with pytest.raises(BulkError) as caught:
        bench.client.bulk_delete_cluster(keys, chunk_size=4, raise_not_exists=True)
    still = bench.client.count_cluster(filters={"name__startswith": prefix})
    bench.client.bulk_delete_cluster([*keys, NO_SUCH_KEY, keys[0]], chunk_size=4)

    assert caught.value.failed == keys[:4]
    assert caught.value.pending == keys[4:]
    assert still == 6
    assert bench.client.count_cluster(filters={"name__startswith": prefix}) == 0


def test_a_record_that_crashes_the_server_is_isolated_but_not_reported_as_rejected(bench: Any) -> None:
    made = [bench.make("user", username=bench.name(), password="a long enough secret")["id"] for _ in range(6)]
    keys = [*made[:4], me(bench), *made[4:]]  # the server answers 500 when users delete their own account

    with pytest.raises(BulkError) as caught:
        bench.client.bulk_delete_user(keys)

    error = caught.value
    assert error.failed == [keys[4]]
    assert error.position is None  # a 500 does not say which record is at fault
    assert error.completed == keys[:4]
    assert error.pending == keys[5:]
    assert bench.client.count_user(filters={"id__in": keys}) == 3


def test_nothing_is_done_for_no_records(bench: Any) -> None:
    seen: list[Any] = []

    assert bench.client.bulk_create_cluster([], on_progress=lambda *so_far: seen.append(so_far)) == []
    assert bench.client.bulk_update_cluster({}) == []
    assert bench.client.bulk_delete_cluster(iter(())) is None
    assert seen == []


def test_a_missing_record_fails_an_update(bench: Any, prefix: str) -> None:
    pk = bench.client.bulk_create_cluster(rows(prefix, 1))[0]["id"]
    changes = {pk: {"enabled": False}, NO_SUCH_KEY: {"enabled": False}}

    with pytest.raises(BulkError) as caught:
        bench.client.bulk_update_cluster(changes)

    assert caught.value.failed == list(changes.items())
    assert caught.value.position == 1
    assert bench.client.retrieve_cluster(pk)["enabled"] is True
