"""Renders the reference: the pages that name every public class, method, field and error, ``docs/reference/*.md``.

Which page a name stands on follows from what it is: an error, a choice, a type of arguments. So a new public name is on
the site without an edit here. mkdocstrings reads signatures and docstrings out of the sources when the site is built.
"""

import ast
import enum
import inspect
from collections.abc import Iterable, Iterator

import error_page
import keystone_client
import keystone_client_core
import keystone_client_testing
import nouns
import resource_pages
from error_page import is_error
from facts import Facts
from keystone_client import AsyncKeystoneClient
from keystone_client._hints.former_names import ON_CLASSES
from page_text import directive, page

IN_SIGNATURES = {
    "arguments": ["_listing.query.Beginning", "_flows.downloads.Target", "_flows.raw_http.Params"],
    "job": ["_bulk.job.Handle", "_bulk.job.RecordPage"],
    "testing": ["_seeding.seeder.Seeder", "_world.clock.Clock"],
}
"""Types that stand in public signatures and are not exported: users hold them, and never make them."""

FIXTURES = ("fake_keystone", "keystone_session", "async_keystone_session", "keystone_server")


def render(facts: Facts, generated: str) -> dict[str, str]:
    """Return the text of each page by its name.

    Args:
        facts: What is known about the resources.
        generated: The text of ``_generated/async_methods.py``.
    """
    methods = public_methods(generated)
    general = [name for name in methods if not resource_pages.resource_of(name, facts.resources)]
    return {
        "index.md": _index(facts, methods),
        "client.md": _client("The client", "KeystoneClient", "[AsyncKeystoneClient](async-client.md)", general),
        "async-client.md": _client("The async client", "AsyncKeystoneClient", "[KeystoneClient](client.md)", general),
        "job.md": _job(),
        "arguments.md": _arguments(),
        "errors.md": error_page.render(),
        "choices.md": _choices(facts),
        "records.md": _records(facts),
        "server.md": _server(),
        "testing.md": _testing(),
        "core.md": _core(),
        **resource_pages.render(facts, methods),
    }


def public_methods(generated: str) -> list[str]:
    """Return the public names of the clients: those made for the resources in their order, then all others.

    Args:
        generated: The text of ``_generated/async_methods.py``, which may be newer than the module that is imported.
    """
    found = [node.name for node in ast.walk(ast.parse(generated)) if isinstance(node, _FUNCTIONS)]
    known = [name for name in _in_order(AsyncKeystoneClient) if name not in ON_CLASSES]
    return [name for name in dict.fromkeys([*found, *known]) if not name.startswith("_")]


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _in_order(kind: type) -> Iterator[str]:
    """Yield the names of a class and its bases in the order of the sources, those of the class itself first."""
    for base in kind.__mro__[:-1]:
        yield from vars(base)


def _index(facts: Facts, methods: list[str]) -> str:
    verbs = ("retrieve", "iterate", "count", "create", "update", "delete")
    rows = []
    for name, resource in facts.resources.items():
        marks = [_mark(f"{verb}_{name}", methods) for verb in verbs]
        rows.append(f"| [{nouns.plural(name)}]({resource_pages.page_name(resource)}) | {' | '.join(marks)} |")
    head = f"| | {' | '.join(f'`{verb}_`' for verb in verbs)} |"
    return page(
        "Reference",
        "Every class, method, field, error and setting, from the sources. The guides explain how they work together.",
        """\
- [KeystoneClient](client.md) and [AsyncKeystoneClient](async-client.md): logging in, batches, plain HTTP
- [Job](job.md): the actions of a batch job
- [Arguments and results](arguments.md): retry policies, and the types in signatures
- [Errors](errors.md), [Choices](choices.md), [Record types](records.md), [What the server says about itself](server.md)
- [The testing package](testing.md), [The core package](core.md)""",
        "## Resources",
        "One page each: fields, choices, filters, orders and all methods.",
        "\n".join([head, "|---" * (len(verbs) + 1) + "|", *rows]),
    )


def _mark(method: str, methods: Iterable[str]) -> str:
    return f"[✓][keystone_client.KeystoneClient.{method}]" if method in methods else ""


def _client(title: str, name: str, twin: str, general: list[str]) -> str:
    boost = 0.5 if name == "KeystoneClient" else 0.4
    options = {"show_bases": False, "show_overloads": False, "overloads_only": False, "members": general}
    return page(
        title,
        f"Making a `{name}`, logging in, batches and plain HTTP. The methods for records stand on the pages of the "
        f"resources, such as [Allocation requests](request.md). {twin} has the same methods.",
        directive(f"keystone_client.{name}", heading_level=2, inherited_members=True, **options),
        boost=boost,
    )


