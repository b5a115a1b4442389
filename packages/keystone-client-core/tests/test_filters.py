"""Filters: a query decodes, by the server's rules, to the values given; what the server would ignore is refused.

``read`` below decodes a query by the server's observed rules and shares nothing with the encoder.
"""

import itertools
import string
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client_core import (
    CHOICES,
    LOOKUPS,
    RESOURCES,
    FilterError,
    RequestStatus,
    Resource,
    encode_filters,
    encode_query,
    lookups_of,
)

CLUSTER, GRANT, REQUEST, USER, AUDIT = (
    RESOURCES[name] for name in ("cluster", "grant", "request", "user", "audit_log")
)
UID = UUID("4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11")
EST = timezone(timedelta(hours=-5))


class Count(IntEnum):
    SEVEN = 7


class Label(Enum):
    NAME = "name"


def read(resource: Resource, params: Mapping[str, str]) -> dict[str, object]:
    """Decode a query as the server does: parameters by name, values by the kind of the field."""
    found: dict[str, object] = {}
    for name, text in parse_qsl(urlencode(params), keep_blank_values=True, strict_parsing=True):
        assert text.strip(), f"the server ignores {name}="
        field, _, lookup = name.partition("__")
        kind = resource.fields[field].filter_kind
        if lookup == "isnull":
            found[name] = {"true": True, "false": False}[text]
        elif lookup in {"in", "not_in"}:
            assert kind != "bool", "the server fails on lists of booleans"
            items = [item.strip() for item in text.split(",")]
            found[name] = {_read_one(kind, "", item) for item in items if item or kind in {"text", "email", "slug"}}
        else:
            found[name] = _read_one(kind, lookup, text.strip())
    return found


def _read_one(kind: str, lookup: str, text: str) -> object:
    if kind in {"int", "key", "code"} or lookup in {
        "year",
        "month",
        "day",
        "week",
        "week_day",
        "hour",
        "minute",
        "second",
    }:
        assert set(text) <= set(string.digits + "-"), text
        return int(text)
    if kind == "decimal":
        assert set(text) <= set(string.digits + "-."), text
        return Decimal(text)
    if kind == "bool":
        return {"true": True, "false": False}[text]
    if kind == "date":
        return datetime.strptime(text, "%Y-%m-%d").date()
    return _read_time(text) if kind == "datetime" else text


def _read_time(text: str) -> datetime:
    assert " " not in text, "a raw plus sign decodes to a blank"
    if len(text) == 10:
        return datetime.strptime(text, "%Y-%m-%d")
    seconds = "%S.%f" if "." in text else "%S"
    return datetime.strptime(text, f"%Y-%m-%dT%H:%M:{seconds}" + ("%z" if text.endswith("Z") else ""))


def meaning(resource: Resource, **filters: object) -> dict[str, object]:
    encoded = encode_filters(resource, filters)
    assert not encoded.nothing
    assert encoded.keys is None
    return read(resource, encoded.params)


def refusal(resource: Resource, name: Any, value: object) -> FilterError:
    with pytest.raises(FilterError) as caught:
        encode_filters(resource, {name: value})
    return caught.value


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).map(str.strip).filter(bool)
ITEMS = TEXTS.filter(lambda text: "," not in text)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=8)
TIMES = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31))
ZONED = st.datetimes(
    min_value=datetime(2, 1, 1),
    max_value=datetime(9998, 12, 31),
    timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(
    amount=DECIMALS,
    number=INTEGERS,
    key=st.integers(1, 2**63 - 1),
    text=TEXTS,
    flag=st.booleans(),
    day=st.dates(min_value=date(1000, 1, 1)),
)
def test_one_value_arrives_as_what_was_meant(
    amount: Decimal, number: int, key: int, text: str, flag: bool, day: date
) -> None:
    assert meaning(GRANT, amount__gte=amount, id__lt=number, team=key, title=text, start_date=day) == {
        "amount__gte": amount, "id__lt": number, "team": key, "title": text, "start_date": day,
    }  # fmt: skip
    assert meaning(USER, username__not_contains=text, is_staff=flag) == {
        "username__not_contains": text, "is_staff": flag,
    }  # fmt: skip


@given(moment=ZONED)
def test_a_time_with_a_zone_arrives_as_the_same_moment(moment: datetime) -> None:
    found = meaning(REQUEST, submitted__gte=moment)["submitted__gte"]
    assert found == moment
    assert isinstance(found, datetime)
    assert found.utcoffset() == timedelta(0)


@given(moment=TIMES.filter(lambda moment: moment.year >= 1000))
def test_a_time_without_a_zone_is_left_to_the_servers_zone(moment: datetime) -> None:
    assert meaning(REQUEST, submitted=moment) == {"submitted": moment}
    assert meaning(REQUEST, submitted=moment.isoformat()) == {"submitted": moment}


@given(number=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20))
def test_a_float_arrives_as_the_decimal_it_shows(number: float) -> None:
    try:
        assert meaning(GRANT, amount=number) == {"amount": Decimal(repr(number))}
    except FilterError:
        assert 0 < abs(number) < 1e-30  # more digits than the server's numbers have


