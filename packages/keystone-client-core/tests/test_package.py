"""The package as a whole: its public names, and what importing it does."""

import json
import subprocess
import sys
from pathlib import Path

import keystone_client_core as core
import pytest

SOURCE = Path(core.__file__).parent.parent

PUBLIC = [
    "comparable",
    "name_form",
    "signatures",
    "Change",
    "Comparison",
    "Listing",
    "RecordCheck",
    "Wanted",
    "changed_fields",
    "compare",
    "create_action_of",
    "differs",
    "guard_filters",
    "update_action_of",
    "is_email",
    "slugify",
    "record_name",
    "checked_updates",
    "checked_deletes",
    "checked_creates",
    "check_records",
    "Fault",
    "CheckedRecords",
    "CALLER",
    "AUDIT_ACTIONS",
    "CHOICES",
    "CHOICE_PATHS",
    "LARGEST_PAGE",
    "SURROGATE",
    "LOG_FIELDS",
    "LONGEST_URL",
    "LOOKUPS",
    "NO_DEFAULT",
    "RESOURCES",
    "SHAPES",
    "AccessMode",
    "Action",
    "ContextAdapter",
    "ContextFilter",
    "EncodedFilters",
    "FeedRecordType",
    "Field",
    "FieldError",
    "FilterError",
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
    "adopt_cid",
    "check_limit",
    "check_page_size",
    "choices",
    "create_action",
    "failed_action",
    "delete_action",
    "ignored_fields",
    "encode_fields",
    "encode_filters",
    "encode_order",
    "encode_query",
    "encode_search",
    "endpoint_path",
    "integer",
    "job_body",
    "join_url",
    "list_action",
    "lookalikes",
    "lookups_of",
    "new_cid",
    "parse_base_url",
    "primary_key",
    "query_length",
    "real",
    "record_path",
    "records",
    "reference",
    "register_logger",
    "retrieve_action",
    "brief",
    "python_scalar",
    "changes",
    "IgnoredParameter",
    "UnknownParameterWarning",
    "ignored_parameters",
    "update_action",
]


def child(code: str) -> str:
    """Run code in a Python with only core and the standard library; return what it prints."""
    script = f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n{code}"
    command = [sys.executable, "-I", "-S", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_public_names_are_these() -> None:
    assert sorted(core.__all__) == sorted(PUBLIC)
    assert set(PUBLIC) <= set(dir(core))


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_can_be_imported(name: str) -> None:
    assert getattr(core, name) is not None


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        core.nope  # type: ignore[attr-defined]  # noqa: B018  # that it does not exist is what is tested


def test_everything_needs_nothing_but_the_standard_library() -> None:
    loaded = json.loads(
        child(
            "import json, keystone_client_core as core\n"
            "for name in core.__all__: getattr(core, name)\n"
            "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
        )
    )
    assert set(loaded) - sys.stdlib_module_names - {"__main__"} == {"keystone_client_core"}


def test_importing_it_loads_no_part_and_touches_no_logger() -> None:
    out = child(
        "import logging, keystone_client_core\n"
        "print(sorted(name for name in sys.modules if name.startswith('keystone_client_core')))\n"
        "keystone_client_core.ContextFilter\n"
        "print(logging.root.manager.loggerDict, logging.root.handlers)"
    )
    assert out == "['keystone_client_core']\n{} []\n"


def test_a_star_import_gives_the_public_names() -> None:
    assert child("from keystone_client_core import *\nprint(KeystoneError.__name__, choices.__name__)") == (
        "KeystoneError keystone_client_core.choices\n"
    )


def test_the_types_are_published() -> None:
    assert (SOURCE / "keystone_client_core" / "py.typed").is_file()


@pytest.mark.parametrize("name", [name for name in PUBLIC if name.endswith("Error")])
def test_a_traceback_names_an_error_as_it_is_imported(name: str) -> None:
    code = f"import keystone_client_core as core; raise core.{name}('x')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.splitlines()[-1] == f"keystone_client_core.{name}: x"


def test_the_classes_of_others_keep_their_names() -> None:
    assert child(
        "from keystone_client_core import KeystoneError\nfrom collections.abc import Mapping\nprint(Mapping)"
    ) == ("<class 'collections.abc.Mapping'>\n")
