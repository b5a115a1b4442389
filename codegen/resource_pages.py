"""Renders the page of each resource in the reference: fields, choices, filters, orders and methods.

The tables come from the facts; signatures and docstrings are read out of the sources when the site is built.
"""

from collections.abc import Iterable, Iterator, Mapping

import field_words
import nouns
from facts import Facts
from keystone_client_core import lookups_of
from keystone_client_core._resources import Field, Resource
from page_text import cell, page

OPERATIONS = ("list", "retrieve", "create", "update", "delete")

TAGS = {"request": ("status", "expire")}
"""Fields that other resources have too, by the resource that users mean."""

KINDS = {
    "int": "whole number",
    "float": "number",
    "decimal": "decimal number",
    "bool": "true or false",
    "slug": "text",
    "email": "e-mail address",
    "ip": "IP address",
    "datetime": "date and time",
    "json": "JSON",
    "keys": "keys",
}
"""The words for kinds of fields that are not their own word."""


def page_name(resource: Resource) -> str:
    """Return the name of the page of a resource: ``audit-log.md``."""
    return f"{resource.name.replace('_', '-')}.md"


TITLES = {"audit_log": "Audit log", "request_log": "Request log", "feed_entry": "Feed"}
"""The headings of the pages of logs; those of all other resources are their nouns."""


def title(name: str) -> str:
    """Return the heading of the page of a resource: ``Allocation requests``."""
    words = TITLES.get(name) or nouns.plural(name)
    return words[0].upper() + words[1:]


def resource_of(method: str, names: Iterable[str]) -> str:
    """Return the resource of a method: ``request`` of ``retrieve_request_stats``, the empty text if there is none."""
    stem = method.removesuffix("_stats")
    return max((name for name in names if stem.endswith(f"_{name}")), key=len, default="")


def render(facts: Facts, methods: list[str]) -> dict[str, str]:
    """Return the text of each page by its name.

    Args:
        facts: What is known about the resources.
        methods: The public methods of the clients.
    """
    own: dict[str, list[str]] = {name: [] for name in facts.resources}
    for method in methods:
        if name := resource_of(method, own):
            own[name].append(method)
    return {page_name(each): _page(facts, each, own[name]) for name, each in facts.resources.items()}


def _page(facts: Facts, resource: Resource, methods: list[str]) -> str:
    return page(
        title(resource.name),
        _introduction(resource),
        _fields(facts, resource),
        *_choices(facts, resource),
        _filters(resource),
        _orders(resource),
        f"## Methods\n\n{_in_both_colours(resource.name, methods)}",
        tags=TAGS.get(resource.name, ()),
    )


def _introduction(resource: Resource) -> str:
    operations = ", ".join(name for name in OPERATIONS if name in resource.operations)
    types = [resource.record]
    types += [f"{resource.record}{name.capitalize()}" for name in ("create", "update") if name in resource.operations]
    return (
        f"The fields, filters and methods of {nouns.plural(resource.name)}. Their endpoint is `{resource.path}/`, and "
        f"the names of the methods end in `{resource.name}`.\n\n"
        f"- Operations: {operations}\n"
        f"- Types: {', '.join(_link(name, f'keystone_client.records.{name}') for name in types)}"
    )


def _fields(facts: Facts, resource: Resource) -> str:
    fields = [field for field in resource.fields.values() if not field.hidden]
    text = f"## Fields\n\n{field_table(fields, facts.meanings[resource.name], headings=True)}"
    if resource.unique_together:
        names = " and ".join(f"`{name}`" for name in resource.unique_together)
        text += f"\n\nNo two records have the same {names}."
    return text


def field_table(fields: Iterable[Field], meanings: Mapping[str, str], *, headings: bool = False) -> str:
    """Return a table of fields, with the meaning, the type and the rules of each.

    Args:
        fields: The fields.
        meanings: The meaning of each field by its name.
        headings: Make each name a heading, so that the search finds it as a part of the page and links can lead to it.
    """
    name = '<h3 id="{0}">{0}</h3>' if headings else "`{0}`"
    rows = [
        f"| {name.format(field.name)} | {cell(meanings.get(field.name, ''))} | {_kind(field)} | {cell(_rules(field))} |"
        for field in fields
    ]
    return "\n".join(["| field | meaning | type | rules |", "|---|---|---|---|", *rows])


