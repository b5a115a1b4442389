"""Rebuilds ``facts.toml`` and ``operations.txt`` from an OpenAPI document and prints what changed.

    python codegen/rebuild.py DOCUMENT [--check]

DOCUMENT is a JSON or YAML file, or the URL of a server, whose ``/openapi/json/`` is read. Corrections are kept, and so
is everything else that is not in the document. New fields, codes, choices and resources are added. What the document
does not say is printed last, because it is left to whoever runs this. With ``--check`` it writes nothing and exits with
status 1 if anything has changed.
"""

import argparse
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import openapi
import tomlkit
from facts import SECTIONS, field_names, meanings, stale_meanings
from tomlkit import TOMLDocument

FACTS = Path(__file__).with_name("facts.toml")
OPERATIONS = Path(__file__).with_name("operations.txt")


def read_document(source: str) -> openapi.Document:
    """Return the OpenAPI document of a file, or of ``/openapi/json/`` below the URL of a server."""
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(f"{source.rstrip('/')}/openapi/json/", timeout=30) as answer:
            document: openapi.Document = json.load(answer)
            return document
    text = Path(source).read_text(encoding="utf-8")
    if source.endswith((".yml", ".yaml")):
        import yaml

        loaded: openapi.Document = yaml.safe_load(text)
        return loaded
    parsed: openapi.Document = json.loads(text)
    return parsed


class Found(NamedTuple):
    """What differs between the facts and the document."""

    changes: list[str]
    """One line for each fact that was added, removed or changed."""
    by_hand: list[str]
    """One line for each thing that the document does not say."""
    unexplained: list[str]
    """One line for each field without a meaning, new or not, and for each meaning of a field that is gone."""


def rebuild(facts: TOMLDocument, document: openapi.Document) -> Found:
    """Update the facts from the document, in place.

    Args:
        facts: The content of ``facts.toml``.
        document: An OpenAPI document.

    Returns:
        What was changed, and what is left to do by hand.
    """
    found = Found([], [], [])
    _update_choices(facts, document, found)
    _add_resources(facts, document, found)
    labels = {name: choice["labels"] for name, choice in facts["choices"].items()}
    shapes: set[str] = set()
    for name, resource in facts.items():
        if name not in SECTIONS and _is_there(document, name, resource, found):
            shapes |= _shapes_in(_update_resource(facts, document, name, labels, found))
    _update_shapes(facts, document, labels, shapes, found)
    found.unexplained.extend(_unexplained(facts))
    return found


def _update_choices(facts: TOMLDocument, document: openapi.Document, found: Found) -> None:
    """Bring the codes of the choices up to date, and add the choices that are new."""
    choices = facts["choices"]
    for name, choice in choices.items():
        if "schema" in choice:
            _replace(choice, "labels", openapi.choice_labels(document, choice["schema"]), name, found.changes)
    known = {choice.get("schema") for choice in choices.values()}
    for schema in openapi.choice_schemas(document):
        if schema not in known:
            choice = tomlkit.table()
            choice["schema"] = schema
            name = schema.removesuffix("Choices")
            _replace(choice, "labels", openapi.choice_labels(document, schema), name, found.changes)
            choices[name] = choice
            found.by_hand.append(
                f"choice {name}: if the server has an endpoint that lists its codes, give it as path in facts.toml"
            )


def _add_resources(facts: TOMLDocument, document: openapi.Document, found: Found) -> None:
    """Add a table for each new resource; what the document lacks is reported."""
    known = {resource["path"] for name, resource in facts.items() if name not in SECTIONS}
    for path, schema in openapi.listings(document).items():
        if path in known:
            continue
        name = _singular(path)
        if name in facts:
            found.by_hand.append(f"{path}: a new resource, but there is a {name} already: add its table")
            continue
        resource = tomlkit.table()
        resource.update({"path": path, "schema": schema, "search": [], "operations": ""})
        facts[name] = resource
        found.changes.append(f"{name}: (absent) -> the records at {path}")
        found.by_hand.append(
            f"{name}: set search, and model, unique_together, default_order and corrections where they apply; "
            "then give the fake its roles, in _server/permissions.py, and its history, in _world/models.py"
        )


def _singular(path: str) -> str:
    """Return the name of a resource: ``project`` for ``allocations/projects``."""
    last = path.rpartition("/")[2].replace("-", "_")
    return f"{last[:-3]}y" if last.endswith("ies") else last.removesuffix("s")


def _is_there(document: openapi.Document, name: str, resource: Any, found: Found) -> bool:
    if f"/{resource['path']}/" in document["paths"]:
        return True
    found.by_hand.append(f"{name}: the document has no {resource['path']} any more: remove its table")
    return False


