"""Decides which records can be deleted, and what goes along with them: the table knows which keys protect a record."""

from collections import Counter, defaultdict
from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

from ._comparing import Comparing, Listing
from ._comparison import Change
from ._resources import Field, Resource
from ._stored import Record, guard_filters, name_of
from ._table import RESOURCES
from ._wanted import Wanted

_MOST_KEYS = 300
_LISTED = 5


class Link(NamedTuple):
    """A record that points at one that goes, or at one that goes along with it."""

    field: Field
    resource: str
    pk: int

    @property
    def place(self) -> tuple[str, int]:
        """The kind of the record, and its key."""
        return self.resource, self.pk


def deletes(
    comparing: Comparing, wanted: Wanted, records: Sequence[Record]
) -> Generator[Listing, list[Any], list[Change]]:
    """Return the deletes of records; what the server would refuse to delete is a fault.

    Args:
        comparing: The state of the comparison.
        wanted: The source that does not name the records.
        records: The records.
    """
    before = comparing.deleted
    links = yield from _links(wanted.resource, {record["id"]: record["id"] for record in records})
    found = []
    for record in records:
        pointing = links[record["id"]]
        needs = [before[each.place] for each in pointing if each.place in before]
        others = [each for each in pointing if each.place not in before]
        if why := _why_not(comparing, wanted, record, others):
            comparing.fault(wanted, None, *named_in(wanted, record), why)
            continue
        along, name = Counter(each.resource for each in others), named_in(wanted, record)[1]
        change = Change(
            "delete", wanted.resource.name, name, pk=record["id"], along=along, needs=tuple(needs), leaves=True
        )
        found.append(change._replace(seen=all_of(wanted, record)))
        for place in [(wanted.resource.name, record["id"]), *(each.place for each in others)]:
            before[place] = found[-1]
    return found


def named_in(wanted: Wanted, record: Record) -> tuple[str, str]:
    """Return the natural key of a stored record as a fault names it: fields and values."""
    return ", ".join(wanted.key), ", ".join(name_of(wanted.resource, wanted.key, record))


def all_of(wanted: Wanted, record: Record) -> dict[str, Any]:
    """Return all that a plan has seen of a record that goes, as filters."""
    fields = wanted.resource.fields.values()
    return guard_filters(
        wanted.resource, record, [each.name for each in fields if each.writable and each.name in record]
    )


def _why_not(comparing: Comparing, wanted: Wanted, record: Record, others: Sequence[Link]) -> str:
    """Return why a record cannot be deleted, or may not; empty if it goes, and others with it."""
    if protecting := [each for each in others if each.field.protects]:
        return _protects(protecting)
    along = [(each, comparing.why_kept(*each.place)) for each in others]
    reasons = [f"{each.resource} {each.pk} would go along, and {why}" for each, why in along if why]
    return comparing.why_kept(wanted.resource.name, record["id"]) or next(iter(reasons), "")


def _protects(protecting: Sequence[Link]) -> str:
    keys = ", ".join(str(each.pk) for each in protecting[:_LISTED]) + ", ..." * (len(protecting) > _LISTED)
    what = f"it is the {protecting[0].field.name} of {len(protecting)} {protecting[0].resource} records ({keys})"
    return f"{what}, and the server does not delete it"


def _links(resource: Resource, roots: Mapping[int, int]) -> Generator[Listing, list[Any], dict[int, list[Link]]]:
    """Return what points at records, and at what goes along with them, by the record that they go with.

    Args:
        resource: The kind of the records.
        roots: The record that each of them goes with, by key: itself, or the one it points at.
    """
    found: dict[int, list[Link]] = defaultdict(list)
    for other, field in _pointing_at(resource.name):
        below: dict[int, int] = {}
        keys = sorted(roots)
        size = _MOST_KEYS if field.filter_kind else len(keys)
        for start in range(0, len(keys), size or 1):
            filters = {f"{field.name}__in": keys[start : start + size]} if field.filter_kind else None
            records = yield Listing(other.name, filters)
            below |= {each["id"]: roots[each[field.name]] for each in records if each[field.name] in roots}
        for pk, root in below.items():
            found[root].append(Link(field, other.name, pk))
        if below and not field.protects:
            for root, more in (yield from _links(other, below)).items():
                found[root] += more
    return found


def _pointing_at(name: str) -> list[tuple[Resource, Field]]:
    """Return the resources and fields that point at a resource, and go along with its records or protect them."""
    return [
        (other, field)
        for other in RESOURCES.values()
        for field in other.fields.values()
        if field.kind == "key" and field.target == name and not field.nullable and not field.hidden
    ]
