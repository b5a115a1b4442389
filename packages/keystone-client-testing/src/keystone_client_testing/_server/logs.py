"""The request log and the feed. Reading a log adds to it, as on the server."""

from typing import Any

from .._world.store import Record, Store
from .call import Call


def log_request(call: Call, status: int) -> None:
    """Add a row to the request log. As on the server, a row that does not fit its table is dropped without an error."""
    store = call.world.store
    row: Record = {
        "method": call.method,
        "endpoint": call.full_path,
        "response_code": status,
        "remote_address": call.address,
        "timestamp": call.world.clock.now(),
        "cid": call.cid,
        "user": call.user and call.user["id"],
    }
    too_long = [column for column, most in store.database.log_lengths.items() if len(row[column]) > most]
    if call.database_down or too_long:
        return
    if call.user and store.get("user", call.user["id"]) is None:
        store.skip_id("request_log")  # the caller has deleted the own account, so the database refuses the row
    else:
        store.insert("request_log", row)


def feed_entries(store: Store) -> list[Record]:
    """Return all rows of the three logs in the feed's shape."""
    requests = [_entry("request", row, row["timestamp"], **_request_part(row)) for row in _rows(store, "request_log")]
    tasks = [_entry("task", row, row["date_created"], **_task_part(row)) for row in _rows(store, "task_result")]
    audits = [_entry("audit", row, row["timestamp"], **_audit_part(row)) for row in _rows(store, "audit_log")]
    return requests + tasks + audits


def _rows(store: Store, resource: str) -> Any:
    return store.tables[resource].values()


def _entry(kind: str, row: Record, moment: Any, **rest: Any) -> Record:
    return {"id": f"{kind[0]}{row['id']}", "record_id": row["id"], "record_type": kind, "timestamp": moment, **rest}


def _request_part(row: Record) -> Record:
    return {
        "summary": row["endpoint"],
        "user": row["user"],
        "cid": row["cid"],
        "status": str(row["response_code"]),
    }


def _task_part(row: Record) -> Record:
    return {"summary": row["task_name"], "user": None, "cid": None, "status": row["status"]}


def _audit_part(row: Record) -> Record:
    return {"summary": row["object_repr"], "user": row["actor"], "cid": row["cid"], "status": None}
