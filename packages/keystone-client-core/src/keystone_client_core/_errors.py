"""The errors that need no HTTP library.

    KeystoneError
    ├── InvalidURLError        (ValueError)  a base URL or an endpoint
    ├── InvalidCIDError        (ValueError)  a correlation id
    ├── FilterError            (ValueError)  a filter, a search, an order, a limit or a page size
    ├── FieldError             (ValueError)  a field of a record, or a primary key
    └── ReferenceTokenError    (ValueError)  a reference between the steps of a batch job

Each is raised before anything is sent, but for a ``FieldError`` that carries a record. Only the classes live here; the
wording of their messages belongs to the modules that raise them.
"""

from collections.abc import Mapping
from typing import Any


class KeystoneError(Exception):
    """Base of every error of the Keystone client."""

    cid: str | None = None
    """The correlation id of the request or the client concerned, where there is one."""


class InvalidURLError(KeystoneError, ValueError):
    """A base URL or an endpoint that is refused. The message repeats no more of it than scheme and host."""


class InvalidCIDError(KeystoneError, ValueError):
    """A correlation id that is not a UUID."""


class ReferenceTokenError(KeystoneError, ValueError):
    """Text that a batch job would take for a reference to one of its steps, or a reference that cannot be.

    Attributes:
        position: The place of the record among several, from 0.
    """

    position: int | None = None


class FilterError(KeystoneError, ValueError):
    """A filter, search, order, limit or page size that the server would refuse or, worse, ignore.

    Args:
        message: What is wrong, with which value, and what to do.
        field: The name as it was given: ``enabled__in``; ``search``, ``order``, ``limit`` or ``page_size``.
        value: The value as it was given.
        matches: Names close to an unknown one, the closest first.
        lookups: The lookups the field has.
    """

    def __init__(
        self,
        message: str = "",
        *,
        field: str = "",
        value: object = None,
        matches: tuple[str, ...] = (),
        lookups: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.matches = matches
        self.lookups = lookups

    def __reduce__(self) -> tuple[Any, ...]:
        """Let an error pickle whose value cannot, a generator for example: its text stands in."""
        import pickle  # most errors are never pickled

        try:
            pickle.dumps(self.value)
        except Exception:  # noqa: BLE001  # objects raise what they like when pickled
            return type(self), self.args, {**self.__dict__, "value": repr(self.value)}
        return type(self), self.args, dict(self.__dict__)


class FieldError(KeystoneError, ValueError):
    """A field that the server would drop in silence or did drop, or a value the field cannot hold.

    Args:
        message: What is wrong and what to do.
        field: The name of the field; the first of them if there are several; ``pk`` for a primary key.
        position: The place of the record among several, from 0.
        record: What the server kept, where it dropped a field because of the caller's role.
        matches: Names close to an unknown one, the closest first.
    """

    def __init__(
        self,
        message: str = "",
        *,
        field: str = "",
        position: int | None = None,
        record: Mapping[str, Any] | None = None,
        matches: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.field = field
        self.position = position
        self.record = record
        self.matches = matches


for _error in list(globals().values()):
    if isinstance(_error, type):
        _error.__module__ = __name__.rpartition(".")[0]  # tracebacks name an error as it is imported
