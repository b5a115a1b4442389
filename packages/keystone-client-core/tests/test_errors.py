"""The errors: their base classes, and that pickling and copying keep them whole."""

import copy
import pickle

import keystone_client_core as core
import pytest
from keystone_client_core import FieldError, FilterError, KeystoneError

SIMPLE = [core.InvalidURLError, core.InvalidCIDError, core.ReferenceTokenError, FilterError, FieldError]


def _full() -> list[KeystoneError]:
    return [
        FilterError("no", field="id_in", value=[1], matches=("id__in",), lookups=("in", "lt")),
        FieldError("no", field="is_staff", position=3, record={"id": 1, "is_staff": False}, matches=("x",)),
        *(kind("no") for kind in SIMPLE),
    ]


@pytest.mark.parametrize("kind", SIMPLE)
def test_bad_input_is_a_keystone_error_and_a_value_error(kind: type[KeystoneError]) -> None:
    assert issubclass(kind, KeystoneError)
    assert issubclass(kind, ValueError)


@pytest.mark.parametrize("error", _full(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_keeps_everything_when_pickled_or_copied(error: KeystoneError, twin: object) -> None:
    assert callable(twin)
    error.cid = "4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11"
    other = twin(error)
    assert type(other) is type(error)
    assert other.args == error.args
    assert vars(other) == vars(error)


def test_without_a_request_there_is_no_correlation_id() -> None:
    assert KeystoneError("x").cid is None


def test_a_value_that_cannot_be_pickled_is_replaced_by_its_text() -> None:
    error = FilterError("no", field="id__in", value=(n for n in range(3)))
    other = pickle.loads(pickle.dumps(error))
    assert other.field == "id__in"
    assert other.value.startswith("<generator object")


def test_a_field_error_says_which_field_of_which_record_it_is_about() -> None:
    record = {"id": 1, "is_staff": False}
    error = FieldError("no", field="is_staff", position=3, record=record, matches=("x",))
    assert (str(error), error.field, error.position, error.record, error.matches) == (
        "no",
        "is_staff",
        3,
        record,
        ("x",),
    )
