"""A client for Keystone, the HPC allocation manager: ``KeystoneClient``, and ``AsyncKeystoneClient`` for async code."""

import typing
from importlib import import_module

from keystone_client_core import (
    AccessMode,
    FeedRecordType,
    FieldError,
    FilterError,
    InvalidCIDError,
    InvalidURLError,
    KeystoneError,
    MembershipRole,
    NotificationType,
    ReferenceTokenError,
    RequestStatus,
    ReviewStatus,
    UnknownParameterWarning,
    changes,
)

from ._client import KeystoneClient
from ._config.retry_policy import RetryPolicy
from ._errors import (
    AuthenticationError,
    BulkError,
    ClosedError,
    DeadlineExceededError,
    DecodeError,
    JobError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    RequestTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StatusError,
    ThrottledError,
    TransportError,
    ValidationError,
)
from ._hints.former_names import MODULES, retired_module
from ._listing.query import Followed
from ._version import __version__ as __version__

__all__ = [
    "AccessMode",
    "AsyncKeystoneClient",
    "AuthenticationError",
    "BulkError",
    "ClosedError",
    "DeadlineExceededError",
    "DecodeError",
    "Fault",
    "FeedRecordType",
    "FieldError",
    "FilterError",
    "Followed",
    "InvalidCIDError",
    "InvalidURLError",
    "JobError",
    "KeystoneClient",
    "KeystoneError",
    "MembershipRole",
    "NotFoundError",
    "NotificationType",
    "PaginationError",
    "PermissionDeniedError",
    "ReferenceTokenError",
    "RequestStatus",
    "RequestTimeoutError",
    "ResponseTooLargeError",
    "RetryPolicy",
    "ReviewStatus",
    "ServerError",
    "StatusError",
    "ThrottledError",
    "TransportError",
    "UnknownParameterWarning",
    "ValidationError",
    "changes",
    "records",
]


def _present(*kinds: type) -> None:
    """Let tracebacks and documentation show the names that users write.

    That is where a class is imported from, and of which client a method is, not of which of its bases.
    """
    for kind in kinds:
        kind.__module__ = __name__
        for base in kind.__mro__ if kind.__name__.endswith("KeystoneClient") else ():
            for name, attribute in vars(base).items():
                method: typing.Any = None if name.startswith("_") else attribute
                while hasattr(method, "__code__"):
                    method.__qualname__ = f"{kind.__name__}.{name}"
                    method = getattr(method, "__wrapped__", None)


_OURS = (f"{__name__}.", f"{__name__}_core")
_present(*(each for each in globals().values() if isinstance(each, type) and each.__module__.startswith(_OURS)))

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keystone_client_core import Fault

    from . import records
    from ._async_client import AsyncKeystoneClient
else:

    def __getattr__(name: str) -> object:
        """Import what not every program needs on first use: it would slow down every import of the client."""
        if name == "AsyncKeystoneClient":
            from ._async_client import AsyncKeystoneClient

            _present(AsyncKeystoneClient)
            globals()[name] = AsyncKeystoneClient
            return AsyncKeystoneClient
        if name == "records":
            return import_module(f"{__name__}.records")
        if name in MODULES:
            raise AttributeError(str(retired_module(name)))
        if name == "Fault":
            return import_module("keystone_client_core").Fault
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