def _rules(field: Field) -> str:
    """Return what a value must be like and who may set it."""
    rules = [*field_words.access(field), *field_words.limits(field)]
    if field.nullable:
        rules.append("may be null")
    if field.blank:
        rules.append("may be empty")
    if default := field_words.default(field):
        rules.append(f"default: {default}")
    return "; ".join(rules)


def _kind(field: Field) -> str:
    match field.kind:
        case "choice":
            return _link(field.target, f"keystone_client.{field.target}")
        case "shape":
            return _link(field.target, f"keystone_client.records.{field.target}")
        case "shapes":
            return f"list of {_link(field.target, f'keystone_client.records.{field.target}')}"
        case "key" | "keys" if field.target:
            return f"{field.kind} of {_resource_link(field.target, several=field.kind == 'keys')}"
        case kind:
            return KINDS.get(kind, kind)


def _resource_link(name: str, *, several: bool) -> str:
    noun = nouns.plural(name) if several else f"{nouns.article(nouns.noun(name))} {nouns.noun(name)}"
    return f"[{noun}]({name.replace('_', '-')}.md)"


def _link(name: str, path: str) -> str:
    return f"[`{name}`][{path}]"


def _choices(facts: Facts, resource: Resource) -> Iterator[str]:
    names = dict.fromkeys(field.target for field in resource.fields.values() if field.kind == "choice")
    if names:
        yield "## Choices"
    for name in names:
        yield f"{_link(name, f'keystone_client.{name}')}\n\n{choice_table(name, facts.choices[name])}"


def choice_table(name: str, labels: Mapping[str, str]) -> str:
    """Return a table of the codes of a choice.

    Args:
        name: The class of the choice, such as ``RequestStatus``.
        labels: The label of each code.
    """
    rows = [f"| `{code}` | {label} | `{name}.{label.upper().replace(' ', '_')}` |" for code, label in labels.items()]
    return "\n".join(["| code | label | member |", "|---|---|---|", *rows])


def _filters(resource: Resource) -> str:
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in resource.filterable:
        groups.setdefault(lookups_of(resource, name), []).append(f"`{name}`")
    rows = [f"| {' '.join(names)} | {' '.join(f'`{name}`' for name in found)} |" for found, names in groups.items()]
    table = "\n".join(["| filter | lookups |", "|---|---|", *rows])
    return (
        "## Filters\n\nA name by itself means equality; with a lookup it is joined by two underscores: "
        f"`filters={{{_example(resource)}}}`. More on [Filters](../filters.md).\n\n{table}"
    )


def _example(resource: Resource) -> str:
    """Return a filter that the resource has, as an item of a dictionary."""
    text = [name for name in resource.filterable if resource.fields[name].filter_kind == "text"]
    return f'"{text[0]}__contains": "a"' if text else '"id__in": [1, 2]'


def _orders(resource: Resource) -> str:
    names = " ".join(f"`{name}`" for name in resource.orderable)
    usual = " ".join(f"`{name}`" for name in resource.default_order)
    searched = ", ".join(f"`{name}`" for name in resource.search)
    search = f"`search=` looks at {searched}." if searched else "The server cannot search these records."
    order = f" The server's own order is {usual}." if usual else ""
    return f"## Order and search\n\n`order=` takes {names}, with `-` in front for descending.{order}\n\n{search}"


def _in_both_colours(name: str, methods: list[str]) -> str:
    """Return the directives that show the methods of both clients, in two tabs."""
    tabs = {
        "Sync": ("KeystoneClient", "The methods of `KeystoneClient`."),
        "Async": (
            "AsyncKeystoneClient",
            f"The methods of `AsyncKeystoneClient`: `await` them, and loop over `iterate_{name}` with `async for`.",
        ),
    }
    return "\n\n".join(
        f'=== "{tab}"\n\n    {text}\n\n' + "\n\n".join(f"    ::: keystone_client.{client}.{each}" for each in methods)
        for tab, (client, text) in tabs.items()
    )