def _update_resource(facts: TOMLDocument, document: openapi.Document, name: str, labels: Any, found: Found) -> Any:
    """Bring the operations and fields of a resource up to date, and return the lines of its fields."""
    resource, targets = facts[name], facts["targets"]
    _replace(resource, "operations", openapi.operations(document, resource["path"]), name, found.changes)
    lines = openapi.resource_fields(document, resource["path"], resource["schema"], labels, targets)
    old = resource.get("fields", {})
    _replace(resource, "fields", lines, name, found.changes)
    new = [field for field, line in lines.items() if field not in old and line.split()[0] in ("key", "keys")]
    found.by_hand.extend(f"{name}.{field}: say in [targets] which resource it points at" for field in new)
    return lines


def _update_shapes(
    facts: TOMLDocument, document: openapi.Document, labels: Any, shapes: set[str], found: Found
) -> None:
    """Update the nested shapes of records, and the shapes nested inside those."""
    lines: dict[str, dict[str, str]] = {}
    while pending := shapes - set(lines):
        for shape in sorted(pending):
            lines[shape] = openapi.shape_fields(document, shape, labels, facts["targets"])
            shapes |= _shapes_in(lines[shape])
    for shape in sorted(set(facts["shapes"]) | set(lines)):
        _replace(facts["shapes"], shape, lines.get(shape), f"shape {shape}", found.changes)


def _unexplained(facts: TOMLDocument) -> Iterator[str]:
    """Yield a line for each field without a meaning, and for each meaning of a field that is gone."""
    known = meanings(facts)
    for name, fields in field_names(facts).items():
        yield from (f"{name}.{field}: say what it means in [meanings]" for field in fields if field not in known[name])
    yield from (f"{field}: it is gone, so remove its meaning" for field in stale_meanings(facts))


def _shapes_in(lines: dict[str, str]) -> set[str]:
    kinds = (line.split()[0] for line in lines.values())
    return {kind.partition("=")[2] for kind in kinds if kind.startswith("shape")}


def _replace(table: Any, key: str, new: Any, label: str, changes: list[str]) -> None:
    old = table.get(key)
    if old == new:
        return
    if isinstance(new, dict):
        before = dict(old or {})
        for field in sorted({*before, *new}):
            if before.get(field) != new.get(field):
                changes.append(f"{label}.{field}: {before.get(field, '(absent)')} -> {new.get(field, '(gone)')}")
    else:
        changes.append(f"{label}.{key}: {old} -> {new}")
    if new is None:
        table.remove(key)
    else:
        table[key] = _inline(new) if key == "labels" else _block(new) if isinstance(new, dict) else new


def _inline(labels: dict[str, str]) -> Any:
    table = tomlkit.inline_table()
    table.update(labels)
    return table


def _block(lines: dict[str, str]) -> Any:
    table = tomlkit.table()
    table.update(lines)
    table.add(tomlkit.nl())
    return table


def main() -> int:
    """Run the command line. Return the exit status: 1 if ``--check`` found a change, else 0."""
    parser = argparse.ArgumentParser(description="Rebuild codegen/facts.toml from an OpenAPI document.")
    parser.add_argument("document", help="a JSON or YAML file, or the URL of a Keystone server")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if anything changed")
    options = parser.parse_args()
    facts = tomlkit.parse(FACTS.read_text(encoding="utf-8"))
    try:
        document = read_document(options.document)
        openapi.refuse_fake(document)
        found = rebuild(facts, document)
        operations = openapi.every_operation(document)
    except openapi.UnknownFactError as error:
        parser.error(str(error))
    except (OSError, ValueError) as error:
        parser.error(f"{options.document} cannot be read as an OpenAPI document: {error}")
    except (KeyError, TypeError, AttributeError) as error:
        parser.error(f"{options.document} is no OpenAPI document of a Keystone: {error!r}")
    before = OPERATIONS.read_text(encoding="utf-8").splitlines()
    moved = [f"operation {'+' if name in operations else '-'} {name}" for name in sorted({*before} ^ {*operations})]
    if found.changes and not options.check:
        FACTS.write_text(tomlkit.dumps(facts), encoding="utf-8")
    if moved and not options.check:
        OPERATIONS.write_text("\n".join(operations) + "\n", encoding="utf-8")
    _report(found, moved, options.check)
    return int(bool(found.changes or found.by_hand or moved) and options.check)


def _report(found: Found, moved: list[str], check: bool) -> None:
    """Print what has changed, where it was written, and what is left to do."""
    if not (found.changes or moved or found.by_hand):
        print("The facts agree with the document.")
    else:
        print("\n".join([*found.changes, *moved]))
        if not check:
            counts = [(len(found.changes), FACTS.name), (len(moved), OPERATIONS.name)]
            written = " and ".join(f"{number} to {name}" for number, name in counts if number)
            print(f"Written: {written or 'nothing'}." + (" Run `hatch run generate` next." if written else ""))
    if by_hand := [*found.by_hand, *found.unexplained]:
        print("Left to do by hand:", *by_hand, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
