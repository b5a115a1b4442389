"""Rebuilds ``facts.toml`` and ``operations.txt`` from an OpenAPI document and prints what changed.

    python codegen/rebuild.py DOCUMENT [--check]

DOCUMENT is a JSON or YAML file, or the URL of a server, whose ``/openapi/json/`` is read. Corrections are kept, and so
is everything else that is not in the document. With ``--check`` it writes nothing and exits with status 1 if anything
has changed.
"""

import argparse
import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import openapi
import tomlkit
from tomlkit import TOMLDocument

FACTS = Path(__file__).with_name("facts.toml")
OPERATIONS = Path(__file__).with_name("operations.txt")
SECTIONS = ("choices", "targets", "shapes")


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


def rebuild(facts: TOMLDocument, document: openapi.Document) -> list[str]:
    """Update the facts from the document, in place.

    Args:
        facts: The content of ``facts.toml``.
        document: An OpenAPI document.

    Returns:
        One line for each fact that was added, removed or changed.
    """
    changes: list[str] = []
    for name, choice in facts["choices"].items():
        if "schema" in choice:
            _replace(choice, "labels", openapi.choice_labels(document, choice["schema"]), name, changes)
    labels = {name: choice["labels"] for name, choice in facts["choices"].items()}
    targets = facts["targets"]
    shapes: set[str] = set()
    for name, resource in facts.items():
        if name in SECTIONS:
            continue
        _replace(resource, "operations", openapi.operations(document, resource["path"]), name, changes)
        lines = openapi.resource_fields(document, resource["path"], resource["schema"], labels, targets)
        _replace(resource, "fields", lines, name, changes)
        shapes |= _shapes_in(lines)
    found: dict[str, dict[str, str]] = {}
    while pending := shapes - set(found):
        for shape in sorted(pending):
            found[shape] = openapi.shape_fields(document, shape, labels, targets)
            shapes |= _shapes_in(found[shape])
    for shape in sorted(set(facts["shapes"]) | set(found)):
        _replace(facts["shapes"], shape, found.get(shape), f"shape {shape}", changes)
    return changes + _unlisted(facts, document)


def _shapes_in(lines: dict[str, str]) -> set[str]:
    kinds = (line.split()[0] for line in lines.values())
    return {kind.partition("=")[2] for kind in kinds if kind.startswith("shape")}


def _unlisted(facts: TOMLDocument, document: openapi.Document) -> list[str]:
    """Return a line for each resource of the document that is missing from the facts; it must be added by hand."""
    known = {f"/{resource['path']}/" for name, resource in facts.items() if name not in SECTIONS}
    listed = (path for path in document["paths"] if path.endswith("/{id}/"))
    return [f"{path}: a resource these facts do not have" for path in listed if path[: -len("{id}/")] not in known]


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
        changes = rebuild(facts, document)
        operations = openapi.every_operation(document)
    except (OSError, ValueError) as error:
        parser.error(f"{options.document} cannot be read as an OpenAPI document: {error}")
    except (KeyError, TypeError) as error:
        parser.error(f"{options.document} is no OpenAPI document of a Keystone: {error!r}")
    before = OPERATIONS.read_text(encoding="utf-8").splitlines()
    changes += [f"operation {name}" for name in sorted(set(before) ^ set(operations))]
    print("\n".join(changes) if changes else "The facts agree with the document.")
    if changes and not options.check:
        FACTS.write_text(tomlkit.dumps(facts), encoding="utf-8")
        OPERATIONS.write_text("\n".join(operations) + "\n", encoding="utf-8")
        print(f"{len(changes)} changes written to {FACTS.name}: run `hatch run generate` next.")
    return int(bool(changes) and options.check)


if __name__ == "__main__":
    sys.exit(main())
