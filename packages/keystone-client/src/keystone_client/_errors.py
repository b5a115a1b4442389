"""The errors of a conversation with a server.

    KeystoneError (core)
    ├── InvalidURLError, InvalidCIDError, FilterError, FieldError, ReferenceTokenError (core)
    ├── StatusError                 any answer of 300 and above that is none of these
    │   ├── ValidationError         400
    │   ├── AuthenticationError     401, and a login that failed
    │   ├── PermissionDeniedError   403
    │   ├── NotFoundError           404
    │   ├── JobError                422
    │   ├── ThrottledError          429
    │   └── ServerError             500 and above
    ├── TransportError              no answer
    │   └── RequestTimeoutError
    ├── DecodeError                 an answer that is not the JSON the API promises
    │   └── ResponseTooLargeError   more than ``max_response_size``
    ├── PaginationError             a listing that cannot be made complete
    ├── BulkError
    ├── ClosedError
    └── DeadlineExceededError

Only the classes live here; ``_answers`` decides which one an answer becomes. Every error survives pickling and copying.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from keystone_client_core import KeystoneError


def _restore(cls: type[Exception], arguments: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    error = cls.__new__(cls, *arguments)
    error.args = arguments
    error.__dict__.update(state)
    return error


class _Portable(KeystoneError):
    """Pickles by state: the constructors of httpx's errors take keywords, which the default way cannot give back."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__.copy())


class StatusError(_Portable, httpx.HTTPStatusError):
    """The server answered with a status that is not a success.

    Attributes:
        status_code: The HTTP status.
        detail: The server's one-sentence reason, if it gave one.
        field_errors: What the server found wrong, by field; nested fields are joined by dots.
        cid: The correlation id of the client that asked.
        request: The request, without body, credentials and cookies.
        response: The answer, without cookies.
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
        """Keep what the server said; see the class for the meaning of the arguments."""
        super().__init__(message, request=request, response=response)
        self.status_code = response.status_code
        self.detail = detail
        self.field_errors = {name: list(messages) for name, messages in (field_errors or {}).items()}
        self.cid = cid


class ValidationError(StatusError):
    """400: the server refused the values; see ``field_errors``."""


class AuthenticationError(StatusError):
    """401, or a login that failed: nobody is logged in, or the credentials are wrong."""


class PermissionDeniedError(StatusError):
    """403: the caller may not do this."""


class NotFoundError(StatusError):
    """404: there is no such record, or the URL leads to no Keystone API."""


class JobError(StatusError):
    """422: a batch job failed as a whole and was rolled back.

    Attributes:
        action: The number of the action that is to blame, from 1, or ``None`` if the server does not tell.
        method: Its HTTP method.
        path: Its path.
        call: The call that added it, with the names of its arguments but not their values.
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
        """The number of the step that failed, from 1."""
        return self._number("step")

    @property
    def step_status(self) -> int | None:
        """The status that step was answered with."""
        return self._number("status")

    @property
    def token(self) -> str | None:
        """The reference that could not be resolved."""
        token = self._said.get("token")
        return token if isinstance(token, str) else None

    @property
    def body(self) -> Any:
        """What that step was answered with."""
        return self._said.get("body")


class ThrottledError(StatusError):
    """429: too many requests.

    Attributes:
        retry_after: The seconds the server asks to wait, or ``None``.
    """

    retry_after: float | None = None


class ServerError(StatusError):
    """500 and above: the server, or a proxy before it, failed."""


class TransportError(_Portable, httpx.TransportError):
    """No answer arrived.

    Attributes:
        outcome: ``"not sent"`` if the server cannot have acted, else ``"unknown"``.
        attempts: How many times it was tried.
        cid: The correlation id of the client that asked.
        request: The request, without body, credentials and cookies.
    """

    def __init__(
        self, message: str, *, request: httpx.Request, outcome: str, attempts: int = 1, cid: str | None = None
    ) -> None:
        """Keep what is known of the failure; see the class for the meaning of the arguments."""
        super().__init__(message, request=request)
        self.outcome = outcome
        self.attempts = attempts
        self.cid = cid


class RequestTimeoutError(TransportError, httpx.TimeoutException):
    """No answer arrived in time."""


class DecodeError(_Portable):
    """The answer is not the JSON the API promises: a page of a proxy, a cut body, another shape.

    Attributes:
        response: The answer, without cookies.
        cid: The correlation id of the client that asked.
    """

    def __init__(self, message: str, *, response: httpx.Response | None = None, cid: str | None = None) -> None:
        """Keep the answer; see the class for the meaning of the arguments."""
        super().__init__(message)
        self.response = response
        self.cid = cid


class ResponseTooLargeError(DecodeError):
    """The answer has more bytes than ``max_response_size``, unpacked; the rest of it was not read."""


class PaginationError(_Portable):
    """A listing cannot be made complete: the server repeats, skips or does not advance."""

    def __init__(self, message: str, *, cid: str | None = None) -> None:
        """Say what the pages did; ``cid`` is the correlation id of the client that asked."""
        super().__init__(message)
        self.cid = cid


class BulkError(_Portable):
    """A bulk operation stopped; every record is in one of four places. What stopped it is its ``__cause__``.

    Attributes:
        completed: Records that are in, as the server keeps them; of a delete, the keys that are gone.
        failed: Records of the chunk that was refused, as they were given; of an update, pairs of key and fields.
        unknown: Records of which nobody knows whether they were written, as they were given: the answer was lost, or a
            500. Wait until the server cannot be at work on them any more, then look before you send them again.
        pending: Records that were not written, as they were given; in a dry run, also those the server had no
            complaint about.
        position: The place of the record that is to blame among those given, from 0, or ``None`` if nobody knows.
    """

    position: int | None = None

    def __init__(
        self,
        message: str,
        *,
        completed: Sequence[Any] = (),
        failed: Sequence[Any] = (),
        unknown: Sequence[Any] = (),
        pending: Sequence[Any] = (),
        cid: str | None = None,
    ) -> None:
        """Keep the account of all records; see the class for the meaning of the arguments."""
        super().__init__(message)
        self.completed, self.failed = list(completed), list(failed)
        self.unknown, self.pending = list(unknown), list(pending)
        self.cid = cid


class ClosedError(_Portable):
    """The client was used after it was closed."""


class DeadlineExceededError(_Portable, TimeoutError):
    """The deadline of the retry policy passed before the call was done.

    Attributes:
        outcome: ``"not sent"`` if the server cannot have acted on the last request of the call, else ``"unknown"``.
        cid: The correlation id of the client that asked.
    """

    outcome: str = "not sent"
    cid: str | None = None
