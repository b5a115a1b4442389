"""What the logger ``kclient`` says about one call; ``keystone_client_core`` documents the fields of its records.

A request is told at DEBUG before it is sent, its response at INFO, and what makes a call take longer (another try, a
login in between) at WARNING.
"""

import logging
from typing import Any

import httpx

from .._log import LOGGER
from .._transport.outgoing import endpoint_of


class CallLog:
    """Logs records about the requests of one call."""

    def __init__(self, base_url: str, cid: str) -> None:
        """Take what all records of the call have in common."""
        self._context = {"cid": cid, "baseurl": base_url}

    def sending(self, request: httpx.Request, attempt: int) -> None:
        """Say that a request is about to be sent."""
        self._log(logging.DEBUG, "%s %s", request, request.method, endpoint_of(request), attempt=attempt)

    def received(self, request: httpx.Request, response: httpx.Response, attempt: int) -> None:
        """Say that a response has arrived, and after how long."""
        status, seconds = response.status_code, response.elapsed.total_seconds()
        where = (request.method, endpoint_of(request) or "/")
        message = "%s %s %d in %.0f ms"
        self._log(logging.INFO, message, request, *where, status, seconds * 1000,
                  status_code=status, attempt=attempt, elapsed=seconds)  # fmt: skip

    def held(self, request: httpx.Request, wait: float) -> None:
        """Say that a request waits because an earlier one was throttled."""
        message = "%s %s waits %.2f s: the server throttles this client"
        self._log(logging.DEBUG, message, request, request.method, endpoint_of(request), wait)

    def problem(self, message: str, request: httpx.Request, *details: object, **fields: object) -> None:
        """Say that a call takes longer than it should, or has failed; ``fields`` are those of the record."""
        self._log(logging.WARNING, message, request, *details, **fields)

    def _log(self, level: int, message: str, request: httpx.Request, *details: object, **fields: Any) -> None:
        about = {"method": request.method, "endpoint": endpoint_of(request), "url": str(request.url)}
        LOGGER.log(level, message, *details, extra={**self._context, **about, **fields})