@given(
    numbers=st.lists(INTEGERS, min_size=1, max_size=50), texts=st.lists(ITEMS | st.just(""), min_size=1, max_size=10)
)
def test_lists_arrive_as_the_set_that_was_meant(numbers: list[int], texts: list[str]) -> None:
    assert meaning(GRANT, id__in=numbers, title__not_in=texts) == {"id__in": set(numbers), "title__not_in": set(texts)}
    assert meaning(GRANT, id__in=set(numbers)) == meaning(GRANT, id__in=(n for n in numbers))
    assert encode_filters(GRANT, {"title__in": set(texts)}) == encode_filters(GRANT, {"title__in": frozenset(texts)})


@pytest.mark.parametrize(
    ("resource", "filters", "expected"),
    [
        (REQUEST, {"status": RequestStatus.APPROVED}, {"status": "AP"}),
        (REQUEST, {"status__in": ["PD", RequestStatus.APPROVED]}, {"status__in": {"PD", "AP"}}),
        (REQUEST, {"status__startswith": "A"}, {"status__startswith": "A"}),
        (GRANT, {"id": Count.SEVEN}, {"id": 7}),
        (GRANT, {"id": "+007"}, {"id": 7}),
        (GRANT, {"title": Label.NAME}, {"title": "name"}),
        (GRANT, {"title": UID}, {"title": str(UID)}),
        (GRANT, {"title": "a,b"}, {"title": "a,b"}),
        (GRANT, {"title": "50% & more_+=?#"}, {"title": "50% & more_+=?#"}),
        (GRANT, {"amount": "1e3"}, {"amount": Decimal(1000)}),
        (GRANT, {"amount__lt": Decimal("1E+10")}, {"amount__lt": Decimal(10**10)}),
        (GRANT, {"start_date": "2024-02-29"}, {"start_date": date(2024, 2, 29)}),
        (GRANT, {"start_date__week_day": 7}, {"start_date__week_day": 7}),
        (REQUEST, {"submitted__hour": 0}, {"submitted__hour": 0}),
        (REQUEST, {"submitted": date(2024, 1, 2)}, {"submitted": datetime(2024, 1, 2)}),
        (REQUEST, {"submitted": "2024-01-02"}, {"submitted": datetime(2024, 1, 2)}),
        (REQUEST, {"submitted": "2024-01-01T20:00:00-05:00"}, {"submitted": datetime(2024, 1, 2, 1, tzinfo=UTC)}),
        (REQUEST, {"submitted": datetime(2024, 1, 1, 20, tzinfo=EST)},
         {"submitted": datetime(2024, 1, 2, 1, tzinfo=UTC)}),
        (CLUSTER, {"enabled": "True"}, {"enabled": True}),
        (AUDIT, {"action": "update"}, {"action": 1}),
        (AUDIT, {"action": 0}, {"action": 0}),
        (AUDIT, {"action__in": ["create", 3]}, {"action__in": {0, 3}}),
        (AUDIT, {"remote_addr": "127.0.0.1"}, {"remote_addr": "127.0.0.1"}),
        (GRANT, {"id__in": range(3)}, {"id__in": {0, 1, 2}}),
        (GRANT, {"id__in": {2: "b", 1: "a"}.keys()}, {"id__in": {1, 2}}),
        (GRANT, {}, {}),
    ],
)  # fmt: skip
def test_the_types_users_have_at_hand_are_understood(
    resource: Resource, filters: dict[str, object], expected: dict[str, object]
) -> None:
    assert meaning(resource, **filters) == expected


def test_none_means_null() -> None:
    assert meaning(REQUEST, expire=None) == {"expire__isnull": True}
    assert meaning(REQUEST, expire__not_eq=None) == {"expire__isnull": False}
    assert meaning(REQUEST, expire__isnull=False) == {"expire__isnull": False}


