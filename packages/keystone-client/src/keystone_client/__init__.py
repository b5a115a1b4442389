"""A client for Keystone, the HPC allocation manager: ``KeystoneClient`` and ``AsyncKeystoneClient``."""

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
    records,
)

from ._async_client import AsyncKeystoneClient
from ._client import KeystoneClient
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
    ServerError,
    StatusError,
    ThrottledError,
    TransportError,
    ValidationError,
)
from ._retry import RetryPolicy

__version__ = "0.1.0"

__all__ = [
    "AccessMode",
    "AsyncKeystoneClient",
    "AuthenticationError",
    "BulkError",
    "ClosedError",
    "DeadlineExceededError",
    "DecodeError",
    "FeedRecordType",
    "FieldError",
    "FilterError",
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
    "RetryPolicy",
    "ReviewStatus",
    "ServerError",
    "StatusError",
    "ThrottledError",
    "TransportError",
    "ValidationError",
    "records",
]

for _name in __all__:  # tracebacks and documentation show where users import a name from
    _object = globals()[_name]
    if isinstance(_object, type) and _object.__module__.startswith(__name__):
        _object.__module__ = __name__
del _name, _object
