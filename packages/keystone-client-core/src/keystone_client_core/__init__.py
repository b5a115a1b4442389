"""The vocabulary of Keystone: URLs, correlation ids, filters, fields, log context and the table of resources.

Depends on the standard library only and never sends a request. Each module is imported when one of its names is first
used, so that importing the package costs almost nothing. For type checkers, ``__init__.pyi`` is generated from the
table below.
"""

__version__ = "1.0.0"

_HOMES = {
    "_batch": (
        "Action create_action create_action_of failed_action delete_action job_body list_action reference"
        " retrieve_action update_action update_action_of"
    ),
    "_references": "Reference",
    "_changes": "changes",
    "_checks": (
        "CheckedRecords Fault RecordCheck check_records checked_creates checked_deletes checked_updates record_name"
    ),
    "_text_rules": "is_email slugify",
    "_compare": "compare",
    "_comparison": "Change Comparison",
    "_comparing": "Listing",
    "_stored": "changed_fields comparable differs guard_filters lookalikes name_form signatures",
    "_wanted": "Wanted",
    "_cid": "adopt_cid new_cid",
    "_errors": (
        "FieldError FilterError InvalidCIDError InvalidURLError KeystoneError ReferenceTokenError"
        " UnknownParameterWarning"
    ),
    "_fields": "ignored_fields encode_fields",
    "_filter_names": "LOOKUPS lookups_of",
    "_filters": "EncodedFilters encode_filters",
    "_filter_values": "AUDIT_ACTIONS",
    "_keys": "primary_key record_path",
    "_listing": "LARGEST_PAGE check_limit check_page_size encode_order encode_search",
    "_log": "LOG_FIELDS ContextAdapter ContextFilter register_logger",
    "_messages": "brief",
    "_parameters": "IgnoredParameter ignored_parameters",
    "_query": "LONGEST_URL encode_query query_length",
    "_resources": "CALLER NO_DEFAULT Field Resource",
    "_scalars": "python_scalar real",
    "_table": "CHOICES CHOICE_PATHS RESOURCES SHAPES",
    "_url": "endpoint_path join_url parse_base_url",
    "_values": "SURROGATE integer",
    "choices": "AccessMode FeedRecordType MembershipRole NotificationType RequestStatus ReviewStatus",
}
"""The public names by the module that defines them, which is imported when one of them is first used."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted([*_HOME_OF, "choices", "records"])  # noqa: PLE0605 - a list, although ruff cannot tell


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # imported here, because the package imports nothing when it is loaded

    module = import_module(f".{_HOME_OF.get(name, name)}", __name__)
    value = globals()[name] = getattr(module, name) if name in _HOME_OF else module
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
