"""The errors that need no HTTP library.

    KeystoneError
    ├── InvalidURLError        (ValueError)  a base URL or an endpoint
    ├── InvalidCIDError        (ValueError)  a correlation id
    ├── FilterError            (ValueError)  a filter, a search, an order, a limit or a page size
    ├── FieldError             (ValueError)  a field of a record, or a primary key
    └── ReferenceTokenError    (ValueError)  a reference between the steps of a batch job

    UnknownParameterWarning (UserWarning)    a query parameter that the server ignores

Each error is raised before anything is sent, with one exception: a ``FieldError`` with a ``record`` reports a field
that the server dropped. Only the classes live here; the modules that raise them write the messages.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._checks import Fault


class KeystoneError(Exception):
    """The base class of every error of the Keystone client."""

    cid: str | None = None
    """The correlation id of the request, or of the client if no request was sent; ``None`` if there is neither."""


class InvalidURLError(KeystoneError, ValueError):
    """A base URL or an endpoint that is refused. The message shows at most scheme and host: the rest may be secret."""


class InvalidCIDError(KeystoneError, ValueError):
    """A correlation id that is not a UUID."""


class ReferenceTokenError(KeystoneError, ValueError):
    """Text that the server would take for a reference between the actions of a batch job, or an invalid reference.

    Attributes:
        position: The index of the record in a bulk operation, from 0.
        label: The caller's label of that record, if the records were given with labels.
        faults: All that is wrong with the records of a bulk operation.
    """

    position: int | None = None
    label: Any = None
    faults: "tuple[Fault, ...]" = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickling: values that cannot be pickled are replaced by their repr."""
        return type(self), self.args, _portable_faults(self.__dict__)


class FilterError(KeystoneError, ValueError):
    """A filter, search, order, limit or page size that the server would refuse or, worse, ignore.

    The message says what is wrong, with which value, and what to do.

    Attributes:
        field: The name of the filter as it was given, such as ``enabled__in``, or the name of the argument:
            ``search``, ``order``, ``limit`` or ``page_size``.
        value: The value as it was given.
        matches: Names close to an unknown one, the closest first.
        lookups: The lookups that the field supports.
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
        """Support pickling: a value that cannot be pickled, such as a generator, is replaced by its repr."""
        return type(self), self.args, {**self.__dict__, "value": _portable(self.value)}


class FieldError(KeystoneError, ValueError):
    """A field that the server would drop or did drop without an error, or a value that the field cannot hold.

    The message says what is wrong and what to do.

    Attributes:
        field: The name of the field, or of the first one if there are several; ``pk`` for a primary key.
        position: The index of the record in a bulk operation, from 0.
        record: The record as the server stored it, if it dropped a field because of the caller's role.
        matches: Names close to an unknown one, the closest first.
        label: The caller's label of that record, if the records of the bulk operation were given with labels.
        faults: All that is wrong with the records of a bulk operation; the other attributes are about the first.
    """

    def __init__(
        self,
        message: str = "",
        *,
        field: str = "",
        position: int | None = None,
        record: Mapping[str, Any] | None = None,
        matches: tuple[str, ...] = (),
        label: Any = None,
        faults: "tuple[Fault, ...]" = (),
    ) -> None:
        super().__init__(message)
        self.field = field
        self.position = position
        self.record = record
        self.matches = matches
        self.label = label
        self.faults = faults

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickling: values that cannot be pickled are replaced by their repr."""
        return type(self), self.args, _portable_faults(self.__dict__)


def _portable(value: object) -> object:
    """Return a value that can be pickled: itself, or its repr."""
    import pickle  # most errors are never pickled

    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001  # an object may raise anything when it is pickled
        return repr(value)
    return value


def _portable_faults(state: Mapping[str, Any]) -> dict[str, Any]:
    portable = dict(state)
    if "label" in state:
        portable["label"] = _portable(state["label"])
    if "faults" in state:
        portable["faults"] = tuple(
            each._replace(label=_portable(each.label), value=_portable(each.value)) for each in state["faults"]
        )
    return portable


class UnknownParameterWarning(UserWarning):
    """A query parameter of a listing that the server ignores: it returns more records than were asked for."""


for _error in list(globals().values()):
    if isinstance(_error, type) and _error.__module__ == __name__:
        _error.__module__ = __name__.rpartition(".")[0]  # tracebacks name an error as it is imported
