"""The fake's own OpenAPI document, made from its routes and the table of resources: what it answers, no more."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from keystone_client_core import LARGEST_PAGE, RESOURCES

from .._parsing import filters
from .._parsing.filter_values import Rule
from .._wire import Reply
from .._world.database import Database
from .call import Call
from .route import Route
from .schemas import Schema, field_schema, reference, schemas
from .stats import COUNTED

Routes = Callable[[], Sequence[Route]]
TITLE = "Keystone API"
_NAMES: Mapping[tuple[str, bool], str] = {
    ("GET", False): "list", ("GET", True): "retrieve", ("POST", False): "create", ("PUT", True): "update",
    ("PATCH", True): "partial_update", ("DELETE", True): "destroy",
}  # fmt: skip
_ANSWERS: Mapping[tuple[str, str], str] = {
    ("/authentication/login/", "POST"): "User",
    ("/authentication/whoami/", "GET"): "User",
    ("/batch/", "POST"): "JobResult",
    ("/config/", "GET"): "ServerConfig",
    **{(path, "GET"): f"{RESOURCES[name].record}Stats" for path, name in COUNTED.items()},
}
_BODIES: Mapping[str, str] = {"/authentication/login/": "Login", "/batch/": "JobRequest"}
_TEXTS = frozenset({"/", "/version/", "/health/", "/health/prom/"})
_FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_CONTROLS: Mapping[str, str] = {
    "_limit": f"Records of a page: 1 to {LARGEST_PAGE}, 100 by default.",
    "_offset": "Records to skip.",
    "_order": "Fields to order by, separated by commas; a leading minus turns one round.",
    "_search": "Words to search for.",
}


@cache
def document(database: Database, every: Routes) -> Mapping[str, Any]:
    """Return the document of a server on this database that has these routes."""
    return {
        "openapi": "3.0.3",
        "info": {"title": TITLE, "version": "0.0.0", "description": "A fake Keystone for tests."},
        "paths": {route.path: _path(route, database) for route in every()},
        "components": {
            "schemas": schemas(database),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"},
            },
        },
    }


def answer(name: str, every: Routes) -> Callable[[Call], Reply]:
    """Return the endpoint that answers the document as JSON text, which is YAML as well.

    Args:
        name: what its file name ends in.
        every: returns the routes; the table of them holds this endpoint too.
    """
    file = ("Content-Disposition", f'inline; filename="{TITLE}.{name}"')
    return lambda call: Reply(200, headers=(("Content-Type", call.media), file), text=_text(call.world.database, every))


@cache
def _text(database: Database, every: Routes) -> bytes:
    return json.dumps(document(database, every), indent=4).encode()


def _path(route: Route, database: Database) -> dict[str, Schema]:
    return {method.lower(): _operation(route, method, database) for method in route.handlers}


def _operation(route: Route, method: str, database: Database) -> Schema:
    with_key = "{id}" in route.path
    words = [word for word in route.path.replace("-", "_").split("/") if word and word != "{id}"]
    name = _NAMES.get((method, with_key), method.lower()) if route.resource else method.lower()
    operation: Schema = {
        "operationId": "_".join([*words, name]) or "home",
        "tags": words[:1],
        "parameters": list(_parameters(route, method, with_key, database)),
        "responses": _responses(route, method, with_key),
    }
    if body := _body(route, method):
        operation["requestBody"] = body
    return operation | ({"security": []} if route.public else {"security": [{"session": []}, {"token": []}]})


def _parameters(route: Route, method: str, with_key: bool, database: Database) -> Iterator[Schema]:
    if with_key:
        yield {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    if method != "GET" or with_key:
        return
    if route.resource:
        for name, text in _CONTROLS.items():
            kind = "integer" if name in ("_limit", "_offset") else "string"
            yield {"name": name, "in": "query", "description": text, "schema": {"type": kind}}
    filtered = route.resource or COUNTED.get(route.path, "")
    for name, rule in filters.rules(filtered, database).items() if filtered else ():
        yield {"name": name, "in": "query", **_filter(rule)}


def _filter(rule: Rule) -> Schema:
    if rule.lookup == "isnull":
        return {"schema": {"type": "boolean"}}
    value = field_schema(rule.field._replace(nullable=False, read_only=False))
    if rule.lookup == "in":
        return {"schema": {"type": "array", "items": value}, "style": "form", "explode": False}
    parts = ("year", "month", "day", "week", "week_day", "hour", "minute", "second")
    return {"schema": {"type": "integer"} if rule.lookup in parts else value}


def _responses(route: Route, method: str, with_key: bool) -> dict[str, Schema]:
    status = "201" if method == "POST" and route.resource else "204" if method == "DELETE" else "200"
    found = {status: {"description": "", **_content(route, method, with_key)}}
    error = {"description": "", "content": {"application/json": {"schema": reference("Error")}}}
    if route.path == "/batch/":
        found["422"] = {"description": "", "content": {"application/json": {"schema": reference("JobExecutionError")}}}
    return found if route.path in _TEXTS else {**found, "default": error}


def _content(route: Route, method: str, with_key: bool) -> Schema:
    if method == "DELETE" or route.path == "/authentication/logout/":
        return {}
    if route.path in _TEXTS:
        return {"content": {"text/plain": {"schema": {"type": "string"}}}}
    name = _ANSWERS.get((route.path, method), "")
    if route.resource:
        name = RESOURCES[route.resource].record + ("" if with_key or method == "POST" else "Page")
    return {"content": {"application/json": {"schema": reference(name) if name else {"type": "object"}}}}


def _body(route: Route, method: str) -> Schema:
    name = _BODIES.get(route.path, "")
    if route.resource:
        name = RESOURCES[route.resource].record + ("Update" if method == "PATCH" else "Request")
    if not name or method not in ("POST", "PUT", "PATCH"):
        return {}
    return {"required": True, "content": {kind: {"schema": reference(name)} for kind in _FORMS}}
