"""What a source says should be stored: its rows, and what may be done to records that it does not name.

Arguments only, checked when a ``Wanted`` is made; ``_compare`` compares them with what is stored.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from ._checks import labelled
from ._errors import FieldError
from ._fields import encode_fields
from ._filters import encode_filters
from ._frames import forgetting_locals
from ._messages import brief, close_matches, suggestion
from ._resources import Field, Resource
from ._scalars import MissingError, builtin
from ._table import RESOURCES
from ._values import UnfitError, is_iterable

DELETE: Final = "delete"


class Wanted:
    """The records of one kind as a source wants them, for ``client.plan``.

    A row is a mapping from field to value. A field that it does not name, or whose cell is blank, is left as it is.
    Where a field points at another record, text is the name of that record and an integer its key.

    Args:
        resource: The kind of record, such as ``"user"``.
        rows: The rows, or a mapping from labels of yours, such as the lines of a sheet, to the rows.
        key: The field, or fields, by which rows and stored records are matched; the natural key of the resource if left
            out, such as ``username``.
        scope: The stored records the source speaks for: filters, ``{}`` for all, or a function that gets a record and
            returns whether it is one of them. Without it, no record goes.
        gone: What to do with records in scope that no row names: ``"delete"``, or the fields to set. Nothing if left
            out.
        new: A function that gets the row of a new record and returns further fields for it, such as a password.
        most_gone: The largest share of those in scope who are not out already that may go, from 0 to 1. If more would
            go, none does.
        protect: The names (several fields: tuples of names) or primary keys of records that never go.
        renamed: New names by old ones, for records whose name has changed.

    Raises:
        FieldError: An argument has a wrong type or value.
        FilterError: ``scope`` is not a valid filter.
    """

    @forgetting_locals
    def __init__(
        self,
        resource: str,
        rows: "Iterable[Mapping[str, Any]] | Mapping[Any, Mapping[str, Any]]",
        *,
        key: str | Iterable[str] | None = None,
        scope: Mapping[str, object] | Callable[[Mapping[str, Any]], object] | None = None,
        gone: str | Mapping[str, object] | None = None,
        new: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
        most_gone: float = 0.25,
        protect: Collection[Any] = (),
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self.resource = _resource(resource)
        self.key = _key(self.resource, key)
        self.rows, self.has_labels = labelled(self.resource, rows)
        self.scope = _scope(self.resource, scope)
        self.deletes = isinstance(gone, str) and gone == DELETE
        """Whether records that go are deleted."""
        self.gone = {} if gone is None or self.deletes else _fields(self.resource, gone)
        """The fields to set in records that go."""
        self.new = _function(new)
        self.most_gone = _share(most_gone)
        self.protect = list(_several(protect))
        self.renamed = _renamed(self.resource, self.key, renamed or {})

    def __repr__(self) -> str:
        if not hasattr(self, "rows"):  # a debugger, or a tool for tracebacks, shows it while it is being made
            return "Wanted(incomplete)"
        return f"Wanted({self.resource.name!r}, {len(self.rows)} rows)"


@cache
def depth(name: str) -> int:
    """Return how many resources must be there first: 0 for users, 1 for memberships."""
    fields = RESOURCES[name].fields.values()
    targets = {field.target for field in fields if field.writable and field.target in RESOURCES}
    return max((depth(target) + 1 for target in targets), default=0)


def filled_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a row that say something: a blank cell, ``None`` or a missing value says nothing."""
    return {name: value for name, value in row.items() if not _is_blank(value)}


def _is_blank(value: object) -> bool:
    try:
        value = builtin(value)
    except UnfitError as error:
        return isinstance(error, MissingError)
    return value is None or (isinstance(value, str) and not value.strip())


def _resource(name: object) -> Resource:
    resource = RESOURCES.get(name) if isinstance(name, str) else None
    known = [each.name for each in RESOURCES.values() if each.can_be_planned]
    if resource is None or name not in known:
        hint = suggestion(close_matches(str(name), known)) or f" Give one of {', '.join(known)}."
        raise FieldError(f"Wanted: {brief(name)} cannot be planned.{hint}", field="resource")
    return resource


def _key(resource: Resource, key: object) -> tuple[str, ...]:
    if key is None and resource.natural_key:
        return resource.natural_key
    names = (key,) if isinstance(key, str) else tuple(_several(key or ()))
    usable = [name for name, field in resource.fields.items() if _may_be_key(field)]
    if not names or not set(names) <= set(usable):
        raise FieldError(
            f"Wanted({resource.name!r}): give key=, the fields that tell its records apart, of {', '.join(usable)}; "
            f"not {brief(key)}.",
            field="key",
        )
    return names


def _may_be_key(field: Field) -> bool:
    return field.writable and not field.write_only and field.kind not in ("json", "keys", "file", "bool")


def _scope(resource: Resource, scope: Any) -> Any:
    """Return a copy of filters that can be read more than once; a function as it is."""
    if callable(scope):
        return scope
    if not isinstance(scope, Mapping):
        encode_filters(resource, scope)
        return scope
    kept = {name: list(value) if isinstance(value, Iterator) else value for name, value in scope.items()}
    encode_filters(resource, kept)
    return kept


def _fields(resource: Resource, gone: object) -> dict[str, object]:
    if not isinstance(gone, Mapping) or not gone:
        raise FieldError(f"gone={brief(gone)}: give 'delete', or the fields to set as a mapping", field="gone")
    return encode_fields(resource, gone, "update")


def _function(new: Any) -> Any:
    if new is not None and not callable(new):
        given = type(new).__name__  # not its value: fields that are given in place of a function may be secrets
        raise FieldError(f"new=: give a function from a row to further fields, not {given}", field="new")
    return new


def _share(share: object) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise FieldError(f"most_gone={brief(share)}: give a share of the scope, from 0 to 1", field="most_gone")
    return share


def _several(values: Any) -> Iterable[Any]:
    if isinstance(values, str | bytes | Mapping) or not is_iterable(values):
        raise FieldError(f"give several values, as a list, not {brief(values)}")
    return values


def _renamed(resource: Resource, key: tuple[str, ...], renamed: Any) -> dict[str, str]:
    field = resource.fields[key[0]]
    if renamed and (not isinstance(renamed, Mapping) or len(key) > 1 or field.kind != "text" or field.create_only):
        why = "the server never changes it" if field.create_only else "give new names by old ones, as a mapping"
        raise FieldError(f"Wanted({resource.name!r}): renamed= of {', '.join(key)}: {why}.", field="renamed")
    steps = {str(old).strip(): str(new).strip() for old, new in renamed.items()}
    if len(set(steps.values())) < len(steps) or not steps.keys().isdisjoint(steps.values()):
        raise FieldError("renamed=: a name is given twice; chains and swaps need a plan for each step", field="renamed")
    return steps
