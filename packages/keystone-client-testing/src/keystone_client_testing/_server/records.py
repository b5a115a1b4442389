"""The endpoints of a resource: list, retrieve, create, update, delete.

Each takes the call and says what to reply. Checks run in the server's order: the record is looked up,
then the right to touch it, then the body.
"""

from collections.abc import Mapping
from typing import Any

from keystone_client_core import RESOURCES

from .._parsing.bodies import Upload
from .._parsing.filter_values import NoYearError
from .._parsing.filters import Filter, Filters, apply, read_filters
from .._parsing.ordering import order, read_order
from .._parsing.rules import Write
from .._parsing.uploads import storage_path
from .._parsing.validation import validate
from .._wire import RefusedRowError, Reply, detail
from .._world.history import record_change
from .._world.models import CREATED_NOW, TOUCHED, empty_record
from .._world.store import Record
from . import lists, permissions
from .call import Call
from .deletion import delete_record
from .logs import feed_entries
from .render import View, render


def list_records(call: Call, resource: str) -> Reply:
    """Answer a page of a listing."""
    query, store = call.query, call.world.store
    filters = read_filters(resource, query, store)
    read_order(resource, query.get("_order", ""))
    terms = lists.read_search(store, resource, query.get("_search", ""))
    records = lists.search(store, resource, terms, _matching(call, resource, filters.run()))
    limit, offset = lists.window(query)
    path, _, sent = call.full_path.partition("?")
    head = lists.envelope(call.base + path, sent, len(records), limit, offset)
    rows = order(store, resource, query.get("_order", ""), records)[offset : offset + limit]
    view = View(store, call.staff)
    return Reply(200, {**head, "results": [render(view, resource, row) for row in rows]})


def _matching(call: Call, resource: str, filters: list[Filter]) -> list[Record]:
    if resource == "feed_entry":
        return apply(filters, feed_entries(call.world.store))
    return permissions.listed(call, resource, lists.select(call.world.store, resource, filters))


def find_record(call: Call, resource: str, text: str) -> Record:
    """Look up the record of a detail URL. Filters, order and search are read before its key, and apply to it."""
    store = call.world.store
    filters = read_filters(resource, call.query, store)
    read_order(resource, call.query.get("_order", ""))
    terms = lists.read_search(store, resource, call.query.get("_search", ""))
    record = store.get(resource, _key(text))
    rows = [record] if record is not None and permissions.reachable(call, resource, record) else []
    rows = lists.search(store, resource, terms, apply(_detail_filters(filters), rows))
    if not rows:
        raise detail(404, f"No {RESOURCES[resource].model} matches the given query.")
    if not permissions.may_touch(call, resource, rows[0]):
        raise detail(403, "You do not have permission to perform this action.")
    return rows[0]


def _detail_filters(filters: Filters) -> list[Filter]:
    try:
        return filters.run()
    except NoYearError:
        raise detail(404, "Not found.") from None


def _key(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise detail(404, "Not found.") from None


def retrieve_record(call: Call, resource: str, text: str) -> Reply:
    """Answer one record."""
    record = find_record(call, resource, text)
    return Reply(200, render(View(call.world.store, call.staff), resource, record))


def create_record(call: Call, resource: str) -> Reply:
    """Create a record from the body."""
    values = validate(Write(call.world.store, resource, call.caller), call.data)
    record = insert_record(call, resource, values)
    return Reply(201, render(View(call.world.store, call.staff, written=True), resource, record))


def insert_record(call: Call, resource: str, values: dict[str, Any]) -> Record:
    """Store a new record with defaults, automatic values and history."""
    store, now = call.world.store, call.world.clock.now()
    automatic = {**dict.fromkeys(CREATED_NOW.get(resource, ()), now), **_caller_default(call, resource)}
    record = store.insert(resource, {**empty_record(resource), **automatic, **_stored(call, values)})
    record_change(store, resource, None, record, now, call.origin)
    return record


def _caller_default(call: Call, resource: str) -> dict[str, Any]:
    return {"user": call.caller["id"]} if resource == "comment" else {}


def _stored(call: Call, values: dict[str, Any]) -> dict[str, Any]:
    upload = values.get("file")
    if not isinstance(upload, Upload):
        return values
    path = storage_path(call.world.store, upload.name)
    call.world.store.files[path] = upload.content
    return {**values, "file": path}


def update_record(call: Call, resource: str, text: str) -> Reply:
    """Change a record; PUT requires every required field, PATCH none.

    The server writes the audit row first, so it stays where the database then refuses the record.
    """
    old = find_record(call, resource, text)
    store, now = call.world.store, call.world.clock.now()
    write = Write(store, resource, call.caller, old, partial=call.method == "PATCH")
    try:
        changes = validate(write, call.data)
    except RefusedRowError as error:
        refused = {**old, **error.values, **_as_sent(error.values)}
        error.commit_side_effects = lambda: record_change(store, resource, old, refused, now, call.origin)
        raise
    if column := TOUCHED.get(resource):
        changes[column] = now
    record = store.update(resource, old["id"], _stored(call, changes))
    record_change(store, resource, old, {**record, **_as_sent(changes)}, now, call.origin)
    return Reply(200, render(View(store, call.staff, written=True), resource, record))


def _as_sent(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file name as the history of an update has it: as it was sent, not as it is stored."""
    upload = changes.get("file")
    return {"file": upload.name} if isinstance(upload, Upload) else {}


def remove_record(call: Call, resource: str, text: str) -> Reply:
    """Delete a record and the records that depend on it."""
    record = find_record(call, resource, text)
    delete_record(call, resource, record)
    return Reply(204)
