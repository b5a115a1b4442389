"""Reads ``facts.toml``, applies its corrections, and returns the table of resources.

Each field has a line of facts: a kind, then flags and limits, separated by spaces.

    kind      int float decimal bool text slug email ip date datetime json file,
              choice=NAME, key=RESOURCE, keys=RESOURCE, shape=NAME, shapes=NAME
    flags     read-only write-only required create-only staff-only nullable blank unique trimmed protects
              unfiltered unordered ordered filter-only filter=KIND
    limits    length=N column=N min=N max=N digits=TOTAL,DECIMALS pattern=REGEX default=JSON
              slug-of=FIELD (made by the server, unique)
              default=@caller (the user who makes the request)
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keystone_client_core._resources import CALLER, Field, Resource

SECTIONS = ("choices", "targets", "shapes", "meanings")
"""The tables of ``facts.toml`` that are not resources."""

COLUMNS = ("int", "float", "decimal", "bool", "text", "slug", "email", "ip", "date", "datetime", "choice", "key")
"""The kinds that are plain columns of the database, so that the server can filter by them."""

FLAGS = {
    "read-only": "read_only",
    "write-only": "write_only",
    "required": "required",
    "create-only": "create_only",
    "staff-only": "staff_only",
    "nullable": "nullable",
    "blank": "blank",
    "unique": "unique",
    "trimmed": "trimmed",
    "protects": "protects",
}
"""The flags, with the attribute of ``Field`` that each sets."""

LIMITS = {"length": "length", "column": "column_length", "min": "minimum", "max": "maximum"}
WITHOUT_EFFECT = {"unfiltered", "unordered", "ordered", "filter-only"}
"""The flags that set no attribute of their own, but change how others are computed."""


class Facts(NamedTuple):
    """The content of ``facts.toml``, with the corrections applied."""

    choices: Mapping[str, Mapping[str, str]]
    choice_paths: Mapping[str, str]
    resources: Mapping[str, Resource]
    shapes: Mapping[str, Mapping[str, Field]]
    meanings: Mapping[str, Mapping[str, str]]
    """One line for each field, by the name of the resource or of the nested shape."""


def load(path: Path) -> Facts:
    """Read a file of facts.

    Raises:
        ValueError: The file corrects or explains a field that the resource does not have, or uses an unknown flag.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    if stale := stale_meanings(document):
        raise ValueError(f"facts.toml explains {', '.join(stale)}, which it does not have")
    return Facts(
        meanings=meanings(document),
        choices={name: choice["labels"] for name, choice in document["choices"].items()},
        choice_paths={name: choice["path"] for name, choice in document["choices"].items() if "path" in choice},
        resources={n: _resource(n, facts) for n, facts in document.items() if n not in SECTIONS},
        shapes={n: {f: _field(f, line) for f, line in lines.items()} for n, lines in document["shapes"].items()},
    )


def meanings(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the meaning of each field that has one, by resource or nested shape.

    A summary, such as ``UserSummary``, has the meanings of the record it is made from, unless it has its own.

    Args:
        document: The content of ``facts.toml``.
    """
    given, fields = document.get("meanings", {}), field_names(document)
    records = {
        f"{facts.get('model', facts['schema'])}Summary": name
        for name, facts in document.items()
        if name not in SECTIONS
    }
    known = {name: {**given.get(records.get(name, ""), {}), **given.get(name, {})} for name in fields}
    return {name: {field: known[name][field] for field in own if field in known[name]} for name, own in fields.items()}


def stale_meanings(document: Mapping[str, Any]) -> list[str]:
    """Return the fields that have a meaning and do not exist: ``team.colour``."""
    given, fields = document.get("meanings", {}), field_names(document)
    return [f"{name}.{field}" for name in given for field in given[name] if field not in fields.get(name, ())]


def field_names(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the fields of each resource and each nested shape."""
    resources = {name: [*facts.get("fields", {})] for name, facts in document.items() if name not in SECTIONS}
    return resources | {name: [*lines] for name, lines in document["shapes"].items()}


def _resource(name: str, facts: Mapping[str, Any]) -> Resource:
    corrections = dict(facts.get("corrections", {}))
    fields = {}
    for field, line in facts["fields"].items():
        correction = corrections.pop(field, {})
        dropped = correction.get("drop", "").split()
        tokens = [token for token in line.split() if token not in dropped]
        fields[field] = _field(field, " ".join([*tokens, correction.get("add", "")]), filters=True)
    if corrections:
        raise ValueError(f"facts.toml corrects {', '.join(corrections)} of {name}, which it does not have")
    return Resource(
        name=name,
        path=facts["path"],
        record="".join(part.capitalize() for part in name.split("_")),
        model=facts.get("model", facts["schema"]),
        operations=frozenset(facts["operations"].split()),
        fields=fields,
        search=tuple(facts["search"]),
        default_order=tuple(facts.get("default_order", ())),
        unique_together=tuple(facts.get("unique_together", ())),
        natural_key=tuple(facts.get("natural_key", ())),
        growing=facts.get("growing", False),
        statistics=facts.get("statistics", False),
    )


def _field(name: str, line: str, *, filters: bool = False) -> Field:
    first, *flags = line.split()
    kind, _, target = first.partition("=")
    given: dict[str, Any] = {FLAGS[flag]: True for flag in flags if flag in FLAGS}
    for flag in flags:
        key, _, value = flag.partition("=")
        if key not in FLAGS and key not in WITHOUT_EFFECT:
            given |= _limit(key, value)
    if filters:
        given.setdefault("filter_kind", kind if kind in COLUMNS and "unfiltered" not in flags else "")
        given["hidden"] = "filter-only" in flags
        given["orderable"] = _orderable(kind, flags)
    return Field(name, kind, target, **given)


def _limit(key: str, value: str) -> dict[str, Any]:
    if key in LIMITS:
        return {LIMITS[key]: int(value)}
    match key:
        case "digits":
            total, places = value.split(",")
            return {"digits": (int(total), int(places))}
        case "default":
            return {"default": CALLER if value == "@caller" else json.loads(value)}
        case "filter":
            return {"filter_kind": value}
        case "pattern":
            return {"pattern": value}
        case "slug-of":
            return {"slug_of": value}
    raise ValueError(f"facts.toml has a flag nobody knows: {key!r}")


def _orderable(kind: str, flags: list[str]) -> bool:
    """Return whether the server can order by a field: by every column it returns, unless corrected."""
    if "ordered" in flags:
        return True
    returned = "write-only" not in flags and "filter-only" not in flags and "unordered" not in flags
    return returned and kind in (*COLUMNS, "json", "file")
