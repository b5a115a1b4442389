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

from ._bulk_errors import BulkError, PlanError
from ._client import KeystoneClient
from ._config.retry_policy import RetryPolicy
from ._errors import (
    AuthenticationError,
    ChangedError,
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
from ._listing.query import Filters, Followed, Key, Order, Progress
from ._protocol.uploads import Content
from ._transport.tls_and_proxy import Verify
from ._version import __version__ as __version__

__all__ = [
    "AccessMode",
    "AsyncKeystoneClient",
    "AsyncPlan",
    "AuthenticationError",
    "BulkError",
    "Change",
    "ChangedError",
    "ClosedError",
    "Content",
    "DeadlineExceededError",
    "DecodeError",
    "Ensured",
    "Fault",
    "FeedRecordType",
    "FieldError",
    "FilterError",
    "Filters",
    "Followed",
    "InvalidCIDError",
    "InvalidURLError",
    "Job",
    "JobError",
    "Key",
    "KeystoneClient",
    "KeystoneError",
    "MembershipRole",
    "NotFoundError",
    "NotificationType",
    "Order",
    "PaginationError",
    "PermissionDeniedError",
    "Plan",
    "PlanError",
    "PlanResult",
    "Progress",
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
    "Verify",
    "Wanted",
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

_LATER = {
    "AsyncKeystoneClient": f"{__name__}._async_client",
    "AsyncPlan": f"{__name__}._async_plan",
    "Change": "keystone_client_core",
    "Ensured": f"{__name__}._flows.ensure",
    "Fault": "keystone_client_core",
    "Job": f"{__name__}._generated.job_methods",
    "Plan": f"{__name__}._plan",
    "PlanResult": f"{__name__}._bulk.plan_runner",
    "Wanted": "keystone_client_core",
}
"""What not every program needs, by the module it is imported from on first use: it would slow down every import."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keystone_client_core import Change, Fault, Wanted

    from . import records
    from ._async_client import AsyncKeystoneClient
    from ._async_plan import AsyncPlan
    from ._bulk.plan_runner import PlanResult
    from ._flows.ensure import Ensured
    from ._generated.job_methods import Job
    from ._plan import Plan
else:

    def __getattr__(name: str) -> object:
        if name in _LATER:
            found = getattr(import_module(_LATER[name]), name)
            _present(found)
            globals()[name] = found
            return found
        if name == "records":
            return import_module(f"{__name__}.records")
        if name in MODULES:
            raise AttributeError(str(retired_module(name)))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
