"""Read the query parameters of raw requests, and tell which requests are listings that the table of resources has."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

import httpx
from keystone_client_core import RESOURCES, FieldError, Resource

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
        return httpx.QueryParams(params).multi_items()
    except (AttributeError, TypeError, ValueError):  # ValueError: an integer too long for Python to write
        raise FieldError("params: give a mapping, or pairs of names and values", field="params") from None