@pytest.mark.parametrize("name", ["expire__lt", "expire__in", "expire__isnull", "title__contains", "expire__year"])
def test_none_with_any_other_lookup_is_refused(name: str) -> None:
    assert refusal(REQUEST, name, None).field == name


@pytest.mark.parametrize("value", [2, "t", " true", "yes", "", [True], 0.5])
def test_isnull_takes_nothing_but_booleans(value: object) -> None:
    refusal(REQUEST, "expire__isnull", value)


def test_an_empty_text_is_sent_in_the_one_form_the_server_understands() -> None:
    assert encode_filters(GRANT, {"title": ""}).params == {"title__in": ","}
    assert encode_filters(GRANT, {"title__not_eq": ""}).params == {"title__not_in": ","}
    assert meaning(GRANT, title="") == {"title__in": {""}}
    assert meaning(GRANT, title__in=[""]) == {"title__in": {""}}


@pytest.mark.parametrize(
    ("resource", "name"),
    [(GRANT, f"title__{lookup}") for lookup in LOOKUPS["text"] if lookup not in {"not_eq", "in", "not_in", "isnull"}]
    + [(GRANT, "amount"), (GRANT, "id"), (GRANT, "team"), (GRANT, "start_date"), (REQUEST, "status")]
    + [(CLUSTER, "enabled"), (AUDIT, "remote_addr"), (AUDIT, "action"), (REQUEST, "submitted"), (GRANT, "id__in")],
)
def test_an_empty_value_that_cannot_be_expressed_is_refused(resource: Resource, name: str) -> None:
    refusal(resource, name, "")


def test_an_empty_list_for_in_matches_nothing_without_a_request() -> None:
    empties: list[object] = [[], (), set(), range(0), iter(())]
    for empty in empties:
        assert encode_filters(GRANT, {"id__in": empty, "title": "x"}) == ({}, True, None)


def test_an_empty_list_does_not_hide_another_mistake() -> None:
    with pytest.raises(FilterError):
        encode_filters(GRANT, {"id__in": [], "nope": 1})


@pytest.mark.parametrize("resource", list(RESOURCES.values()), ids=lambda resource: resource.name)
def test_an_empty_list_for_not_in_is_refused(resource: Resource) -> None:
    for field in resource.filterable:
        assert "returns every record" in str(refusal(resource, f"{field}__not_in", []))


def test_lists_of_booleans_are_encoded_in_a_way_the_server_understands() -> None:
    assert meaning(CLUSTER, enabled__in=[True, "true"]) == {"enabled": True}
    assert meaning(CLUSTER, enabled__not_in=[False]) == {"enabled__not_eq": False}
    assert meaning(CLUSTER, enabled__in=[True, False]) == {"enabled__isnull": False}
    assert encode_filters(CLUSTER, {"enabled__not_in": {True, False}}).nothing


def test_a_long_list_of_keys_is_handed_back_to_be_split() -> None:
    encoded = encode_filters(GRANT, {"id__in": [*range(2000, 0, -1), 5], "title": "x"})
    assert encoded == ({"title": "x"}, False, tuple(range(1, 2001)))


def test_keys_that_fit_are_not_split() -> None:
    assert encode_filters(GRANT, {"id__in": range(1000, 1600)}).keys is None


def test_filters_beside_split_keys_must_leave_them_room() -> None:
    assert encode_filters(GRANT, {"id__in": range(1000, 2000), "title__contains": "x" * 2900}).keys
    with pytest.raises(FilterError, match="at most 3,000 characters"):
        encode_filters(GRANT, {"id__in": range(1000, 2000), "title__contains": "x" * 3000})


def test_the_room_for_filters_can_be_set() -> None:
    assert encode_filters(GRANT, {"title": "x" * 94}, room=100).params == {"title": "x" * 94}
    with pytest.raises(FilterError, match="come to 101 characters"):
        encode_filters(GRANT, {"title": "x" * 95}, room=100)
    assert encode_filters(GRANT, {"id__in": range(100, 200)}, room=300).keys == tuple(range(100, 200))


@pytest.mark.parametrize("name", ["title__in", "id__not_in", "team__in"])
def test_filters_that_are_too_long_and_cannot_be_split_are_refused(name: str) -> None:
    values: list[object] = [f"title {n}" for n in range(500)] if name == "title__in" else list(range(1, 2000))
    error = refusal(GRANT, name, values)
    assert error.field == name
    assert "several listings" in str(error)


