"""Make sure that a record is stored as wanted: create it, change it, or leave it."""

from collections.abc import Mapping
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar

from keystone_client_core import (
    RESOURCES,
    FieldError,
    FilterError,
    RecordCheck,
    Resource,
    changed_fields,
    comparable,
    differs,
    guard_filters,
    lookalikes,
    name_form,
)

from .._errors import ChangedError, ValidationError
from .._flow import Flow
from .._listing import plan as listing
from .._listing.query import Query
from .._protocol.call import Call
from .records import create, update

T_co = TypeVar("T_co", covariant=True)
_ROUNDS: Final = 3
_LONGEST_SEARCH: Final = 80
"""Characters of a name that is searched for: what begins differently is no twin, and URLs may not be long."""


class Ensured(NamedTuple, Generic[T_co]):
    """The result of ``ensure_x``."""

    record: T_co
    """The record as it is stored now."""
    how: Literal["created", "changed", "as wanted"]
    """What was done."""


def ensure(call: Call, name: str, fields: Mapping[str, object]) -> Flow[Ensured[Any]]:
    """Create a record, or change the fields that differ; where another writer was faster, look again."""
    resource = RESOURCES[name]
    sent = _checked(resource, fields)
    lost: Exception | None = None
    for _ in range(_ROUNDS):
        alike = yield from _alike(call, resource, sent)
        record = next((each for each in alike if not _differing_key(resource, each, sent)), None)
        try:
            if record is None:
                if lost is not None and isinstance(lost, ValidationError):
                    break  # no other record has this key: the server refuses something else
                yield from _refuse_twin(call, resource, sent, alike)
                return Ensured((yield from create(call, name, sent)), "created")
            new = changed_fields(resource, record, sent)
            if not new:
                return Ensured(record, "as wanted")
            expect = guard_filters(resource, record, list(new)) or None
            return Ensured((yield from update(call, name, record["id"], new, expect)), "changed")
        except (ValidationError, ChangedError) as error:
            if record is not None and isinstance(error, ValidationError):
                raise
            lost = error
    assert lost is not None
    raise lost


def _checked(resource: Resource, fields: Mapping[str, object]) -> dict[str, Any]:
    check = RecordCheck(resource, "create")
    check.read(fields)
    wrong_names = {name for name, _, _ in check.found}
    empty = [name for name in resource.natural_key if not check.sent.get(name) and name not in wrong_names]
    wrong = [*check.found, *((name, None, "it is missing, and it tells the records apart") for name in empty)]
    if wrong:
        text = "; ".join(f"{name}: {reason}" for name, _, reason in wrong)
        raise FieldError(f"ensure_{resource.name}: {text}", field=wrong[0][0])
    return check.sent


def _alike(call: Call, resource: Resource, sent: Mapping[str, Any]) -> Flow[list[dict[str, Any]]]:
    """Return the stored record with the same natural key, if there is one, among others."""
    key, fields = resource.natural_key, resource.fields
    filters = {name: comparable(fields[name], sent[name]) for name in key if fields[name].filter_kind}
    if _may_have_twins(resource) and len(names := lookalikes(filters[key[0]])) > 1:
        filters = {f"{key[0]}__in": names}
    return (yield from listing.collected(listing.plan(call, resource.name, Query(filters=filters or None))))


def _differing_key(resource: Resource, record: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    return any(differs(resource.fields[name], record[name], sent[name]) for name in resource.natural_key)


def _may_have_twins(resource: Resource) -> bool:
    """Check whether the server takes names that differ only in looks; where names have slugs, it does not."""
    return resource.natural_key[0] in resource.search and not resource.makes_slugs


def _refuse_twin(call: Call, resource: Resource, sent: Mapping[str, Any], alike: list[dict[str, Any]]) -> Flow[None]:
    """Refuse a new name that people would take for a stored one."""
    if not _may_have_twins(resource):
        return
    key = resource.natural_key[0]
    name = str(sent[key]).strip()
    form = name_form(resource, name)
    found = yield from _searched(call, resource, form[:_LONGEST_SEARCH])
    for record in [*alike, *found]:
        if record[key] != name and name_form(resource, str(record[key])) == form:
            why = f"{name!r}: there is {record[key]!r}, which differs only in looks"
            raise FieldError(f"ensure_{resource.name}: {key} {why}", field=key)


def _searched(call: Call, resource: Resource, text: str) -> Flow[list[dict[str, Any]]]:
    """Return the records that a search finds; none for a text without words, such as a comma."""
    try:
        plan = listing.plan(call, resource.name, Query(search=text))
    except FilterError:
        return []
    return (yield from listing.collected(plan))
