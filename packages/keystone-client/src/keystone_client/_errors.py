"""The errors that the client raises.

    KeystoneError (core)
    ├── InvalidURLError, InvalidCIDError, FilterError, FieldError, ReferenceTokenError (core)
    ├── StatusError                 any other status of 300 and above
    │   ├── ValidationError         400
    │   ├── AuthenticationError     401, and a login that failed
    │   ├── PermissionDeniedError   403
    │   ├── NotFoundError           404
    │   │   └── ChangedError        404 to a call with ``expect``
    │   ├── JobError                422
    │   ├── ThrottledError          429
    │   └── ServerError             500 and above
    ├── TransportError              no answer arrived
    │   └── RequestTimeoutError     not in time
    ├── DecodeError                 an answer that is not the JSON the API promises
    │   └── ResponseTooLargeError   more than ``max_response_size``
    ├── PaginationError             a listing that cannot be made complete
    ├── BulkError                   a bulk operation that stopped (``_bulk_errors``)
    ├── PlanError                   a plan that stopped while it was applied (``_bulk_errors``)
    ├── ClosedError                 use after ``close()``
    └── DeadlineExceededError       the deadline of the retry policy passed

The classes only: ``_protocol`` decides which one an answer or a failure becomes. All can be pickled and copied.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from keystone_client_core import KeystoneError


def _restore(cls: type[Exception], arguments: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    error = cls.__new__(cls, *arguments)
    error.args, error.__dict__ = arguments, state
    return error


class _Portable(KeystoneError):
    """Pickles by state: the constructors of httpx's errors take keywords, which the default pickling does not keep."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__.copy())


class StatusError(_Portable, httpx.HTTPStatusError):
    """The server answered with a status that is not a success.

    Attributes:
        status_code: The HTTP status.
        detail: The server's reason in one sentence, or ``None``.
        field_errors: The server's complaints by field name; names of nested fields are joined by dots.
        cid: The correlation id of the client; the server's logs carry it.
        request: The request, without its body, credentials and cookies.
        response: The response, without cookies.
    """

    def __init__(
        self,
        message: str,
        *,
        request: httpx.Request,
        response: httpx.Response,
        detail: str | None = None,
        field_errors: Mapping[str, Sequence[str]] | None = None,
        cid: str | None = None,
    ) -> None:
        super().__init__(message, request=request, response=response)
        self.status_code: int = response.status_code
        self.detail = detail
        self.field_errors: dict[str, list[str]] = {
            name: list(messages) for name, messages in (field_errors or {}).items()
        }
        self.cid = cid


class ValidationError(StatusError):
    """400: the server rejected the values that were sent; see ``field_errors``."""


class AuthenticationError(StatusError):
    """401, or a login that failed: the client is not logged in, its session is over, or the credentials are wrong."""


class PermissionDeniedError(StatusError):
    """403: the user of this client is not allowed to do this."""


class NotFoundError(StatusError):
    """404: there is no such record, or there is no Keystone API at this URL."""


class ChangedError(NotFoundError):
    """404 to a write with ``expect``: the record is not as it was expected to be, and nothing was written.

    Attributes:
        record: The record as it is now; ``None`` if it is gone.
    """

    record: Mapping[str, Any] | None = None


class JobError(StatusError):
    """422: an action of a batch job failed, and the server undid the whole job.

    Attributes:
        action: The number of the action to blame, counted from 1, or ``None`` if the server does not say.
        method: The HTTP method of that action.
        path: The path of that action.
        call: The call that added that action, with the names of its arguments but not their values.
    """

    action: int | None = None
    method: str = ""
    path: str = ""
    call: str = ""

    @property
    def _said(self) -> Mapping[str, Any]:
        try:
            body = self.response.json()
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    def _number(self, name: str) -> int | None:
        value = self._said.get(name)
        return value if type(value) is int else None

    @property
    def step(self) -> int | None:
        """The number of the step that failed, counted from 1, as the server says."""
        return self._number("step")

    @property
    def step_status(self) -> int | None:
        """The HTTP status of that step."""
        return self._number("status")

    @property
    def token(self) -> str | None:
        """The reference that the server could not resolve, if that is what failed."""
        token = self._said.get("token")
        return token if isinstance(token, str) else None

    @property
    def body(self) -> Any:
        """The answer to that step."""
        return self._said.get("body")


class ThrottledError(StatusError):
    """429: too many requests.

    Attributes:
        retry_after: The seconds that the server asks to wait, or ``None`` if it does not say.
    """

    retry_after: float | None = None


class ServerError(StatusError):
    """500 and above: the server, or a proxy in front of it, failed."""


class TransportError(_Portable, httpx.TransportError):
    """No answer arrived: no connection, or one that broke.

    Attributes:
        outcome: ``"not sent"`` if the server cannot have acted; ``"unknown"`` if it may have.
        attempts: The number of requests that were sent for this answer, retries and smaller pages included.
        cid: The correlation id of the client; the server's logs carry it.
        request: The request, without its body, credentials and cookies.
    """

    def __init__(
        self, message: str, *, request: httpx.Request, outcome: str, attempts: int = 1, cid: str | None = None
    ) -> None:
        super().__init__(message, request=request)
        self.outcome = outcome
        self.attempts = attempts
        self.cid = cid


class RequestTimeoutError(TransportError, httpx.TimeoutException):
    """No answer arrived within the timeout."""


class DecodeError(_Portable):
    """The answer is not the JSON that the API promises: a proxy's page, a body that was cut off, other data.

    Attributes:
        response: The response, without cookies, or ``None``.
        cid: The correlation id of the client; the server's logs carry it.
    """

    def __init__(self, message: str, *, response: httpx.Response | None = None, cid: str | None = None) -> None:
        super().__init__(message)
        self.response = response
        self.cid = cid


class ResponseTooLargeError(DecodeError):
    """The answer is larger than ``max_response_size``, counted after decompression; the rest of it was not read."""


class PaginationError(_Portable):
    """A listing cannot be made complete: the server's pages repeat or skip records, or do not advance.

    Attributes:
        cid: The correlation id of the client; the server's logs carry it.
    """

    def __init__(self, message: str, *, cid: str | None = None) -> None:
        super().__init__(message)
        self.cid = cid


class ClosedError(_Portable):
    """The client was used after ``close()``, or a job after its ``with`` block."""


class DeadlineExceededError(_Portable, TimeoutError):
    """The deadline of the retry policy passed, or would have passed during a wait, before the call was done.

    Attributes:
        outcome: ``"not sent"`` if the server cannot have acted on the last request; ``"unknown"`` if it may have.
        cid: The correlation id of the client; the server's logs carry it.
    """

    outcome: str = "not sent"
    cid: str | None = None
