"""The vocabulary of Keystone: URLs, correlation ids, filters, fields, log context and the table of resources.

Depends on the standard library only and never sends a request. Each module is imported when one of its names is first
used, so that importing the package costs almost nothing.
"""

TYPE_CHECKING = False  # type checkers treat this name as true; importing typing for it would cost milliseconds
if TYPE_CHECKING:
    from . import choices, records
    from ._batch import (
        Action,
        create_action,
        delete_action,
        failed_action,
        job_body,
        list_action,
        reference,
        retrieve_action,
        update_action,
    )
    from ._changes import changes
    from ._checks import (
        CheckedRecords,
        Fault,
        check_records,
        checked_creates,
        checked_deletes,
        checked_updates,
        record_name,
    )
    from ._cid import adopt_cid, new_cid
    from ._errors import (
        FieldError,
        FilterError,
        InvalidCIDError,
        InvalidURLError,
        KeystoneError,
        ReferenceTokenError,
        UnknownParameterWarning,
    )
    from ._fields import encode_fields, ignored_fields
    from ._filter_names import LOOKUPS, lookups_of
    from ._filters import EncodedFilters, encode_filters
    from ._keys import primary_key, record_path
    from ._listing import check_limit, check_page_size, encode_order, encode_search
    from ._log import LOG_FIELDS, ContextAdapter, ContextFilter, register_logger
    from ._messages import brief
    from ._parameters import IgnoredParameter, ignored_parameters
    from ._query import LONGEST_URL, encode_query, query_length
    from ._references import Reference
    from ._resources import CALLER, NO_DEFAULT, Field, Resource
    from ._scalars import real
    from ._table import CHOICES, RESOURCES, SHAPES
    from ._text_rules import is_email, slugify
    from ._url import endpoint_path, join_url, parse_base_url
    from ._values import integer
    from .choices import AccessMode, FeedRecordType, MembershipRole, NotificationType, RequestStatus, ReviewStatus

__version__ = "0.1.0"

__all__ = [
    "CALLER",
    "CHOICES",
    "LOG_FIELDS",
    "LONGEST_URL",
    "LOOKUPS",
    "NO_DEFAULT",
    "RESOURCES",
    "SHAPES",
    "AccessMode",
    "Action",
    "CheckedRecords",
    "ContextAdapter",
    "ContextFilter",
    "EncodedFilters",
    "Fault",
    "FeedRecordType",
    "Field",
    "FieldError",
    "FilterError",
    "IgnoredParameter",
    "InvalidCIDError",
    "InvalidURLError",
    "KeystoneError",
    "MembershipRole",
    "NotificationType",
    "Reference",
    "ReferenceTokenError",
    "RequestStatus",
    "Resource",
    "ReviewStatus",
    "UnknownParameterWarning",
    "adopt_cid",
    "brief",
    "changes",
    "check_limit",
    "check_page_size",
    "check_records",
    "checked_creates",
    "checked_deletes",
    "checked_updates",
    "choices",
    "create_action",
    "delete_action",
    "encode_fields",
    "encode_filters",
    "encode_order",
    "encode_query",
    "encode_search",
    "endpoint_path",
    "failed_action",
    "ignored_fields",
    "ignored_parameters",
    "integer",
    "is_email",
    "job_body",
    "join_url",
    "list_action",
    "lookups_of",
    "new_cid",
    "parse_base_url",
    "primary_key",
    "query_length",
    "real",
    "record_name",
    "record_path",
    "records",
    "reference",
    "register_logger",
    "retrieve_action",
    "slugify",
    "update_action",
]

_HOMES = {
    "_batch": (
        "Action create_action failed_action delete_action job_body list_action reference retrieve_action update_action"
    ),
    "_references": "Reference",
    "_changes": "changes",
    "_checks": "CheckedRecords Fault check_records checked_creates checked_deletes checked_updates record_name",
    "_text_rules": "is_email slugify",
    "_cid": "adopt_cid new_cid",
    "_errors": (
        "FieldError FilterError InvalidCIDError InvalidURLError KeystoneError ReferenceTokenError"
        " UnknownParameterWarning"
    ),
    "_fields": "ignored_fields encode_fields",
    "_filter_names": "LOOKUPS lookups_of",
    "_filters": "EncodedFilters encode_filters",
    "_keys": "primary_key record_path",
    "_listing": "check_limit check_page_size encode_order encode_search",
    "_log": "LOG_FIELDS ContextAdapter ContextFilter register_logger",
    "_messages": "brief",
    "_parameters": "IgnoredParameter ignored_parameters",
    "_query": "LONGEST_URL encode_query query_length",
    "_resources": "CALLER NO_DEFAULT Field Resource",
    "_scalars": "real",
    "_table": "CHOICES RESOURCES SHAPES",
    "_url": "endpoint_path join_url parse_base_url",
    "_values": "integer",
    "choices": "AccessMode FeedRecordType MembershipRole NotificationType RequestStatus ReviewStatus",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


if not TYPE_CHECKING:  # a type checker that saw __getattr__ would accept every name, misspelt ones included

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # imported here, because the package imports nothing when it is loaded

        module = import_module(f".{_HOME_OF.get(name, name)}", __name__)
        value = globals()[name] = getattr(module, name) if name in _HOME_OF else module
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