@given(numbers=st.sets(st.integers(1, 10**6), max_size=1500), text=st.text("aä &", max_size=150).map(str.strip))
def test_no_query_is_longer_than_servers_accept(numbers: set[int], text: str) -> None:
    encoded = encode_filters(GRANT, {"id__in": numbers, "title": text or "x"})
    assert len(encode_query(encoded.params)) <= 3500
    assert encoded.keys is None or set(encoded.keys) == numbers


@pytest.mark.parametrize(
    ("resource", "name", "value"),
    [
        (GRANT, "id", "abc"), (GRANT, "id", 1.5), (GRANT, "id", "1.9"), (GRANT, "id", True), (GRANT, "id", 2.0**60),
        (GRANT, "id", 2**63), (GRANT, "id", "9" * 5000), (GRANT, "id", Decimal("1.5")), (GRANT, "team", "1.0"),
        (GRANT, "id", object()), (GRANT, "id", b"1"), (GRANT, "team", 0), (GRANT, "team", -1), (GRANT, "team", 1.5),
        (GRANT, "team", {"id": 1}), (GRANT, "amount", "abc"), (GRANT, "amount", "nan"), (GRANT, "amount", float("inf")),
        (GRANT, "amount", Decimal("-Infinity")), (GRANT, "amount", True), (GRANT, "amount", "0x1"),
        (GRANT, "amount", "1,5"), (GRANT, "amount", "1e60"), (GRANT, "amount", 10**60), (GRANT, "amount", "1" * 51),
        (GRANT, "amount", Decimal("1E-60")), (GRANT, "amount", 1j), (GRANT, "amount", Fraction(1, 3)),
        (CLUSTER, "enabled", "yes"), (CLUSTER, "enabled", "maybe"), (CLUSTER, "enabled", 2),
        (CLUSTER, "enabled", " true "),
        (CLUSTER, "enabled__in", [2]), (GRANT, "title", " x"), (GRANT, "title", "x\n"), (GRANT, "title", " "),
        (GRANT, "title__contains", "x "), (GRANT, "title", "a\0b"), (GRANT, "title", "\ud800"), (GRANT, "title", 5.0),
        (GRANT, "title", b"x"), (GRANT, "title", True), (GRANT, "title", 1e22), (REQUEST, "status", "XX"),
        (REQUEST, "status", "Approved"), (REQUEST, "status__in", ["AP", "XX"]), (REQUEST, "status__not_eq", "ap"),
        (AUDIT, "action", "Update"), (AUDIT, "action", 4), (AUDIT, "action", True), (AUDIT, "remote_addr", "localhost"),
        (AUDIT, "remote_addr", 5), (GRANT, "start_date", "20240105"), (GRANT, "start_date", "2024-02-30"),
        (GRANT, "start_date", "2024-W01-1"), (GRANT, "start_date", datetime(2024, 1, 1)), (GRANT, "start_date", 2024),
        (GRANT, "start_date", "31.12.2024"), (GRANT, "start_date__year", 0),
        (GRANT, "start_date__year", 10000),
        (GRANT, "start_date__month", 13), (GRANT, "start_date__day", 0), (GRANT, "start_date__week", 54),
        (GRANT, "start_date__week_day", 8), (REQUEST, "submitted__hour", 24), (REQUEST, "submitted__minute", 60),
        (REQUEST, "submitted__second", -1), (REQUEST, "submitted__year", "MMXX"), (REQUEST, "submitted", "soon"),
        (REQUEST, "submitted", 1700000000), (REQUEST, "submitted", datetime.max.replace(tzinfo=EST)),
        (REQUEST, "submitted", "2024-13-01T00:00:00"),
    ],
)  # fmt: skip
def test_a_value_the_field_cannot_hold_is_refused_by_name(resource: Resource, name: str, value: object) -> None:
    error = refusal(resource, name, value)
    assert error.field == name
    assert error.value is value or error.value == value
    assert set(error.lookups) >= {"in", "isnull"}
    assert name in str(error)
    assert len(str(error)) < 500


@pytest.mark.parametrize("value", ["1,2", b"12", {1: 2}, 5, None, [None], [[1]], itertools.count(1), range(10**12)])
def test_a_value_that_is_no_list_or_has_no_end_is_refused(value: object) -> None:
    refusal(GRANT, "id__in", value)


