"""The result of comparing what is wanted with what is stored: the changes, the faults, and how both are shown.

No text, JSON or ``repr`` made here holds the value of a write-only field.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ._checks import Fault
from ._messages import brief
from ._table import RESOURCES

_MOST_ALIKE = 5
"""How many faults that say the same have lines of their own."""

Kind = Literal["create", "update", "delete"]


class Change(NamedTuple):
    """One change to one record."""

    kind: Kind
    resource: str
    """The kind of record, such as ``membership``."""
    name: str
    """The natural key of the record, as text: ``ada``, or ``physics, ada`` for a membership."""
    key: tuple[str, ...] = ()
    """The fields of its natural key, whose values are the name."""
    label: Any = None
    """The label of the row that asks for it, or its position; ``None`` if no row names the record."""
    pk: int | None = None
    """The primary key; ``None`` for a record that is to be created."""
    new: Mapping[str, Any] = {}
    """The fields to write. A record that is to be created stands in them as its ``token``."""
    old: Mapping[str, Any] = {}
    """The stored values of these fields."""
    seen: Mapping[str, Any] = {}
    """The stored values that must still be there when the change is carried out."""
    leaves: bool = False
    """Whether the record goes: no row names it."""
    along: Mapping[str, int] = {}
    """The number of records that a delete takes along, by resource."""
    needs: "tuple[Change, ...]" = ()
    """The changes that must come first."""
    words: Mapping[str, Any] = {}
    """The names that the row gives for records, by field, to be shown in place of their keys."""
    alias: str = ""
    """The name of a create in a batch job."""

    def __hash__(self) -> int:
        return hash((self.resource, self.pk, self.alias))

    @property
    def token(self) -> str:
        """The text that stands for the key of a record that is to be created."""
        return f"@ref{{{self.alias}.id}}"

    @property
    def team(self) -> "Change | None":
        """The new team that a new member belongs to: both are written together."""
        if self.kind != "create" or self.resource != "membership":
            return None
        return next((each for each in self.needs if each.resource == "team"), None)

    def fields(self) -> dict[str, Any]:
        """Return the fields to write, without secrets, and with names in place of keys where the row has names."""
        return {name: self.words.get(name, value) for name, value in self.new.items() if not self._is_secret(name)}

    def _is_secret(self, name: str) -> bool:
        return RESOURCES[self.resource].fields[name].write_only

    def __str__(self) -> str:
        return f"{self._sign()} {self.resource} {self.name}{''.join(f' {part}' for part in self._parts())}"

    def __repr__(self) -> str:
        return str(self)

    def _sign(self) -> str:
        return "-" if self.leaves else {"create": "+", "update": "~", "delete": "-"}[self.kind]

    def _parts(self) -> Iterator[str]:
        for name, value in self.fields().items():
            before = f"{brief(self.old[name])} -> " if self.kind == "update" else ""
            if self.kind == "update" or name not in self.key:
                yield f"{name}={before}{brief(value)}"
        yield from (name for name in self.new if self._is_secret(name))
        if self.along:
            yield f"(with {', '.join(f'{number} of {name}' for name, number in self.along.items())})"


def items_of(value: Any) -> list[Any]:
    """Return the items of a field that points at several records, or the one value of any other."""
    return value if isinstance(value, list) else [value]


class Comparison:
    """What differs between what is wanted and what is stored.

    Attributes:
        changes: All changes, in the order in which they are carried out.
        faults: All that is refused, with the label of the row; the other rows go on.
        notes: What a reader should know besides.
        as_wanted: The number of rows whose records are stored as wanted.
    """

    def __init__(
        self, changes: Iterable[Change], faults: Iterable[Fault], notes: Iterable[str], as_wanted: int
    ) -> None:
        self.changes, self.faults, self.notes, self.as_wanted = tuple(changes), tuple(faults), tuple(notes), as_wanted

    @property
    def create(self) -> list[Change]:
        """The records to create."""
        return [each for each in self.changes if each.kind == "create"]

    @property
    def update(self) -> list[Change]:
        """The records to change, with ``old`` and ``new`` values."""
        return [each for each in self.changes if each.kind == "update" and not each.leaves]

    @property
    def gone(self) -> list[Change]:
        """The records that go: those to delete, and those to change because no row names them."""
        return [each for each in self.changes if each.leaves]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def summary(self) -> str:
        """Return the numbers: ``3 to create, 2 to change, 1 to take out, 812 as wanted``."""
        along = sum(sum(each.along.values()) for each in self.changes)
        parts = [
            f"{len(self.create)} to create",
            f"{len(self.update)} to change",
            f"{len(self.gone)} to take out" + (f" with {along} others" if along else ""),
            f"{self.as_wanted} as wanted",
        ]
        return ", ".join([*parts, f"{len(self.faults)} refused"] if self.faults else parts)

    def __str__(self) -> str:
        return "\n".join(
            [*map(str, self.changes), *_told(self.faults), *(f"# {note}" for note in self.notes), self.summary()]
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.summary()}>"

    def to_json(self) -> str:
        """Return all of it as JSON, secrets left out."""
        changes = [
            {
                "kind": each.kind,
                "resource": each.resource,
                "name": each.name,
                "label": _shown(each.label),
                "pk": each.pk,
                "new": each.fields(),
                "old": dict(each.old),
                "leaves": each.leaves,
                "along": dict(each.along),
            }
            for each in self.changes
        ]
        faults = [{**each._asdict(), "label": _shown(each.label), "value": _shown(each.value)} for each in self.faults]
        content = {"changes": changes, "faults": faults, "notes": self.notes, "as_wanted": self.as_wanted}
        return json.dumps(content)


def _shown(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    return value if value is None or isinstance(value, str | int) else brief(value)


def _told(faults: Sequence[Fault]) -> Iterator[str]:
    """Yield a line for each fault, but only one for what is wrong with many rows alike, such as an unknown column."""
    alike = Counter((each.resource, each.field, each.reason) for each in faults)
    told: set[tuple[str, str, str]] = set()
    for each in faults:
        kind = each.resource, each.field, each.reason
        if kind not in told or alike[kind] <= _MOST_ALIKE:
            more = f" (and so in {alike[kind] - 1} more rows)" if alike[kind] > _MOST_ALIKE else ""
            yield f"! {each.resource} {_place(each)}{each.reason}{more}"
        told.add(kind)


def _place(fault: Fault) -> str:
    row = "" if fault.label is None else f"row {brief(fault.label)}, "
    field = fault.field if fault.field.isprintable() else repr(fault.field)[1:-1]
    return f"{row}{field}{'' if fault.value is None else f'={brief(fault.value)}'}: "
