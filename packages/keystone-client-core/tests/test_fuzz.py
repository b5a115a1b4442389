"""For any argument, a function of core returns a result that can be sent, or raises an error that it documents."""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import keystone_client_core as core
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from keystone_client_core import RESOURCES, KeystoneError, Resource

BASE = "https://keystone.test/api/"
HUGE = 10**5000
"""Too large for Python, and so for Hypothesis, to print in decimal."""

TRICKS = ["\ud800", "\x00", "a\r\nX: y", "\u202e", "\uff11", "\u0660", "\u00b2", "%00", "%ff", "..%2f"]
TRICKS += ["@ref{a.id}", "@file{a}", "1\n", "NaN", "Infinity", "1e999", "\N{KELVIN SIGN}ey", "ı", "ﬁeld", "a" * 5000]


class Hostile:
    """An object whose special methods all raise."""

    def __repr__(self) -> str:
        raise RuntimeError("no representation")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = object.__hash__


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def cyclic() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


odd_characters = st.characters(categories=["Cs", "Cc", "Zs"])
texts = st.text(max_size=20) | st.sampled_from(TRICKS) | st.text(odd_characters, max_size=5)
atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, 10**400, -1, 0])
    | st.floats()
    | st.decimals()
    | texts
    | st.binary(max_size=5)
    | st.datetimes(timezones=st.none() | st.just(dt.UTC))
    | st.dates()
    | st.uuids()
    | st.sampled_from([dt.timedelta(1), Decimal("sNaN"), Decimal("1E+999999"), object(), int, len, range(3)])
)
anything: st.SearchStrategy[Any] = st.recursive(
    atoms,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.integers(), inner, max_size=3),
    max_leaves=8,
)
resources = st.sampled_from(list(RESOURCES.values()))


def named(resource: Resource) -> st.SearchStrategy[Any]:
    """Return a strategy for mappings whose keys are mostly fields of the resource."""
    lookups = st.sampled_from(["", "__in", "__not_in", "__isnull", "__contains", "__gte", "__nope"])
    names = st.builds(lambda name, lookup: name + lookup, st.sampled_from(list(resource.fields)), lookups)
    return st.dictionaries(names | texts, anything, max_size=3)


def kept(call: Callable[[], Any]) -> Any:
    """Return the result of a function, or ``None`` if it refuses its arguments in a message of limited length."""
    try:
        return call()
    except KeystoneError as error:
        refusal = error
    assert isinstance(refusal, ValueError)
    assert 0 < len(str(refusal)) < 2000
    return None


