"""Converts the OpenAPI document of a Keystone server into lines of facts, one per field.

This module takes the document literally. What the document omits or gets wrong is corrected in ``facts.toml``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

FOREIGN_KEY_LOOKUPS = {"in", "isnull", "not_eq", "not_in"}
VERBS = {"get": "retrieve", "post": "create", "patch": "update", "delete": "delete"}
DECIMAL_PATTERN = re.compile(r"\\d\{0,(\d+)\}\(\?:\\\.\\d\{0,(\d+)\}\)")

Document: TypeAlias = Mapping[str, Any]
Lines: TypeAlias = dict[str, str]


class UnknownFactError(Exception):
    """The document needs a fact that neither it nor ``facts.toml`` has; the message says what to add."""


def refuse_fake(document: Document) -> None:
    """Refuse the document of a fake Keystone, which is made from the facts and so has nothing new.

    Raises:
        UnknownFactError: It is the document of a fake.
    """
    if "fake" in document["info"].get("description", "").lower():
        raise UnknownFactError(
            "this is the document of a fake Keystone, which is made from facts.toml: give the URL of a real server"
        )


def listings(document: Document) -> dict[str, str]:
    """Return the schema of the records of each path that answers pages of records, without its outer slashes."""
    schemas = document["components"]["schemas"]
    found = {}
    for path, methods in document["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        answer = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        results = schemas.get(answer, {}).get("properties", {}).get("results", {})
        if record := results.get("items", {}).get("$ref", "").rpartition("/")[2]:
            found[path.strip("/")] = record
    return found


def choice_schemas(document: Document) -> list[str]:
    """Return the schemas of the endpoints that answer the codes and labels of a choice."""
    return [name for name in document["components"]["schemas"] if name.endswith("Choices")]


def operations(document: Document, path: str) -> str:
    """Return the operations of a resource, separated by spaces, in the order list, retrieve, create, update, delete."""
    collection = document["paths"].get(f"/{path}/", {})
    record = document["paths"].get(f"/{path}/{{id}}/", {})
    found = ["list"] if "get" in collection else []
    found += [VERBS[verb] for verb in VERBS if verb in (collection if verb == "post" else record)]
    return " ".join(found)


def every_operation(document: Document) -> list[str]:
    """Return each operation of the document as its method and path, in the order of the paths."""
    return [f"{method.upper()} {path}" for path, methods in sorted(document["paths"].items()) for method in methods]


def resource_fields(
    document: Document, path: str, schema: str, choices: Mapping[str, Mapping[str, str]], targets: Mapping[str, str]
) -> Lines:
    """Return the line of facts of each field of a resource, with the names that exist as filters only at the end."""
    record = _properties(document, schema)
    created = _body(document, f"/{path}/", "post")
    updated = _body(document, f"/{path}/{{id}}/", "patch")
    lookups = _lookups(document, path)
    lines: Lines = {}
    for name in [*record, *(n for n in created if n not in record)]:
        writable = created.get(name) or updated.get(name)
        facts = writable or record[name]
        if name in record and "$ref" in str(record[name]):
            facts = record[name]
        tokens = [*_kind(name, facts, choices, targets, lookups.get(name))]
        tokens += _access(name, record, created, updated, _required(document, path))
        tokens += _limits(facts, tokens[0], bool(writable))
        if name not in lookups and tokens[0].partition("=")[0] not in ("shape", "shapes", "keys", "json", "file"):
            tokens.append("unfiltered")
        lines[name] = " ".join(tokens)
    for name, (facts, found) in lookups.items():
        if name not in lines:
            lines[name] = " ".join([*_kind(name, facts, choices, targets, (facts, found)), "filter-only"])
    return lines


def shape_fields(
    document: Document, schema: str, choices: Mapping[str, Mapping[str, str]], targets: Mapping[str, str]
) -> Lines:
    """Return the line of facts of each field of a nested shape: its kind, and whether it may be null."""
    lines = {}
    for name, facts in _properties(document, schema).items():
        tokens = [*_kind(name, facts, choices, targets, None)]
        lines[name] = " ".join(tokens + (["nullable"] if facts.get("nullable") else []))
    return lines


def choice_labels(document: Document, schema: str) -> dict[str, str]:
    """Return the labels of a choice by code, from the schema of the endpoint that serves them."""
    return {code: facts["default"] for code, facts in _properties(document, schema).items()}


def _properties(document: Document, schema: str) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = document["components"]["schemas"][schema].get("properties", {})
    return properties


def _body_schema(document: Document, path: str, verb: str) -> Mapping[str, Any]:
    operation = document["paths"].get(path, {}).get(verb, {})
    content = operation.get("requestBody", {}).get("content", {})
    media = content.get("multipart/form-data") or content.get("application/json") or {}
    reference = media.get("schema", {}).get("$ref", "")
    schema: Mapping[str, Any] = document["components"]["schemas"].get(reference.rpartition("/")[2], {})
    return schema


def _body(document: Document, path: str, verb: str) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = _body_schema(document, path, verb).get("properties", {})
    return properties


def _required(document: Document, path: str) -> list[str]:
    required: list[str] = _body_schema(document, f"/{path}/", "post").get("required", [])
    return required


def _lookups(document: Document, path: str) -> dict[str, tuple[Mapping[str, Any], set[str]]]:
    found: dict[str, tuple[Mapping[str, Any], set[str]]] = {}
    parameters = document["paths"][f"/{path}/"]["get"].get("parameters", [])
    # Names without a lookup come first: the schema of a field is that of its filter for equality.
    for parameter in sorted(parameters, key=lambda p: "__" in p["name"]):
        name, _, lookup = parameter["name"].partition("__")
        if parameter["in"] == "query" and name and not name.startswith("_"):
            found.setdefault(name, (parameter["schema"], set()))[1].add(lookup)
    return {name: (facts, lookups - {""}) for name, (facts, lookups) in found.items()}


def _kind(
    name: str,
    facts: Mapping[str, Any],
    choices: Mapping[str, Mapping[str, str]],
    targets: Mapping[str, str],
    lookup: tuple[Mapping[str, Any], set[str]] | None,
) -> Iterator[str]:
    reference = re.search(r"#/components/schemas/(\w+)", str(facts))
    target = f"={targets[name]}" if name in targets else ""
    # The document marks neither foreign keys nor IP addresses, but their filters have no lookups beyond equality.
    only_equality = lookup is not None and lookup[1] == FOREIGN_KEY_LOOKUPS
    match facts:
        case _ if reference:
            yield f"{'shapes' if facts.get('type') == 'array' else 'shape'}={reference[1]}"
        case {"type": "array"}:
            yield f"keys{target}"
        case {"enum": codes, "type": "string"}:
            yield f"choice={_choice_of(name, codes, choices)}"
        case {"type": "integer"}:
            yield f"key{target}" if only_equality or target else "int"
        case {"type": "number", "format": "double"}:
            yield "float"
        case {"type": "boolean"}:
            yield "bool"
        case {"type": "string", "format": str(form)}:
            yield {"date-time": "datetime", "binary": "file"}.get(form, form)
        case {"type": "string"}:
            slug = facts.get("pattern") == "^[-a-zA-Z0-9_]+$"
            yield "ip" if only_equality else "slug" if slug else "text"
        case _:
            yield "json"


def _choice_of(name: str, codes: list[str], choices: Mapping[str, Mapping[str, str]]) -> str:
    for choice, labels in choices.items():
        if set(labels) == set(codes):
            return choice
    raise UnknownFactError(
        f"the field {name!r} takes {', '.join(codes)}, and no choice has just these codes: add [choices.NAME] to "
        f'facts.toml with labels = {{ {codes[0]} = "...", ... }}'
    )


def _access(
    name: str,
    record: Mapping[str, Any],
    created: Mapping[str, Any],
    updated: Mapping[str, Any],
    required: list[str],
) -> Iterator[str]:
    if name not in created and name not in updated:
        yield "read-only"
    if name not in record:
        yield "write-only"
    if name in required:
        yield "required"
    if created and name in created and name not in updated:
        yield "create-only"
    if {**created, **updated, **record}[name].get("nullable"):
        yield "nullable"


def _limits(facts: Mapping[str, Any], kind: str, writable: bool) -> Iterator[str]:
    if not writable:
        return
    if kind in ("text", "email", "slug") and "minLength" not in facts:
        yield "blank"
    if "maxLength" in facts:
        yield f"length={facts['maxLength']}"
    yield from (f"{bound[:3]}={facts[bound]}" for bound in ("minimum", "maximum") if bound in facts)
    if digits := DECIMAL_PATTERN.search(facts.get("pattern", "")):
        yield f"digits={int(digits[1]) + int(digits[2])},{digits[2]}"
    if "default" in facts:
        yield f"default={str(facts['default']).lower()}"
