"""A client for Keystone, the HPC allocation manager: ``KeystoneClient``, and ``AsyncKeystoneClient`` for async code."""

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

from ._async_client import AsyncKeystoneClient
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

__version__ = "0.1.0"

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

# Tracebacks and documentation show the names that users write: where a class is imported from, and of which client a
# method is, not of which of its bases.
for _public in list(globals().values()):
    if isinstance(_public, type) and _public.__module__.startswith((f"{__name__}.", f"{__name__}_core")):
        _public.__module__ = __name__
for _client in (KeystoneClient, AsyncKeystoneClient):
    for _base in _client.__mro__:
        for _name, _method in vars(_base).items():
            while not _name.startswith("_") and _method is not None and hasattr(_method, "__code__"):
                _method.__qualname__ = f"{_client.__name__}.{_name}"
                _method = getattr(_method, "__wrapped__", None)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keystone_client_core import Fault

    from . import records
else:

    def __getattr__(name: str) -> object:
        """Import what few programs need on first use: it would slow down every import of the client."""
        if name == "records":
            return import_module(f"{__name__}.records")
        if name in MODULES:
            raise AttributeError(str(retired_module(name)))
        if name == "Fault":
            return import_module("keystone_client_core").Fault
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