def fit(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


@given(anything)
@example("http://keystone.test:" + "9" * 5000)
@example("http://[::ffff:1.2.3.4%eth0]/")
@example("http://xn--" + "a" * 5000)
@example("http://" + "ﬁ" * 100)
def test_a_base_url_is_refused_or_fit_for_a_header(value: Any) -> None:
    url = kept(lambda: core.parse_base_url(value))
    assert url is None or (fit(url) and url.endswith("/") and core.parse_base_url(url) == url)


@given(anything)
@example("http://keystone.test/" + "%25" * 5000)
@example("a/" * 5000)
def test_an_endpoint_is_refused_or_fit_for_a_request_line(value: Any) -> None:
    path = kept(lambda: core.endpoint_path(BASE, value))
    assert path is None or (fit(path) and not path.startswith("/"))


CHECKS: dict[str, Callable[[Any], Any]] = {
    "primary_key": core.primary_key,
    "record_path": lambda value: core.record_path("users/users", value),
    "adopt_cid": core.adopt_cid,
    "check_limit": core.check_limit,
    "check_page_size": core.check_page_size,
}


@pytest.mark.parametrize("name", CHECKS)
@given(value=anything)
def test_a_value_is_checked_whatever_it_is(name: str, value: Any) -> None:
    result = kept(lambda: CHECKS[name](value))
    assert result is None or fit(str(result))


@given(st.data(), resources)
@settings(max_examples=50)
def test_filters_are_refused_or_become_parameters_that_are_not_empty(data: st.DataObject, resource: Resource) -> None:
    filters: Any = data.draw(named(resource) | anything)
    encoded = kept(lambda: core.encode_filters(resource, filters))
    if encoded is not None:
        json.dumps(encoded.params).encode()
        assert all(name and value for name, value in encoded.params.items())


@given(resources, anything)
def test_an_order_and_a_search_are_refused_or_text(resource: Resource, value: Any) -> None:
    order = kept(lambda: core.encode_order(resource, value))
    assert order is None or all(fit(name) for name in order)
    search = kept(lambda: core.encode_search(resource, value))
    assert search is None or all(text.encode() for text in search.values())


@given(st.data(), resources, st.sampled_from(["create", "update"]))
@settings(max_examples=50)
def test_fields_are_refused_or_can_be_sent_as_json(data: st.DataObject, resource: Resource, operation: Any) -> None:
    fields: Any = data.draw(named(resource) | anything)
    encoded = kept(lambda: core.encode_fields(resource, fields, operation))
    if encoded is not None:
        assert_json({name: value for name, value in encoded.items() if resource.fields[name].kind != "file"})
    action = kept(lambda: core.create_action(resource, fields, ["a"]))
    if action is not None and not any(field.kind == "file" for field in resource.fields.values()):
        core.job_body([action.json("a")], True)


VALUES = {
    "bool": st.booleans() | st.sampled_from(["yes", "OFF"]),
    "choice": st.sampled_from([member for members in core.CHOICES.values() for member in members]),
    "date": st.dates() | st.dates().map(str),
    "decimal": st.decimals(0, 999, places=2) | st.floats(0, 999).map(lambda number: round(number, 2)),
    "email": st.just("ada@x.org"),
    "int": st.integers(0, 2**31 - 1) | st.integers(0, 99).map(str),
    "json": anything | st.dates() | st.floats() | st.lists(st.floats() | st.datetimes(timezones=st.just(dt.UTC))),
    "key": st.integers(1, 2**31 - 1),
    "keys": st.sets(st.integers(1, 99), max_size=3),
    "text": texts | st.uuids() | st.integers() | st.decimals(0, 999, places=2),
}
FIELDS = [
    (resource, name)
    for resource in RESOURCES.values()
    for name, field in resource.fields.items()
    if "update" in resource.operations and field.writable
]


@pytest.mark.parametrize("kind", VALUES)
@given(st.data())
def test_values_of_the_kind_of_a_field_are_refused_or_can_be_sent_as_json(kind: str, data: st.DataObject) -> None:
    of_kind = [(resource, name) for resource, name in FIELDS if resource.fields[name].kind == kind]
    resource, name = data.draw(st.sampled_from(of_kind))
    value = data.draw(VALUES[kind])
    encoded = kept(lambda: core.encode_fields(resource, {name: value}, "update"))
    event("refused" if encoded is None else "accepted")
    assert encoded is None or (list(encoded) == [name] and assert_json(encoded))


def assert_json(value: Any) -> bool:
    """Check that JSON gives a value back as it was."""
    assert json.loads(json.dumps(value, allow_nan=False).encode()) == value
    return True


@given(st.data(), resources)
def test_actions_are_refused_or_have_a_path(data: st.DataObject, resource: Resource) -> None:
    pk: Any = data.draw(anything)
    fields: Any = data.draw(named(resource) | anything)
    for make in (
        lambda: core.update_action(resource, pk, fields, ["a"]),
        lambda: core.delete_action(resource, pk, ["a"]),
        lambda: core.retrieve_action(resource, pk, ["a"]),
        lambda: core.list_action(resource, fields, pk, pk, pk),
    ):
        action = kept(make)
        assert action is None or (fit(action.path) and action.path.startswith("/"))


@given(resources, anything)
@example(RESOURCES["user"], HUGE)
@example(RESOURCES["user"], "a" * 5000)
def test_labels_and_answers_of_any_shape_raise_nothing_unexpected(resource: Resource, value: Any) -> None:
    action = core.Action("GET", f"/{resource.path}/", {}, resource)
    kept(lambda: core.reference("a1", action, value))
    assert core.failed_action(value, [action]) in (None, 0)


UNSPEAKABLE: list[Any] = [HUGE, -HUGE, deep(5000), cyclic(), Hostile(), [HUGE], {"a": HUGE}, uuid.uuid4()]


@pytest.mark.parametrize("value", UNSPEAKABLE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", ["user", "grant"])
def test_values_that_cannot_be_converted_to_text_are_refused(name: str, value: Any) -> None:
    resource = RESOURCES[name]
    for field in resource.fields:
        for lookup in ("", "__in"):
            kept(lambda key=f"{field}{lookup}": core.encode_filters(resource, {key: value}))  # type: ignore[misc]
        for operation in ("create", "update"):
            kept(lambda field=field, operation=operation: core.encode_fields(resource, {field: value}, operation))  # type: ignore[misc]
    for check in CHECKS.values():
        kept(lambda check=check: check(value))  # type: ignore[misc]
    kept(lambda: core.encode_filters(resource, value))
    kept(lambda: core.encode_order(resource, value))
    kept(lambda: core.encode_search(resource, value))
