"""The state of one comparison: what is wanted, what is stored, and what was found so far."""

from collections.abc import Generator, Mapping, Sequence
from os import urandom
from typing import Any, NamedTuple

from ._checks import Fault
from ._comparison import Change, items_of
from ._errors import FieldError
from ._resources import Resource
from ._stored import NaturalKey, Record, Stored, name_of
from ._table import RESOURCES
from ._wanted import Wanted, depth


class Listing(NamedTuple):
    """Records that ``compare`` asks for."""

    resource: str
    filters: Mapping[str, object] | None = None


class Comparing:
    """The state of one comparison."""

    def __init__(self, wanted: Sequence[Wanted], held: Mapping[Any, str]) -> None:
        """Take what is wanted, one source for each resource, and why some records are not to be created now."""
        self.wanted = {each.resource.name: each for each in sorted(wanted, key=lambda each: depth(each.resource.name))}
        if len(self.wanted) < len(wanted):
            raise FieldError("give one Wanted for each resource: join the rows of several sources", field="wanted")
        self.held_back = held
        self.needed: dict[tuple[str, int], str] = {}
        """Why records must stay, by resource and key: they are protected, or rows want records that point at them."""
        self._may_go = min((depth(name) for name, each in self.wanted.items() if each.deletes), default=len(RESOURCES))
        """The depth from which on records may be deleted, or go along."""
        self.deleted: dict[tuple[str, int], Change] = {}
        """The deletes by what they take away, by resource and key."""
        self.stored: dict[str, Stored] = {}
        self._natural: dict[str, Stored] = {}
        self.changes: list[Change] = []
        self.created: dict[str, Change] = {}
        """The creates by their tokens."""
        self.aliases: set[str] = set()
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.as_wanted = 0
        self.named_keys: dict[str, set[NaturalKey]] = {}
        """The natural keys that rows name, by resource, those of refused rows included."""
        self.refused: dict[str, set[str]] = {}
        """The names in rows whose natural key cannot be read, by resource."""
        self.resolved_names: dict[tuple[str, str], Any] = {}
        """What names have been resolved to, by resource and name: many rows have the same."""
        self.hints = 0
        """How many names stood for no record."""
        self.claims: dict[tuple[str, str], NaturalKey | None] = {}
        """The keys of the rows that give a name, by resource and name, where rows are matched by another key."""
        self.calls: dict[tuple[str, NaturalKey], str] = {}
        """The same names, by resource and key."""
        self._nonce = urandom(4).hex()  # so that no text from elsewhere can be a token of this plan

    def next_alias(self) -> str:
        """Return the alias of the next create."""
        return f"c{self._nonce}_{len(self.created) + 1}"

    def fault(self, wanted: Wanted, label: Any, field: str, value: Any, reason: str) -> None:
        """Note what is refused."""
        self.faults.append(Fault(label, field, value, reason, wanted.resource.name))

    def refuse(self, refused: Mapping[Change, Sequence[tuple[str, Any, str]]]) -> None:
        """Take back changes, each with its faults (field, value and reason), and those that need them."""
        for change, faults in refused.items():
            for found in faults:
                self.fault(self.wanted[change.resource], change.label, *found)
        self.changes = [each for each in self.changes if each not in refused]
        needing = {change: [each for each in change.needs if each in refused] for change in self.changes}
        if any(needing.values()):
            self.refuse({change: [_refused_need(change, needs[0])] for change, needs in needing.items() if needs})

    def note_links(self, wanted: Wanted, record: Record, sent: Mapping[str, Any]) -> None:
        """Note at which records a wanted record points, as far as those could go."""
        for field, value in sent.items():
            target = wanted.resource.fields[field].target
            if target in RESOURCES and depth(target) >= self._may_go:
                name = ", ".join(name_of(wanted.resource, wanted.key, record))
                why = f"the {wanted.resource.name} {name}, which rows want, points at it"
                self.needed |= {(target, each): why for each in items_of(value)}

    def why_kept(self, resource: str, pk: int) -> str:
        """Return why a record may not be deleted; empty if it may."""
        record = self.stored[resource].by_pk.get(pk) if resource in self.named_keys else None
        if record is not None and self.stored[resource].form(record) in self.named_keys[resource]:
            return "rows want it"
        return self.needed.get((resource, pk), "")

    def note_name(self, wanted: Wanted, key: NaturalKey | None, sent: Mapping[str, Any]) -> None:
        """Note the name that a row gives to its record, where rows are matched by another key."""
        if isinstance(name := sent.get(next(iter(wanted.resource.natural_key), "")), str):
            self.claims[wanted.resource.name, name.strip()] = key
            if key is not None:
                self.calls[wanted.resource.name, key] = name.strip()

    def by_name(self, resource: Resource) -> Stored:
        """Return the stored records by their natural key, by whatever key the rows are matched."""
        stored = self.stored[resource.name]
        if stored.key == resource.natural_key or not resource.natural_key:
            return stored
        if resource.name not in self._natural:
            self._natural[resource.name] = Stored(resource, resource.natural_key, stored.records)
        return self._natural[resource.name]

    def listed(self, name: str) -> Generator[Listing, list[Any], Stored]:
        """Return the stored records of a resource, which are asked for once."""
        if name not in self.stored:
            key = self.wanted[name].key if name in self.wanted else RESOURCES[name].natural_key
            self.stored[name] = Stored(RESOURCES[name], key, (yield Listing(name)))
        return self.stored[name]


def _refused_need(change: Change, need: Change) -> tuple[str, Any, str]:
    field = next(name for name, value in change.new.items() if need.token in items_of(value))
    return field, change.fields()[field], f"the row of this {need.resource} is refused"
