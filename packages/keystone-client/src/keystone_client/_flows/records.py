"""Create, retrieve, update and delete one record."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

import httpx
from keystone_client_core import (
    RESOURCES,
    FieldError,
    Resource,
    encode_fields,
    ignored_fields,
    record_path,
)

from .._config.arguments import checked_flag
from .._flow import Flow
from .._listing import plan as listing
from .._listing.query import Query
from .._protocol.bodies import json_body, multipart
from .._protocol.call import Call
from .._protocol.expectations import changed, condition
from .._protocol.measured_file import Sent
from .._protocol.requests import Draft
from .._protocol.responses import acknowledged, is_missing, record_of
from .._protocol.upload_limits import check_uploads
from .._protocol.uploads import Content, Upload, attachment_fields, open_upload

if TYPE_CHECKING:
    from keystone_client_core import Fault


def create(call: Call, name: str, fields: Mapping[str, object]) -> Flow[Any]:
    """Create a record and return it as the server keeps it."""
    resource = RESOURCES[name]
    sent = _ready(resource, encode_fields(resource, fields, "create"))
    response = yield from _written(call, "POST", f"{resource.path}/", sent)
    record = record_of(response, call.cid)
    call.session.note_created(resource.model, record)
    return _unabridged(resource, sent, record, "create")


def check(name: str, records: Iterable[object]) -> "list[Fault]":
    """Find what is wrong with records to be created; nothing is sent."""
    from keystone_client_core import check_records  # most programs never need it

    return check_records(RESOURCES[name], records)


def update(
    call: Call, name: str, pk: object, data: Mapping[str, object], expect: Mapping[str, object] | None = None
) -> Flow[Any]:
    """Change some fields of a record, if it is as expected, and return it as the server keeps it."""
    resource = RESOURCES[name]
    endpoint, params = record_path(resource.path, pk), condition(resource, expect)
    sent = _ready(resource, encode_fields(resource, data, "update"))
    response = yield from _written(call, "PATCH", endpoint, sent, params)
    if expect is not None and is_missing(response):
        raise (yield from changed(call, response, endpoint, expect))
    return _unabridged(resource, sent, record_of(response, call.cid), "update")


def retrieve(call: Call, name: str, pk: object, raise_not_exists: bool, query: Query) -> Flow[Any]:
    """Fetch all records that match, or one record; if that does not exist, return ``None`` or raise, as asked."""
    if not listing.wants_one(pk, raise_not_exists, query):
        return (yield from listing.collected(listing.plan(call, name, query)))
    endpoint, must_exist = record_path(RESOURCES[name].path, pk), checked_flag("raise_not_exists", raise_not_exists)
    response = yield from call.send(Draft("GET", endpoint))
    if is_missing(response) and not must_exist:
        return None
    return record_of(response, call.cid)


def delete(
    call: Call, name: str, pk: object, raise_not_exists: bool, expect: Mapping[str, object] | None = None
) -> Flow[None]:
    """Delete a record, if it is as expected; if it does not exist, do nothing or raise, as asked."""
    resource = RESOURCES[name]
    endpoint, must_exist = record_path(resource.path, pk), checked_flag("raise_not_exists", raise_not_exists)
    response = yield from call.send(Draft("DELETE", endpoint, condition(resource, expect) or None))
    if expect is not None and is_missing(response):
        error = yield from changed(call, response, endpoint, expect)
        if error.record is not None or error.__cause__ is not None or not call.lost:
            raise error
    if is_missing(response) and (call.lost or not must_exist):
        return  # after a lost answer, "no such record" means that the first try has deleted it
    acknowledged(response, call.cid)


def create_attachment(
    call: Call,
    request: object,
    content: Content,
    *,
    name: str | None,
    filename: str | None,
    on_progress: Sent | None,
) -> Flow[Any]:
    """Attach a file to an allocation request."""
    upload = open_upload(content, filename, on_progress)
    try:
        return (yield from create(call, "attachment", attachment_fields(request, upload, name)))
    finally:
        upload.close()


def _written(
    call: Call, method: str, endpoint: str, sent: Mapping[str, object], params: Mapping[str, str] | None = None
) -> Flow[httpx.Response]:
    uploads = [value for value in sent.values() if isinstance(value, Upload)]
    if not uploads:
        return (yield from call.send(Draft(method, endpoint, params or None, content=json_body(sent))))
    try:
        check_uploads(uploads, call.session.upload_limits)
        return (yield from call.send(Draft(method, endpoint, params or None, body=multipart(sent))))
    finally:
        for upload in uploads:
            upload.close()


def _ready(resource: Resource, sent: dict[str, object]) -> dict[str, object]:
    """Open the files among the fields."""
    for name, value in sent.items():
        if resource.fields[name].kind == "file" and not isinstance(value, Upload):
            sent[name] = open_upload(cast(Content, value))
    return sent


def _unabridged(
    resource: Resource, sent: Mapping[str, object], record: dict[str, Any], operation: Literal["create", "update"]
) -> dict[str, Any]:
    """Return the record; raise if the server dropped a field, as it does with some unless the caller is staff."""
    dropped = ignored_fields(resource, sent, record)
    if dropped:
        names = ", ".join(dropped)
        raise FieldError(
            f"the server carried out this {operation} but ignored {names}: only staff may set that. See .record",
            field=dropped[0],
            record=record,
        )
    return record
