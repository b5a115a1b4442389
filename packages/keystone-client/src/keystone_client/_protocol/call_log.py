"""What the logger ``kclient`` says about one call; ``keystone_client_core`` documents the fields of its records.

A request is logged at DEBUG before it is sent, its response at INFO, and what makes a call take longer (another try, a
login in between) at WARNING.
"""

import logging
from typing import Any

import httpx

from .._log import LOGGER, LONGEST_SILENCE, warn_without_logging
from .._transport.outgoing import endpoint_of


class CallLog:
    """Logs records about the requests of one call."""

    def __init__(self, base_url: str, cid: str) -> None:
        """Take what all records of the call have in common."""
        self._context = {"cid": cid, "baseurl": base_url}
        self._silent = True

    def sending(self, request: httpx.Request, attempt: int) -> None:
        """Say that a request is about to be sent."""
        self._log(logging.DEBUG, "%s %s", request, request.method, endpoint_of(request), attempt=attempt)

    def received(self, request: httpx.Request, response: httpx.Response, attempt: int) -> None:
        """Say that a response has arrived, and after how long."""
        status, seconds = response.status_code, response.elapsed.total_seconds()
        where = (request.method, endpoint_of(request) or "/")
        fields = {"status_code": status, "attempt": attempt, "elapsed": seconds}
        self._log(logging.INFO, "%s %s %d in %.0f ms", request, *where, status, seconds * 1000, **fields)

    def held(self, request: httpx.Request, wait: float) -> None:
        """Say that a request waits because an earlier one was throttled."""
        message = "%s %s waits %.2f s: the server throttles this client"
        details = (request.method, endpoint_of(request), wait)
        self._log(logging.DEBUG, message, request, *details)
        self._warn_of_wait(message, details, wait)

    def problem(self, message: str, request: httpx.Request, *details: object, wait: float = 0, **fields: Any) -> None:
        """Say that a call takes longer than it should, or has failed.

        Args:
            message: What happened; the method and the endpoint are put in front of it.
            request: The request that it happened to.
            details: The arguments of the message.
            wait: The seconds that the call waits now.
            fields: Fields of the record, such as ``status_code``.
        """
        details = (request.method, fields.get("endpoint", endpoint_of(request)), *details)
        self._log(logging.WARNING, f"%s %s: {message}", request, *details, **fields)
        self._warn_of_wait(f"%s %s: {message}", details, wait)

    def _warn_of_wait(self, message: str, details: tuple[object, ...], wait: float) -> None:
        """Tell the first long wait to somebody even where no logging is configured."""
        if self._silent and wait > LONGEST_SILENCE:
            self._silent = False
            warn_without_logging(message % details)

    def _log(self, level: int, message: str, request: httpx.Request, *details: object, **fields: Any) -> None:
        about = {"method": request.method, "endpoint": endpoint_of(request), "url": str(request.url)}
        LOGGER.log(level, message, *details, extra={**self._context, **about, **fields})
