"""``ensure_x`` for every kind of record that has a natural key, whose values are compared as the server does."""

from typing import Any

import pytest
from keystone_client import Ensured
from keystone_client_core import RESOURCES

from .samples import CHANGES, FIELDS

ENSURED = [name for name, resource in RESOURCES.items() if resource.natural_key and name in FIELDS]


def fields_of(bench: Any, resource: str) -> dict[str, Any]:
    """Return the fields of a new record, its natural key included."""
    return {**({"doi": f"10.1/{bench.name()}"} if resource == "publication" else {}), **FIELDS[resource](bench)}


@pytest.mark.parametrize("resource", ENSURED)
def test_a_record_is_created_once_then_found_then_changed(bench: Any, resource: str) -> None:
    ensure, fields = getattr(bench.client, f"ensure_{resource}"), fields_of(bench, resource)

    created: Ensured[Any] = ensure(**fields)
    bench.made(resource, created.record)
    found = ensure(**fields)
    changed = ensure(**{**fields, **CHANGES[resource]})

    assert [each.how for each in (created, found, changed)] == ["created", "as wanted", "changed"]
    assert {each.record["id"] for each in (created, found, changed)} == {created.record["id"]}
    stored = getattr(bench.client, f"retrieve_{resource}")(created.record["id"])
    assert {name: stored[name] for name in CHANGES[resource]} == CHANGES[resource]


@pytest.mark.parametrize("resource", ["user", "team", "cluster", "publication"])
def test_blanks_at_the_ends_of_a_name_make_no_second_record(bench: Any, resource: str) -> None:
    """The server cuts them off before it stores a name."""
    fields = fields_of(bench, resource)
    (key,) = RESOURCES[resource].natural_key
    bench.make(resource, **fields)

    again = getattr(bench.client, f"ensure_{resource}")(**{**fields, key: f" {fields[key]} "})

    assert again.how == "as wanted"
