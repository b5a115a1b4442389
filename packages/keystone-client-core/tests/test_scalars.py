"""Scalars of data libraries: accepted if they convert exactly; missing values are reported as missing."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keystone_client_core import (
    RESOURCES,
    FieldError,
    FilterError,
    check_limit,
    check_page_size,
    encode_fields,
    encode_filters,
    integer,
    primary_key,
    real,
)

np: Any = pytest.importorskip("numpy")  # polars and the readers of spreadsheets bring it; it is not asked for by name

NAN = float("nan")
DAY, NOON = dt.date(2024, 1, 5), dt.datetime(2024, 1, 5, 12)


class NaTType(dt.datetime):
    """Imitates the missing time of pandas: not equal to itself, and its conversions raise."""

    def __ne__(self, other: object) -> bool:
        return True

    def isoformat(self, *_: Any, **__: Any) -> str:
        return "NaT"


class NAType:
    """Imitates the missing value of pandas: a comparison returns it again, and it has no truth value."""

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


class Timestamp(dt.datetime):
    """Imitates a time of pandas, which may have nanoseconds."""

    nanosecond = 0


class Fine(Timestamp):
    nanosecond = 1


MISSING = [
    NAN, np.float64("nan"), np.float32("nan"), np.datetime64("NaT", "D"), np.datetime64("NaT", "ns"), np.ma.masked,
    Decimal("NaN"), Decimal("sNaN"), NaTType(1, 1, 1), NAType(), np.array(NAN),
]  # fmt: skip


def field(name: str, value: object, resource: str = "grant") -> object:
    return encode_fields(RESOURCES[resource], {name: value}, "update")[name]


def filtered(name: str, value: object, resource: str = "grant") -> object:
    return encode_filters(RESOURCES[resource], {name: value}).params[name]


def why(name: str, value: object, resource: str = "grant") -> str:
    with pytest.raises(FieldError) as caught:
        field(name, value, resource)
    assert caught.value.field == name
    return str(caught.value)


def why_not(name: str, value: object, resource: str = "grant") -> str:
    with pytest.raises(FilterError) as caught:
        filtered(name, value, resource)
    assert caught.value.field == name
    return str(caught.value)


class Int64Scalar:
    """Imitates a scalar of pyarrow: it is no number, and converts itself."""

    __module__ = "pyarrow.lib"

    def __init__(self, value: int | None) -> None:
        self._value = value

    def as_py(self) -> int | None:
        return self._value


class Unconvertible:
    """Looks like a scalar of numpy, and fails when it is converted."""

    dtype, shape = np.dtype("int64"), ()

    def item(self) -> int:
        raise RuntimeError("not convertible")


def test_a_scalar_of_pyarrow_is_what_it_holds() -> None:
    assert field("requested", Int64Scalar(5), "allocation") == 5
    assert real(Int64Scalar(5)) == 5
    assert "missing" in why("requested", Int64Scalar(None), "allocation")


def test_a_scalar_that_cannot_be_converted_is_refused() -> None:
    assert "give an integer" in why("requested", Unconvertible(), "allocation")
    assert real(Unconvertible()) is None


@pytest.mark.parametrize("value", [Decimal("1e999999999"), Decimal("-1e999999999"), Decimal("1e-999999999")])
def test_a_decimal_whose_digits_nobody_can_write_is_refused_at_once(value: Decimal) -> None:
    assert "integer" in why("requested", value, "allocation")
    assert "integer" in why("team", value)
    assert "give an integer" in why_not("id", value)


def test_a_fraction_of_very_many_digits_is_refused() -> None:
    assert "fewer digits" in why("amount", Fraction(1, 2**50000))


FIVES = [
    5, 5.0, Decimal(5), Decimal("5.00"), Fraction(10, 2), np.int8(5), np.int64(5), np.uint64(5), np.float32(5),
    np.float64(5), np.longdouble(5), np.array(5), np.array(5.0), polars.Series([5])[0], polars.Series([5.0, None])[0],
]  # fmt: skip


@pytest.mark.parametrize("value", FIVES, ids=lambda value: f"{type(value).__name__} {value}")
def test_a_number_that_is_exactly_an_integer_is_one(value: object) -> None:
    assert field("requested", value, "allocation") == field("team", value) == 5
    assert field("access_teams", [value], "cluster") == [5]
    assert filtered("id", value) == filtered("team", value) == filtered("start_date__month", value) == "5"
    assert filtered("id__in", [value]) == "5"
    assert Decimal(str(field("amount", value))) == Decimal(str(filtered("amount", value))) == 5


@pytest.mark.parametrize("value", [5.5, Decimal("5.5"), Fraction(11, 2), np.float64(5.5), np.float32(5.5)])
def test_a_number_with_a_fraction_is_no_integer(value: object) -> None:
    assert "the server would cut off decimals" in why("requested", value, "allocation")
    assert "the server would cut off decimals" in why_not("id", value)
    assert "a positive integer" in why("team", value)


@pytest.mark.parametrize("value", [2.0**60, np.float64(2.0**60)])
def test_a_float_that_has_lost_digits_is_no_integer(value: object) -> None:
    assert "has lost its last digits" in why("requested", value, "allocation")
    assert "has lost its last digits" in why_not("id", value)


@pytest.mark.parametrize(
    ("value", "truth"),
    [(np.True_, True), (np.False_, False), (np.array(True), True), (1, True), (0, False), (np.int64(1), True),
     (1.0, True), (polars.Series([True])[0], True)],
)  # fmt: skip
def test_booleans_of_any_library_are_booleans(value: object, truth: bool) -> None:
    assert field("enabled", value, "cluster") is truth
    assert filtered("enabled", value, "cluster") == str(truth).lower()
    assert filtered("expire__isnull", value, "request") == str(truth).lower()


@pytest.mark.parametrize(
    "value",
    [DAY, np.datetime64("2024-01-05"), np.datetime64("2024-01-05T00:00:00", "ns"), Timestamp(2024, 1, 5),
     polars.Series([DAY])[0], "2024-01-05", "2024-1-5"],
)  # fmt: skip
def test_a_date_of_any_library_is_a_date(value: object) -> None:
    """Data libraries have no type for a date, so a time at midnight counts as one."""
    assert field("start_date", value) == filtered("start_date", value) == "2024-01-05"


@pytest.mark.parametrize("value", [NOON, dt.datetime(2024, 1, 5), Timestamp(2024, 1, 5, 12), np.datetime64(NOON)])
def test_a_time_is_not_a_date(value: object) -> None:
    assert "give its .date()" in why("start_date", value)
    assert "give its .date()" in why_not("start_date", value)


@pytest.mark.parametrize("value", [NOON, np.datetime64(NOON), np.datetime64(NOON, "ns"), Timestamp(2024, 1, 5, 12)])
def test_a_time_of_any_library_is_a_time(value: object) -> None:
    assert filtered("submitted__gte", value, "request") == "2024-01-05T12:00:00"


@pytest.mark.parametrize("value", [np.datetime64("2024-01-05T12:00:00.000000001"), Fine(2024, 1, 5, 12)])
def test_a_time_that_is_finer_than_the_servers_is_refused(value: object) -> None:
    assert "nanoseconds" in why_not("submitted__gte", value, "request")


def test_a_narrow_float_is_the_number_that_it_prints() -> None:
    assert field("amount", np.float32(100.1)) == 100.1
    assert filtered("amount", np.float32(100.1)) == "100.1"


def test_text_of_a_library_is_plain_text() -> None:
    assert type(field("title", np.str_("Physics"))) is str
    assert filtered("title", np.str_("Physics")) == "Physics"


def test_a_fraction_is_the_decimal_that_is_exactly_it() -> None:
    assert field("amount", Fraction(5, 4)) == filtered("amount", Fraction(5, 4)) == "1.25"
    assert "has no end as a decimal" in why("amount", Fraction(1, 3))
    assert "has no end as a decimal" in why_not("amount", Fraction(1, 3))


@pytest.mark.parametrize("value", MISSING, ids=lambda value: type(value).__name__)
def test_a_missing_value_is_reported_as_missing_and_not_as_null(value: object) -> None:
    for name in ("end_date", "pi"):
        assert f"grant field {name!r}" in why(name, value)
        assert "it is a missing value; give None for null" in why(name, value)
    assert "it is a missing value; leave the field out" in why("enabled", value, "cluster")
    for name in ("amount", "start_date", "title", "team"):
        assert "it is a missing value; the field needs one" in why(name, value)
    assert "item 1, counted from 0: it is a missing value" in why("access_teams", [1, value], "cluster")
    assert "missing value" in why("request_expiry_thresholds", [30, value], "preference")
    for name in ("end_date", "amount", "title", "id", "team", "end_date__isnull"):
        assert "it is a missing value; for nulls ask with None or isnull" in why_not(name, value)
    assert "item 1, counted from 0: it is a missing value" in why_not("id__in", [1, value])


@pytest.mark.parametrize("value", [5, np.int64(5), np.uint8(5)])
def test_arguments_that_count_take_integers_of_every_library(value: Any) -> None:
    for found in (check_limit(value), check_page_size(value), primary_key(value)):
        assert found == 5
        assert type(found) is int


@pytest.mark.parametrize("value", [1.5, np.float64(1.5), np.float32(1.5), Decimal("1.5"), Fraction(3, 2)])
def test_a_real_number_of_any_library_is_a_number(value: object) -> None:
    assert real(value) == 1.5
    assert integer(value) is None


@pytest.mark.parametrize("value", [True, np.True_, "1.5", None, *MISSING, 1j, object(), np.array([1, 2])])
def test_anything_but_a_real_number_converts_to_none(value: object) -> None:
    assert real(value) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [(4711.0, "'4711'"), (np.float64(4711), "'4711'"), (1e22, "'1e+22'"), (0.1 + 0.2, "'0.30000000000000004'"),
     (1e-7, "'1e-07'"), (True, "give text, not bool"), (np.True_, "give text, not bool"), (DAY, "give text, not date"),
     (Decimal("1E+3"), "give text"), ([1], "give text, not list"), ({}, "give text, not dict"), (b"x", "give text")],
)  # fmt: skip
def test_a_number_that_would_be_written_otherwise_than_by_a_person_is_no_text(value: object, said: str) -> None:
    assert said in why("grant_number", value)
    if not isinstance(value, (list, dict)):
        assert said in why_not("grant_number", value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(4711, "4711"), (np.int64(4711), "4711"), (-5, "-5"), (12.5, "12.5"), (Decimal("12.50"), "12.50"),
     (Decimal(4711), "4711"), (np.float32(12.1), "12.1")],
)  # fmt: skip
def test_a_number_that_a_person_would_write_alike_is_text(value: object, text: str) -> None:
    assert field("grant_number", value) == filtered("grant_number", value) == text


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([*MISSING, *FIVES, np.longdouble("1e400"), np.timedelta64(5, "s"), np.bytes_(b"x"), np.void(b"x")]),
    st.floats(width=32).map(np.float32),
    st.floats(width=16).map(np.float16),
    st.floats().map(np.float64),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: np.datetime64(number, "ns")),
    st.integers(-(2**60), 2**60).map(lambda number: np.datetime64(number, "s")),
    st.fractions(),
    st.text().filter(lambda text: "\0" not in text).map(np.str_),
    st.lists(st.integers(0, 9)).map(np.array),
    st.complex_numbers().map(np.complex128),
)
FIELDS = [(r.name, f.name) for r in RESOURCES.values() for f in r.fields.values() if f.writable and f.kind != "file"]
FILTERS = [
    (resource.name, f"{name}{lookup}")
    for resource in RESOURCES.values()
    for name in resource.filterable
    for lookup in ("", "__isnull", "__in")
]


@example(("request", "assignees"), np.ma.masked)  # it looks as if it could be iterated over
@example(("request", "assignees"), np.array(5))
@given(st.sampled_from(FIELDS), SCALARS | st.lists(SCALARS, max_size=3))
def test_no_scalar_makes_a_field_raise_anything_but_our_errors(place: tuple[str, str], value: object) -> None:
    resource, name = place
    try:
        found = encode_fields(RESOURCES[resource], {name: value}, "update")[name]
    except FieldError:
        return
    assert type(found) in (str, int, float, bool, list, type(None))


@example(("request", "id__in"), np.array(5))
@given(st.sampled_from(FILTERS), SCALARS | st.lists(SCALARS, max_size=3))
def test_no_scalar_makes_a_filter_raise_anything_but_our_errors(place: tuple[str, str], value: object) -> None:
    resource, name = place
    try:
        params = encode_filters(RESOURCES[resource], {name: value}).params
    except FilterError:
        return
    assert all(type(text) is str for text in params.values())
