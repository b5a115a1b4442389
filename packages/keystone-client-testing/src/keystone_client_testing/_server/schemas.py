"""The table of resources as JSON schemas in the dialect of OpenAPI 3.0: facts in another form, no behaviour."""

from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any, get_args, get_type_hints

from keystone_client_core import CHOICES, NO_DEFAULT, RESOURCES, SHAPES, Field, Resource, server

from .._world.database import Database

Schema = dict[str, Any]

_KINDS: Mapping[str, Schema] = {
    "int": {"type": "integer"},
    "key": {"type": "integer"},
    "keys": {"type": "array", "items": {"type": "integer"}},
    "float": {"type": "number", "format": "double"},
    "decimal": {"type": "string", "format": "decimal"},
    "bool": {"type": "boolean"},
    "text": {"type": "string"},
    "slug": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
    "email": {"type": "string", "format": "email"},
    "ip": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "file": {"type": "string"},
    "json": {},
}
_PLAIN: Mapping[type, Schema] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
}  # fmt: skip
_SERVER = ("ServerConfig", "GrantStats", "PublicationStats", "RequestStats", "NotificationStats")
_BOUNDS: Mapping[str, str] = {"minimum": "minimum", "maximum": "maximum"}
_LIMITS: Mapping[str, str] = {"length": "maxLength", **_BOUNDS}
_ERROR: Schema = {"type": "object", "properties": {"detail": {"type": "string"}}}
_STEP: Mapping[str, Schema] = {
    "ref": {"type": "string", "nullable": True},
    "index": {"type": "integer"},
    "method": {"type": "string"},
    "path": {"type": "string"},
    "status": {"type": "integer"},
    "body": {"nullable": True},
}


def reference(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas(database: Database) -> dict[str, Schema]:
    """Return every schema of the document, by name, with the bounds of a database."""
    return {
        **{name: _object(fields.values()) for name, fields in SHAPES.items()},
        **{name: _enum(codes) for name, codes in CHOICES.items()},
        **{name: schema for resource in RESOURCES.values() for name, schema in _of_resource(resource, database)},
        **{name: _typed(getattr(server, name)) for name in _SERVER},
        "Login": _given({"username": _KINDS["text"], "password": {**_KINDS["text"], "writeOnly": True}}),
        "Error": _ERROR,
        "JobRequest": {"type": "object", "properties": {"job": {"type": "object"}}, "required": ["job"]},
        "JobStepResult": _given(_STEP),
        "JobResult": _given({"results": {"type": "array", "items": reference("JobStepResult")}}),
        "JobExecutionError": _ERROR,
    }


def _of_resource(resource: Resource, database: Database) -> Iterable[tuple[str, Schema]]:
    fields = database.fields(resource.name).values()
    yield resource.record, _object(field for field in fields if not (field.hidden or field.write_only))
    page: dict[str, Schema] = {
        "count": {"type": "integer"},
        "next": {"type": "string", "nullable": True},
        "previous": {"type": "string", "nullable": True},
        "results": {"type": "array", "items": reference(resource.record)},
    }
    yield f"{resource.record}Page", _given(page)
    written = {field.name: field_schema(field, written=True) for field in fields if field.writable}
    if "create" in resource.operations or "update" in resource.operations:
        required = [field.name for field in fields if field.required]
        yield f"{resource.record}Update", {"type": "object", "properties": written}
        yield f"{resource.record}Request", _needing(required, written)


def _object(fields: Iterable[Field]) -> Schema:
    return _given({field.name: field_schema(field) for field in fields})


def _given(properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that always has all its keys."""
    return _needing(list(properties), properties)


def _needing(required: list[str], properties: Mapping[str, Schema]) -> Schema:
    some = {"required": required} if required else {}  # an empty list is not allowed
    return {"type": "object", "properties": dict(properties), **some}


def _enum(codes: Iterable[str]) -> Schema:
    return {"type": "string", "enum": list(codes)}


def field_schema(field: Field, written: bool = False) -> Schema:
    """Return what a field holds.

    Args:
        field: the field.
        written: as it is sent, not as it is answered.
    """
    schema = _TARGETED[field.kind](field.target) if field.kind in _TARGETED else dict(_KINDS[field.kind])
    if written and field.kind == "file":
        schema["format"] = "binary"
    if field.nullable:
        schema = {"allOf": [schema], "nullable": True} if "$ref" in schema else {**schema, "nullable": True}
    limits = _LIMITS if written else _BOUNDS
    schema |= {word: getattr(field, name) for name, word in limits.items() if getattr(field, name) is not None}
    if written and field.default is not NO_DEFAULT and isinstance(field.default, bool | int | str):
        schema["default"] = field.default
    if field.read_only and "$ref" not in schema:
        schema["readOnly"] = True
    return schema


_TARGETED: Mapping[str, Callable[[str], Schema]] = {
    "choice": reference,
    "shape": lambda name: {"allOf": [reference(name)], "nullable": True},  # the user may be missing
    "shapes": lambda name: {"type": "array", "items": reference(name)},
}


def _typed(record: type) -> Schema:
    """Return the schema of a ``TypedDict``."""
    return _given({name: _of_type(hint) for name, hint in get_type_hints(record).items()})


def _of_type(hint: Any) -> Schema:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    inner = [part for part in get_args(hint) if part is not NoneType]
    if len(inner) == 1 and NoneType in get_args(hint):
        return {**_of_type(inner[0]), "nullable": True}
    return {"type": "array", "items": _of_type(inner[0])} if inner else {"type": "object"}
