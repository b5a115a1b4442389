"""The names of filters: the fields and lookups there are, and the error for a name that is not a filter.

Values are checked elsewhere, in ``_filter_values``.
"""

from collections.abc import Mapping

from ._errors import FilterError
from ._filter_values import PARTS, PATTERNS
from ._messages import brief, close_matches, suggestion
from ._resources import Field, Resource
from ._table import RESOURCES

_EVERY = ("not_eq", "in", "not_in", "isnull")
_COMPARED = ("lt", "lte", "gt", "gte")
_DAY = ("year", "month", "day", "week", "week_day")

LOOKUPS: Mapping[str, tuple[str, ...]] = {
    "int": _EVERY + _COMPARED,
    "decimal": _EVERY + _COMPARED,
    "code": _EVERY + _COMPARED,
    "text": _EVERY + PATTERNS,
    "email": _EVERY + PATTERNS,
    "slug": _EVERY + PATTERNS,
    "choice": _EVERY + PATTERNS,
    "date": _EVERY + _COMPARED + _DAY,
    "datetime": _EVERY + _COMPARED + tuple(PARTS),
    "bool": _EVERY,
    "key": _EVERY,
    "ip": _EVERY,
}
"""The lookups of each filter kind: ``lt`` as in ``amount__lt``. A name without a lookup compares for equality."""

_SYNONYMS: Mapping[str, str] = {
    **dict.fromkeys(("exact", "iexact", "eq", "equals", "is"), ""),
    **dict.fromkeys(("ne", "neq", "not", "isnot", "exclude"), "not_eq"),
    **dict.fromkeys(("like", "ilike", "icontains", "match", "regex", "iregex", "search", "has"), "contains"),
    **dict.fromkeys(("istartswith", "prefix", "begins"), "startswith"),
    **dict.fromkeys(("iendswith", "suffix"), "endswith"),
    **dict.fromkeys(("nin", "notin", "not__in"), "not_in"),
    **dict.fromkeys(("any", "one_of", "list"), "in"),
    **dict.fromkeys(("null", "is_null", "none", "empty"), "isnull"),
    **dict.fromkeys(("ge", "min", "since", "from", "range", "between"), "gte"),
    **dict.fromkeys(("le", "max", "until", "to"), "lte"),
    "after": "gt",
    "before": "lt",
}
"""Lookups of Django and of other clients, and the one that the server has; empty for the name of the field alone."""

_OTHER_WAYS = {
    "_limit": "use limit=",
    "limit": "use limit=",
    "_offset": "listings walk by key; use limit=, or after= where you iterate",
    "offset": "listings walk by key; use limit=, or after= where you iterate",
    "page": "listings fetch every page; use limit=, or after= where you iterate",
    "_order": "use order=",
    "order": "use order=",
    "_search": "use search=",
    "search": "use search=",
    "format": "the client reads JSON only",
    "pk": "use id",
}


def lookups_of(resource: Resource, field: str) -> tuple[str, ...]:
    """Return the lookups of the filters on a field; empty if the server has no filter on it, or no such field."""
    found = resource.fields.get(field)
    return LOOKUPS[found.filter_kind] if found is not None and found.filter_kind else ()


def find(resource: Resource, name: object, value: object) -> tuple[Field, str]:
    """Split the name of a filter into its field and its lookup.

    Args:
        resource: The resource that is listed.
        name: The name of the filter, such as ``amount__lt``.
        value: The value of the filter, which is only attached to the error.

    Returns:
        The field and the lookup; the lookup is empty for equality.

    Raises:
        FilterError: There is no such filter.
    """
    if not isinstance(name, str):
        raise FilterError(
            f"filter {brief(name)}: the name of a filter is text, not {type(name).__name__}.", value=value
        )
    field_name, _, lookup = name.rpartition("__") if "__" in name else (name, "", "")
    field = resource.fields.get(field_name)
    if field is None or not field.filter_kind or ("__" in name and lookup not in LOOKUPS[field.filter_kind]):
        raise _unknown(resource, name, value)
    return field, lookup


def _unknown(resource: Resource, name: str, value: object) -> FilterError:
    head = name.partition("__")[0]
    field = resource.fields.get(head)
    lookups = lookups_of(resource, name.rpartition("__")[0]) or lookups_of(resource, head)
    matches = _matches(resource, name, head)
    message = (
        f"filter {brief(name)}: {_why(resource, name, head, value)}, and the server would ignore it and return every"
        f" record.{suggestion(matches)} {_offer(resource, head, lookups)} For a parameter that is not known here use"
        f" http_get({resource.path + '/'!r}, params=...)."
    )
    secret = field is not None and field.write_only
    return FilterError(message, field=name, value=None if secret else value, matches=matches, lookups=lookups)


def _matches(resource: Resource, name: str, head: str) -> tuple[str, ...]:
    if name in _OTHER_WAYS:
        return ("id",) if name == "pk" else ()
    meant = _meant(resource, name, head)
    if meant is not None:
        return (meant,)
    own = [f"{head}__{lookup}" for lookup in lookups_of(resource, head)]
    every = [f"{field}__{lookup}" for field in resource.filterable for lookup in lookups_of(resource, field)]
    return close_matches(name, own) or close_matches(name, [*resource.filterable, *every])


def _meant(resource: Resource, name: str, head: str) -> str | None:
    """Return the filter that a name of Django or of another client stands for; ``None`` if it is none of them."""
    column = name.removesuffix("_id").removesuffix("_")  # team_id, team__id
    if column != name and lookups_of(resource, column):
        return column
    field = resource.fields.get(head)
    lookup = _SYNONYMS.get(name.removeprefix(f"{head}__"))
    if lookup == "" and field is not None and field.filter_kind:
        return head
    if lookup and lookup in lookups_of(resource, head):
        return f"{head}__{lookup}"
    return head if field is not None and field.filter_kind == "key" and field.target else None


def _why(resource: Resource, name: str, head: str, value: object) -> str:
    field = resource.fields.get(head)
    if name in _OTHER_WAYS:
        return f"it is no filter ({_OTHER_WAYS[name]})"
    if field is None:
        return f"{resource.name} records have no such field"
    if not field.filter_kind:
        several = ", as it stands for several records" if field.kind in ("keys", "shapes") else ""
        return f"the server cannot filter by {head}{several}"
    if field.filter_kind == "key" and field.target:
        finding = _finding(field.target, name.partition("__")[2], value)
        return f"{head} takes a primary key (the server does not look into the {field.target}{finding})"
    return f"{head} has no such lookup"


def _finding(target: str, name: str, value: object) -> str:
    """Return the call that finds the keys of the records which a filter on a field of theirs would match."""
    if name == "id" or not lookups_of(RESOURCES[target], name.partition("__")[0]):
        return ""
    return f"; retrieve_{target}(filters={{{name!r}: {brief(value)}}}) finds the key"


def _offer(resource: Resource, head: str, lookups: tuple[str, ...]) -> str:
    if lookups:
        return f"{head} by itself means equality; its lookups are {', '.join(lookups)}."
    return f"Filters are {', '.join(resource.filterable)}."
