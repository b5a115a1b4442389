"""Renders the page of the errors: what each means, and the attributes it has, its own and those it inherits."""

import inspect
import re
from collections.abc import Iterator
from typing import TypeGuard

import keystone_client
from page_text import cell, code, directive, page


def is_error(value: object) -> TypeGuard[type[Exception]]:
    """Return whether something is the class of an error or of a warning."""
    return isinstance(value, type) and issubclass(value, Exception)


def render() -> str:
    """Return the text of the page."""
    public = {name: getattr(keystone_client, name) for name in keystone_client.__all__}
    errors = {name: value for name, value in public.items() if is_error(value)}
    rows = [
        f"| [`{name}`][keystone_client.{name}] | {_purpose(value)} | {code(attributes(value))} |"
        for name, value in errors.items()
    ]
    return page(
        "Errors",
        "All can be imported from `keystone_client`. What to do about each is on [Errors](../errors.md), and frequent "
        "messages are on [Troubleshooting](../troubleshooting.md).",
        "\n".join(["| error | raised when | attributes |", "|---|---|---|", *rows]),
        *(directive(f"keystone_client.{name}", heading_level=2) for name in errors),
    )


def _purpose(kind: type) -> str:
    return cell((inspect.getdoc(kind) or "").partition("\n\n")[0].replace("``", "`"))


def attributes(kind: type) -> list[str]:
    """Return the public attributes of an error, with those it inherits from other errors of the client."""
    found: dict[str, None] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.partition(".")[0] in ("keystone_client", "keystone_client_core"):
            found |= dict.fromkeys(_described(base))
    return [name for name in found if not name.startswith("_")]


def _described(kind: type) -> Iterator[str]:
    """Yield the attributes that the docstring of a class lists, and those that its body annotates or computes."""
    text = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
    yield from re.findall(r"^    (\w+): ", text, re.MULTILINE)
    yield from vars(kind).get("__annotations__", {})
    yield from (name for name, value in vars(kind).items() if isinstance(value, property))
