"""Search, order, limit and page size of a listing."""

import itertools
from enum import Enum

import pytest
from keystone_client_core import (
    RESOURCES,
    FilterError,
    check_limit,
    check_page_size,
    encode_order,
    encode_search,
)

GRANT = RESOURCES["grant"]
REQUEST = RESOURCES["request"]


class By(Enum):
    AMOUNT = "-amount"


def test_a_search_is_sent_as_it_is() -> None:
    assert encode_search(GRANT, 'physics, "dark matter"') == {"_search": 'physics, "dark matter"'}
    assert encode_search(GRANT, None) == {}


@pytest.mark.parametrize("search", ["", " ", ",", " , ,", '""', "' '", '","', "\t"])
def test_a_search_the_server_would_ignore_is_refused(search: str) -> None:
    with pytest.raises(FilterError, match="ignores a search without words"):
        encode_search(GRANT, search)


@pytest.mark.parametrize(
    "search", ["a\0b", "a\nb", "a\x85b", "\ud800", "a " * 101, "a," * 101, "ä" * 200, 5, b"x", ["x"]]
)
def test_a_search_the_server_would_fail_on_is_refused(search: str) -> None:
    with pytest.raises(FilterError) as caught:
        encode_search(GRANT, search)
    assert caught.value.field == "search"


@pytest.mark.parametrize("name", [name for name, resource in RESOURCES.items() if not resource.search])
def test_where_the_server_cannot_search_a_filter_is_recommended(name: str) -> None:
    with pytest.raises(FilterError, match=r"cannot search.*filter instead"):
        encode_search(RESOURCES[name], "x")
    assert encode_search(RESOURCES[name], None) == {}


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (None, ()),
        ("id", ("id",)),
        ("-amount,id", ("-amount", "id")),
        (" -amount , id ", ("-amount", "id")),
        (["-amount", "id"], ("-amount", "id")),
        (("team",), ("team",)),
        ([By.AMOUNT], ("-amount",)),
        (iter(["id"]), ("id",)),
    ],
)
def test_an_order_is_names_of_the_resource(order: str | None, names: tuple[str, ...]) -> None:
    assert encode_order(GRANT, order) == names


@pytest.mark.parametrize(
    "order",
    [
        "", " ", ",", "id,", "-", "--id", "+id", "id,id", "id,-id", [], ["id", ""], ["id", None], [5], 5, b"id",
        {"id": 1}, {"id"}, ["id,amount"], itertools.repeat("id"), "nope", "history", "_team",
    ],
)  # fmt: skip
def test_an_order_the_server_would_ignore_or_misread_is_refused(order: str) -> None:
    with pytest.raises(FilterError) as caught:
        encode_order(GRANT, order)
    assert caught.value.field == "order"


@pytest.mark.parametrize(
    ("order", "matches", "hint"),
    [
        ("amuont", ("amount",), "Did you mean 'amount'"),
        ("-startdate", ("start_date",), "Did you mean 'start_date'"),
        ("pk", ("id",), "Did you mean 'id'"),
        ("team__name", ("team",), "fields of other records"),
        ("grants", (), "stands for several records"),
        ("_history", (), "stands for several records"),
    ],
)
def test_an_unknown_order_comes_with_names_that_are_close(order: str, matches: tuple[str, ...], hint: str) -> None:
    resource = REQUEST if order == "grants" else GRANT
    with pytest.raises(FilterError, match=hint) as caught:
        encode_order(resource, order)
    assert caught.value.matches[: len(matches)] == matches


def test_limits_and_page_sizes_in_range_are_returned() -> None:
    assert [check_limit(limit) for limit in (None, 0, 1, 10**9)] == [None, 0, 1, 10**9]
    assert [check_page_size(size) for size in (1, 1000)] == [1, 1000]


@pytest.mark.parametrize("limit", [-1, True, 1.0, "5", float("inf"), [5]])
def test_other_limits_are_refused(limit: object) -> None:
    with pytest.raises(FilterError, match="from 0 on"):
        check_limit(limit)


@pytest.mark.parametrize("size", [None, 0, -1, 1001, True, 1.0, "5"])
def test_other_page_sizes_are_refused(size: object) -> None:
    with pytest.raises(FilterError, match="from 1 to 1000"):
        check_page_size(size)
