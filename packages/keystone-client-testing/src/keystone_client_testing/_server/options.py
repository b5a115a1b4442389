"""Answers OPTIONS: the name of an endpoint, its media types, and the fields that this caller may write.

Source: DRF's metadata, as seen on the wire. Its prose about endpoints is not repeated.
"""

import re
from collections.abc import Mapping
from typing import Any

from keystone_client_core import CHOICE_PATHS, CHOICES, RESOURCES, SHAPES, Field

from .._wire import RefusedError, Reply
from .._world.database import Database
from . import permissions
from . import records as record_endpoints
from .call import Call
from .route import Route

_COUNTED_NAMES: Mapping[str, str] = {
    "grant": "Grant", "notification": "Notification", "publication": "Publication", "request": "Allocation Request",
}  # fmt: skip
_CHOICE_NAMES: Mapping[str, str] = {
    "MembershipRole": "Membership Role", "RequestStatus": "Allocation Request Status",
    "ReviewStatus": "Allocation Review Status", "AccessMode": "Cluster Access Mode",
    "NotificationType": "Notification Type",
}  # fmt: skip
_NAMES: Mapping[str, str] = {
    "/authentication/login/": "Login",
    "/authentication/logout/": "Logout",
    "/authentication/whoami/": "Who Am I",
    "/version/": "Version",
    "/config/": "Config",
    "/health/": "Health Check",
    "/health/json/": "Health Check Json",
    "/health/prom/": "Health Check Prometheus",
    "/batch/": "Job Api",
    "/openapi/json/": "Spectacular Jsonapi",
    "/openapi/yaml/": "Spectacular Yamlapi",
    "/logs/feed/": "Feed",
    **{f"/{RESOURCES[name].statistics_path}/": f"{named} Stats" for name, named in _COUNTED_NAMES.items()},
    **{f"/{CHOICE_PATHS[name]}/": f"{named} Choices" for name, named in _CHOICE_NAMES.items()},
}
_TYPES: Mapping[str, str] = {
    "int": "integer", "bool": "boolean", "text": "string", "key": "field", "keys": "field", "json": "field",
    "file": "file upload", "shape": "nested object", "shapes": "field",
}  # fmt: skip
_LABELS: Mapping[str, str] = {
    "id": "ID", "is_superuser": "Superuser status", "is_staff": "Staff status", "is_ldap_user": "LDAP User",
    "changes": "Change message",
}  # fmt: skip
_HELP: Mapping[str, str] = {
    "is_superuser": "Designates that this user has all permissions without explicitly assigning them.",
    "groups": ("The groups this user belongs to. A user will get all permissions granted to each of their groups."),
    "user_permissions": "Specific permissions for this user.",
}
_SHAPE_OF: Mapping[str, str] = {
    "AllocationRequestSummary": "request", "AttachmentSummary": "attachment", "ClusterSummary": "cluster",
    "CommentSummary": "comment", "GrantSummary": "grant", "PublicationSummary": "publication",
    "ResourceAllocationSummary": "allocation", "TeamRole": "membership", "TeamSummary": "team",
    "UserRole": "membership", "UserSummary": "user",
}  # fmt: skip
"""The resource a nested shape is a part of."""
_REQUIRED_IN = frozenset({("TeamSummary", "slug"), ("AttachmentSummary", "name")})
_READ_ONLY_IN = frozenset({
    ("AuditLogSummary", "id"), ("AuditLogSummary", "action"), ("AuditLogSummary", "_actor"),
    ("GrantSummary", "team"), ("PublicationSummary", "team"),
})  # fmt: skip
_PECULIAR: Mapping[tuple[str, str], dict[str, Any]] = {
    ("TeamSummary", "slug"): {"max_length": 255},
    ("AuditLogSummary", "action"): {"type": "field"},
}
_OPAQUE = frozenset({"CommentSummary"})
"""Shapes the server computes and does not describe."""


