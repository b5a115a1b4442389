"""Refuses keys that rows give for records that are not there: the server would refuse them midway.

Names are looked up while rows are read. Keys are looked up at the end, once for each kind of record, and only those
that would be written: a plan with nothing to do asks for none.
"""

from collections import defaultdict
from collections.abc import Collection, Generator, Iterator
from itertools import chain
from typing import Any

from ._comparing import Comparing, Listing
from ._comparison import Change, items_of
from ._table import RESOURCES


def refuse_missing_keys(comparing: Comparing) -> Generator[Listing, list[Any], None]:
    """Refuse the changes that would write a link to a record that is not there, and those that need them."""
    links = {change: list(_new_links(change)) for change in comparing.changes}
    known: dict[str, Collection[int]] = {name: stored.by_pk for name, stored in comparing.stored.items()}
    asked: dict[str, set[int]] = defaultdict(set)
    for _, target, key in chain.from_iterable(links.values()):
        if target not in known:
            asked[target].add(key)
    for target, keys in asked.items():
        known[target] = {record["id"] for record in (yield Listing(target, {"id__in": sorted(keys)}))}
    why = "there is no {} with this key that this account can see; give another key, or a name"
    missing = {
        change: [(name, key, why.format(target)) for name, target, key in given if key not in known[target]]
        for change, given in links.items()
    }
    comparing.refuse({change: faults for change, faults in missing.items() if faults})


def _new_links(change: Change) -> Iterator[tuple[str, str, int]]:
    """Yield the keys that a change would write and that are not stored there: field, kind of record, key."""
    for name, value in change.new.items():
        target, stored = RESOURCES[change.resource].fields[name].target, change.old.get(name)
        for key in items_of(value) if target in RESOURCES else ():
            if isinstance(key, int) and key not in items_of(stored):
                yield name, target, key
