"""What the client gets where a planned fault replaces the answer."""

from collections.abc import Mapping
from typing import Any

from .._wire import Answer, Reply, page, to_answer
from .._world.faults import HTML, Fault

_BODIES: Mapping[int, str] = {
    400: "Bad request.",
    401: "Authentication credentials were not provided.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    405: "Method not allowed.",
    406: "Could not satisfy the request Accept header.",
    415: "Unsupported media type in request.",
    429: "Request was throttled. Expected available in {wait} seconds.",
}
_JOB_BODY = {"detail": "Step #1 failed with status 400", "step": 1, "status": 400, "body": {"detail": "Bad request."}}
_RETRY_AFTER = 60
_PROXY_PAGE = b"<html><head><title>Proxy</title></head><body><h1>This is not the page you asked for</h1></body></html>"


def apply_fault(fault: Fault, answer: Answer | None) -> Answer:
    """Return what the client gets.

    Args:
        fault: the rule that hit.
        answer: the true answer; ``None`` when the fault comes before the request is handled.

    Returns:
        The answer to deliver, with the transport fault to act out.
    """
    if fault.error == HTML:
        headers = (("Content-Type", "text/html"), ("Content-Length", str(len(_PROXY_PAGE))))
        return Answer(fault.status or 200, headers, _PROXY_PAGE)
    if fault.status is not None:
        return _status_answer(fault, fault.status)
    lost = answer or Answer(0, (("Content-Type", "application/json"),), b'{"id": 1, "na')
    return lost._replace(fault=fault.error or "")


def _status_answer(fault: Fault, status: int) -> Answer:
    if status == 500 and fault.json is None:
        return to_answer(page(500), False, "")
    if status == 204:
        return to_answer(Reply(status), False, "")
    wait = fault.retry_after if fault.retry_after is not None else _RETRY_AFTER if status == 429 else None
    headers = (("Retry-After", str(wait)),) if wait is not None else ()
    return to_answer(Reply(status, _body(fault, status, wait), headers), False, "")


def _body(fault: Fault, status: int, wait: int | None) -> Any:
    if fault.json is not None:
        return fault.json
    if status == 422:
        return _JOB_BODY
    return {"detail": _BODIES.get(status, f"Status {status}.").format(wait=wait)}
