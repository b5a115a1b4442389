"""Checks answers against an OpenAPI 3.0 document: the fake's own, or one a live server gave."""

from collections.abc import Mapping
from typing import Any

import httpx
from jsonschema import Draft4Validator


class Document:
    """The schemas of the answers of one document, compiled into validators."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read a document.

        Args:
            document: OpenAPI 3.0, as parsed.
        """
        plain = _without_nullable(document)
        self._paths: Mapping[str, Any] = plain["paths"]
        self._root = {"components": plain["components"]}
        self._checks: dict[tuple[str, str, str], Draft4Validator | None] = {}

    @property
    def operations(self) -> set[tuple[str, str]]:
        """Every path and method of the document."""
        return {(path, method.upper()) for path, found in self._paths.items() for method in found}

    def complaint(self, path: str, method: str, answer: httpx.Response) -> str:
        """Return what is wrong with an answer; empty if it is valid or the document does not describe it.

        Args:
            path: as the document writes it, with ``{id}``.
            method: HTTP method.
            answer: the answer to check.
        """
        check = self._check(path, method, str(answer.status_code))
        if check is None or "json" not in answer.headers.get("content-type", ""):
            return ""
        error = next(iter(check.iter_errors(answer.json())), None)
        return f"{'.'.join(map(str, error.absolute_path))}: {error.message}"[:300] if error else ""

    def _check(self, path: str, method: str, status: str) -> Draft4Validator | None:
        key = (path, method, status)
        if key not in self._checks:
            answers = self._paths.get(path, {}).get(method.lower(), {}).get("responses", {})
            content = answers.get(status, answers.get("default", {})).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            self._checks[key] = None if schema is None else Draft4Validator({**self._root, "allOf": [schema]})
        return self._checks[key]


def _without_nullable(value: Any) -> Any:
    """Turn OpenAPI's ``nullable``, which JSON schemas do not know, into a choice of two."""
    if isinstance(value, list):
        return [_without_nullable(item) for item in value]
    if not isinstance(value, dict):
        return value
    rest = {name: _without_nullable(item) for name, item in value.items() if name != "nullable"}
    return {"anyOf": [rest, {"type": "null"}]} if value.get("nullable") is True else rest