def _job() -> str:
    return page(
        "Batch jobs",
        "What `client.batch()` yields, with both clients, and the results of its actions. How to use it is on "
        "[Batch and bulk](../bulk.md).",
        directive("keystone_client.Job", heading_level=2, inherited_members=True),
        *_in_signatures("job", "keystone_client"),
        boost=0.3,
    )


def _in_signatures(page: str, package: str) -> Iterator[str]:
    for path in IN_SIGNATURES[page]:
        yield directive(f"{package}.{path}", heading_level=2, inherited_members=True)


def _public(package: object) -> dict[str, object]:
    names: Iterable[str] = getattr(package, "__all__", ())
    return {name: getattr(package, name) for name in names}


def _is_choice(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, enum.StrEnum)


def _arguments() -> str:
    elsewhere = {"AsyncKeystoneClient", "Job", "KeystoneClient"}
    names = [
        name
        for name, value in _public(keystone_client).items()
        if not (is_error(value) or _is_choice(value) or inspect.ismodule(value) or name in elsewhere)
    ]
    return page(
        "Arguments and results",
        "What the clients take and return besides records. All can be imported from `keystone_client`, but for the "
        "types at the end: they stand in signatures, and plain values are given for them.",
        *(directive(f"keystone_client.{name}", heading_level=2) for name in names),
        *_in_signatures("arguments", "keystone_client"),
    )


def _choices(facts: Facts) -> str:
    parts = []
    for name, labels in facts.choices.items():
        parts.append(directive(f"keystone_client.{name}", heading_level=2, members=False))
        parts.append(resource_pages.choice_table(name, labels))
        if path := facts.choice_paths.get(name):
            parts.append(f"The server lists them at `{path}/`; `retrieve_choices` reads them.")
    return page(
        "Choices",
        'Fields that take one of a few codes. A code may be given as text, `"AP"`, or as a member of its class, which '
        "is that text: `RequestStatus.APPROVED`.",
        *parts,
    )


def _records(facts: Facts) -> str:
    shown = {"heading_level": 3, "members": False, "show_docstring_parameters": False, "show_bases": False}
    shown |= {"show_signature": False, "separate_signature": False}
    records = [*facts.resources.values()]
    parts = ["## Records"]
    for resource in records:
        names = [resource.record]
        names += [
            f"{resource.record}{each.capitalize()}" for each in ("create", "update") if each in resource.operations
        ]
        parts += [directive(f"keystone_client.records.{name}", **shown) for name in names]
        parts.append(f"Fields: [{resource_pages.title(resource.name)}]({resource_pages.page_name(resource)}#fields)")
    parts.append("## Records inside records")
    for name, fields in facts.shapes.items():
        parts.append(directive(f"keystone_client.records.{name}", **shown))
        parts.append(resource_pages.field_table(fields.values(), facts.meanings[name]))
    return page(
        "Record types",
        "Records are plain dictionaries; these are their types, to be imported from `keystone_client.records`. "
        "`Request` is what the server returns, `RequestCreate` and `RequestUpdate` are what is sent.",
        *parts,
    )


def _server() -> str:
    return page(
        "What the server says about itself",
        "The types of the settings, the health checks and the statistics: what `retrieve_config`, `retrieve_health` "
        "and methods such as `retrieve_request_stats` return. How to use them is on [The server itself](../server.md).",
        directive("keystone_client_core.server", heading_level=2, show_root_heading=False, show_root_toc_entry=False),
    )


def _testing() -> str:
    options = {"heading_level": 2, "inherited_members": True, "show_bases": False}
    names = list(keystone_client_testing.__all__)
    names.sort(key=lambda name: name != "FakeKeystone")
    fixtures = [
        directive(
            f"keystone_client_testing.plugin.{name}", heading_level=3, show_signature=False, separate_signature=False
        )
        for name in FIXTURES
    ]
    return page(
        "The testing package",
        "What can be imported from `keystone_client_testing`, what `fake.add` and `fake.clock` are, and the fixtures "
        "for pytest. How to use them is on [Testing with the fake](../testing.md).",
        *(directive(f"keystone_client_testing.{name}", **options) for name in names),
        *_in_signatures("testing", "keystone_client_testing"),
        "## Fixtures",
        *fixtures,
    )


def _core() -> str:
    others = _public(keystone_client)
    names = [
        name
        for name, value in _public(keystone_client_core).items()
        if name not in others and not inspect.ismodule(value)
    ]
    return page(
        "The core package",
        "What can be imported from `keystone_client_core`, besides the errors, the choices and what "
        "[Arguments and results](arguments.md) shows. How to use it is on [The vocabulary alone](../core.md).",
        *(directive(f"keystone_client_core.{name}", heading_level=2) for name in names),
    )