def describe(call: Call, route: Route, key: str) -> Reply:
    """Answer what an endpoint takes.

    Args:
        call: the request.
        route: the endpoint.
        key: the record a detail URL names.

    Returns:
        The reply.
    """
    resource = route.resource
    name = _NAMES.get(call.path) or (_name(resource, key) if resource else "Api Root")
    answer: dict[str, Any] = {"name": name, "description": "", "renders": list(route.media), "parses": [*route.types]}
    if actions := _actions(call, resource, key, route.allow):
        answer["actions"] = actions
    return Reply(200, answer)


def _name(resource: str, key: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", RESOURCES[resource].model)
    return f"{words} {'Instance' if key else 'List'}"


def _actions(call: Call, resource: str, key: str, allow: str) -> dict[str, Any]:
    if call.path == "/authentication/login/":
        return {"POST": {name: _entry("string", name, required=True) for name in ("username", "password")}}
    if call.path == "/authentication/logout/":
        return {"POST": {}}
    method = "PUT" if key else "POST"
    if not resource or method not in allow or not _may(call, resource, key, method):
        return {}
    fields = call.world.database.fields(resource).values()
    return {method: {field.name: _field(call, field) for field in fields if not field.hidden}}


def _may(call: Call, resource: str, key: str, method: str) -> bool:
    """Run the permission checks of a write without a body."""
    call.method, asked = method, call.method
    try:
        if not permissions.may_ask(call, resource, ""):
            return False
        if key:
            record_endpoints.find_record(call, resource, key)
    except RefusedError:
        return False
    finally:
        call.method = asked
    return True


def _field(call: Call, field: Field) -> dict[str, Any]:
    read_only = field.read_only or (field.staff_only and not call.staff)
    return _described(field, field.required and not read_only, read_only, call.world.database)


def _described(field: Field, required: bool, read_only: bool, database: Database) -> dict[str, Any]:
    entry = _entry(_TYPES.get(field.kind, field.kind), field.name, required, read_only)
    limits = {"max_length": field.length, "min_value": field.minimum, "max_value": field.maximum}
    entry |= {name: limit for name, limit in limits.items() if limit is not None}
    if field.name in _HELP:
        entry["help_text"] = _HELP[field.name]
    if field.digits:
        entry |= {"max_digits": field.digits[0], "decimal_places": field.digits[1]}
    if field.kind == "choice" and not read_only:
        labels = CHOICES[field.target].items()
        entry["choices"] = [{"value": value, "display_name": label} for value, label in labels]
    return entry | _nested(field, database)


def _entry(kind: str, name: str, required: bool = False, read_only: bool = False) -> dict[str, Any]:
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    return {"type": kind, "required": required, "read_only": read_only, "label": label}


def _nested(field: Field, database: Database) -> dict[str, Any]:
    if field.kind not in ("shape", "shapes") or field.target in _OPAQUE:
        return {}
    children = {name: _child(field.target, inner, database) for name, inner in SHAPES[field.target].items()}
    if field.kind == "shape":
        return {"children": children}
    child = {"type": "nested object", "required": False, "read_only": True, "children": children}
    return {"child": child}


def _child(shape: str, inner: Field, database: Database) -> dict[str, Any]:
    """Describe a field of a nested shape: as its own resource describes it, with a few differences."""
    fields = database.fields(_SHAPE_OF[shape]) if shape in _SHAPE_OF else {}
    field = fields.get(inner.name, inner) if inner.kind not in ("shape", "shapes") else inner
    required = (shape, inner.name) in _REQUIRED_IN or field.required
    listed = inner.kind in ("shape", "shapes") or (shape, inner.name) in _READ_ONLY_IN
    read_only = not required and (listed or field.read_only)
    if (shape, inner.name) in _READ_ONLY_IN:
        required, read_only = False, True
    return _described(field, required, read_only, database) | _PECULIAR.get((shape, inner.name), {})