def test_a_comma_inside_an_item_is_refused() -> None:
    assert "parts a list at commas" in str(refusal(GRANT, "title__in", ["a,b"]))


@pytest.mark.parametrize("value", [[1], {1}, (1,), range(3)])
def test_several_values_for_equality_are_refused_with_a_hint_to_use_in(value: object) -> None:
    assert "id__in" in str(refusal(GRANT, "id", value))


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("id_in", "id__in"), ("titel", "title"), ("amount_gte", "amount__gte"), ("title__icontains", "title__contains"),
        ("stat_date__year", "start_date__year"), ("pk", "id"),
    ],
)  # fmt: skip
def test_an_unknown_name_comes_with_names_that_are_close(name: str, matches: str) -> None:
    error = refusal(GRANT, name, 1)
    assert error.matches[0] == matches
    assert matches in str(error)
    assert "http_get('research/grants/', params=...)" in str(error)


@pytest.mark.parametrize(
    ("resource", "name", "hint"),
    [
        (GRANT, "_limit", "use limit="), (GRANT, "_offset", "after="), (GRANT, "_order", "use order="),
        (GRANT, "_search", "use search="), (GRANT, "format", "JSON"), (GRANT, "pk", "use id"),
        (GRANT, "team__name", "does not look into the team"), (REQUEST, "assignees", "several records"),
        (REQUEST, "publications__in", "several records"), (GRANT, "_history", "several records"),
        (RESOURCES["preference"], "user", "cannot filter by user"), (RESOURCES["attachment"], "file", "cannot filter"),
        (GRANT, "title__exact", "by itself means equality"), (GRANT, "title__", "no such lookup"),
        (GRANT, "__in", "no such field"), (GRANT, "", "no such field"),
        (GRANT, "start_date__year__gt", "no such lookup"),
        (CLUSTER, "enabled__lt", "not_eq, in, not_in, isnull"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_filter_is_refused_with_what_to_use_instead(resource: Resource, name: str, hint: str) -> None:
    assert hint in str(refusal(resource, name, 1))


def test_the_password_is_not_offered_and_not_repeated() -> None:
    error = refusal(USER, "password__startswith", "hunter2")
    assert "hunter2" not in str(error)
    assert error.value is None
    assert "password" not in USER.filterable


@pytest.mark.parametrize("name", [5, None, b"id", ("id",)])
def test_a_name_that_is_no_text_is_refused(name: object) -> None:
    assert "is text" in str(refusal(GRANT, name, 1))


@pytest.mark.parametrize(
    ("resource", "filters"),
    [
        (GRANT, {"end_date": None, "end_date__isnull": False}),
        (GRANT, {"title": "", "title__in": ["a"]}),
        (CLUSTER, {"enabled__in": [True], "enabled": True}),
        (CLUSTER, {"enabled__in": [True, False], "enabled__isnull": True}),
    ],
)
def test_two_filters_for_one_parameter_are_refused(resource: Resource, filters: dict[str, object]) -> None:
    with pytest.raises(FilterError, match="takes only one"):
        encode_filters(resource, filters)


@pytest.mark.parametrize("filters", [[("id", 1)], "id=1", 5, {"id"}])
def test_filters_that_are_no_mapping_are_refused(filters: Mapping[str, object]) -> None:
    with pytest.raises(FilterError, match="mapping"):
        encode_filters(GRANT, filters)


def test_no_filters_are_no_parameters() -> None:
    assert encode_filters(GRANT, None) == ({}, False, None)


def test_a_long_value_is_cut_in_the_message_and_whole_in_the_error() -> None:
    error = refusal(GRANT, "id", "x" * 10_000)
    assert len(str(error)) < 400
    assert error.value == "x" * 10_000


def test_lookups_follow_the_kind_of_the_field() -> None:
    assert lookups_of(GRANT, "amount") == LOOKUPS["decimal"]
    assert lookups_of(CLUSTER, "enabled") == ("not_eq", "in", "not_in", "isnull")
    assert lookups_of(REQUEST, "assignees") == ()
    assert lookups_of(REQUEST, "nope") == ()


PLAUSIBLE: dict[str, object] = {
    "int": 5, "decimal": Decimal("1.5"), "code": "access", "text": "x", "email": "a@b.example", "slug": "x",
    "bool": True,
    "key": 1, "ip": "::1", "date": date(2024, 1, 1), "datetime": datetime(2024, 1, 1), "choice": "",
}  # fmt: skip


@pytest.mark.parametrize("resource", list(RESOURCES.values()), ids=lambda resource: resource.name)
def test_every_lookup_of_every_field_can_be_used(resource: Resource) -> None:
    for name in resource.filterable:
        field = resource.fields[name]
        value = next(iter(CHOICES[field.target])) if field.filter_kind == "choice" else PLAUSIBLE[field.filter_kind]
        for lookup in lookups_of(resource, name):
            part = lookup in {"year", "month", "day", "week", "week_day", "hour", "minute", "second"}
            meant = 2 if part else lookup == "isnull" or ([value] if lookup in {"in", "not_in"} else value)
            assert meaning(resource, **{f"{name}__{lookup}": meant})


VALUES = (
    st.from_type(object) | st.text() | st.integers() | st.floats() | st.datetimes(timezones=st.timezones()) | st.none()
)
NAMES = st.text() | st.sampled_from(
    [f"{f}__{k}" for r in RESOURCES.values() for f in r.filterable for k in lookups_of(r, f)]
)


@given(
    resource=st.sampled_from(list(RESOURCES.values())),
    filters=st.dictionaries(NAMES, VALUES | st.lists(VALUES) | st.sets(st.integers() | st.text()), max_size=3),
)
def test_whatever_is_given_the_query_is_one_the_server_understands_or_refused(
    resource: Resource, filters: dict[str, object]
) -> None:
    try:
        encoded = encode_filters(resource, filters)
    except FilterError:
        return
    assert len(read(resource, encoded.params)) == len(encoded.params)
    assert encoded.nothing or len(encoded.params) == len(filters)


@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_an_array_of_several_numbers_is_no_integer(error: type[Exception]) -> None:
    """A numpy array has ``__index__``, which works for one number and raises for several."""

    class Array:
        def __index__(self) -> int:
            raise error("only size-1 arrays can be converted to Python scalars")

    with pytest.raises(FilterError):
        encode_filters(RESOURCES["cluster"], {"id": Array()})


def test_a_number_too_long_for_python_to_print_is_refused_for_its_digits() -> None:
    with pytest.raises(FilterError, match="more digits than the server reads"):
        encode_filters(CLUSTER, {"name": 10**10_000})


def test_one_error_names_all_filters_that_are_wrong() -> None:
    with pytest.raises(FilterError) as caught:
        encode_filters(RESOURCES["request"], {"titel": "x", "id": "abc", "title": "fine", "order": "-id"})

    for part in ("filter 'titel'", "filter id: 'abc'", "use order="):
        assert part in str(caught.value)
    assert (caught.value.field, caught.value.matches) == ("titel", ("title",))


def test_a_value_of_eighty_characters_is_shown_whole_and_a_longer_one_in_part() -> None:
    for value, shown in [("x" * 78, f"'{'x' * 78}' "), ("x" * 79, f"'{'x' * 76}... ")]:
        with pytest.raises(FilterError) as caught:
            encode_filters(REQUEST, {"status": value})
        assert shown in str(caught.value)


def test_a_list_without_an_end_is_refused_with_the_most_values_there_may_be() -> None:
    with pytest.raises(FilterError, match="give at most 1,000,000 values"):
        encode_filters(CLUSTER, {"id__in": itertools.count(1)})


def test_of_many_names_that_are_close_the_three_closest_are_suggested() -> None:
    with pytest.raises(FilterError) as caught:
        encode_filters(RESOURCES["task_result"], {"task_nam": "x"})
    assert caught.value.matches[0] == "task_name"
    assert len(caught.value.matches) == 3


def test_keys_that_are_text_are_refused_where_they_are_too_many_for_one_request() -> None:
    with pytest.raises(FilterError, match="servers refuse long ones"):
        encode_filters(RESOURCES["feed_entry"], {"id__in": [f"alert-{number}" for number in range(1000)]})


@pytest.mark.parametrize("part", ["contains", "startswith", "endswith"])
def test_a_text_can_be_filtered_by_a_part_it_has_or_lacks(part: str) -> None:
    for name in (f"name__{part}", f"name__not_{part}"):
        assert encode_filters(CLUSTER, {name: "gpu"}).params == {name: "gpu"}


def test_a_value_whose_repr_fails_is_named_by_its_type() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("broken")

    with pytest.raises(FilterError, match="filter name: <Broken> does not fit"):
        encode_filters(CLUSTER, {"name": Broken()})
