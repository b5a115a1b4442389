"""Read the query parameters of raw requests, and tell which requests are listings that the table of resources has."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

import httpx
from keystone_client_core import RESOURCES, FieldError, Resource, encode_query

from .bodies import form_text

Pairs: TypeAlias = list[tuple[str, str]]
"""Query parameters: names and values, in their order."""


def known_listing(path: str) -> Resource | None:
    """Return the resource that a path below the base URL lists, ``None`` if the table has no such listing."""
    return _listings().get(path.partition("?")[0])


@cache
def _listings() -> Mapping[str, Resource]:
    return {f"{resource.path}/": resource for resource in RESOURCES.values() if "list" in resource.operations}


def own_parameters(path: str) -> Pairs:
    """Return the parameters in the query of a path."""
    return httpx.QueryParams(path.partition("?")[2]).multi_items()


def parameter_pairs(params: Any) -> Pairs:
    """Return query parameters as text.

    Raises:
        FieldError: They are not what httpx takes.
    """
    if params is None:
        return []
    try:
        if isinstance(params, str | bytes | httpx.QueryParams):
            pairs = httpx.QueryParams(params).multi_items()
        else:
            pairs = [(name, value) for name, value in (params.items() if isinstance(params, Mapping) else params)]
        encode_query(pairs)
    except (TypeError, ValueError):  # UnicodeError is a ValueError
        raise FieldError("params: give a mapping, or pairs of names and values, all as text", field="params") from None
    return [(name, text) for name, value in pairs for text in _texts(name, value)]


def _texts(name: Any, value: Any) -> list[str]:
    if not isinstance(name, str):
        raise FieldError(f"params: a name is text, not {type(name).__name__}", field="params")
    items = value if isinstance(value, list | tuple) else [value]
    return [form_text("params", name, item) for item in items]
