"""The comparison itself, without a live server: expected differences have names, everything else is reported."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from .compare import EXCUSES, compare, difference
from .documented import WRONG
from .tally import Tally
from .traffic import LEFT_OUT

PAGE = Path(__file__).parents[4] / "docs" / "fake-differences.md"


@pytest.mark.parametrize(
    ("live", "fake"),
    [
        ({"a": "2026-11-22T14:01:30.542332Z"}, {"a": "2026-11-22T14:01:31Z"}),
        ({"timestamp": "2026-11-22 14:01:28.575314"}, {"timestamp": "2026-11-22 14:01:29"}),
        ({"file": "allocations/a_AbCdEf1.txt"}, {"file": "allocations/a_9876543.txt"}),
        ({"file": "allocations/a_AbCdEf1.tar.gz"}, {"file": "allocations/a_9876543.tar.gz"}),
        ({"password": ["**ne", "***abc"]}, {"password": ["**ne", "*****"]}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_what_must_differ_is_excused(live: object, fake: object) -> None:
    assert difference(live, fake) == ""


@pytest.mark.parametrize(
    ("live", "fake", "where"),
    [
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ".a[0].b"),
        ({"a": 1}, {"a": 1, "b": 1}, "keys ['b']"),
        ({"a": 1}, {"a": True}, ".a"),
        ({"a": 1}, {"a": 1.0}, ".a"),
        ([1, 2], [2, 1], "[0]"),
        ([1], [1, 2], "body"),
        ("2026-11-22T14:01:30Z", "2026-11-22T15:01:30Z", "body"),
        ("2026-11-22T14:01:30Z", None, "body"),
        ({"file": "allocations/a.txt"}, {"file": "allocations/b.txt"}, ".file"),
    ],
)  # fmt: skip
def test_everything_else_is_a_difference_with_its_place(live: object, fake: object, where: str) -> None:
    assert where in difference(live, fake)


def test_answers_differ_by_status_by_header_and_by_the_order_of_an_ordered_page() -> None:
    request = httpx.Request("GET", "http://a")
    one = httpx.Response(200, json={"results": [{"id": 1}, {"id": 2}]}, request=request)
    two = httpx.Response(200, json={"results": [{"id": 2}, {"id": 1}]}, request=request)
    assert compare(one, one) == ""
    assert compare(one, httpx.Response(404, request=request)).startswith("status")
    assert compare(one, httpx.Response(200, headers={"allow": "GET"}, request=request)).startswith("header")
    assert compare(one, two)
    assert compare(one, two, ordered=False) == ""


def _answer(body: object, method: str = "GET") -> httpx.Response:
    return httpx.Response(200, json=body, request=httpx.Request(method, "http://a/x/"))


@pytest.mark.parametrize(
    ("name", "one", "two"),
    [
        ("users", [1, 2], [2, 1]),
        ("_membership", [{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 1}]),
        ("_attachments",
         [{"file": "allocations/a_AbCdEf1.txt", "name": "a"}, {"file": "allocations/b.txt", "name": "b"}],
         [{"file": "allocations/b.txt", "name": "b"}, {"file": "allocations/a_Zyxwvu9.txt", "name": "a"}]),
        ("_grants",
         [{"id": 1, "title": "A"}, {"id": 2, "title": "A"}],
         [{"id": 2, "title": "A"}, {"id": 1, "title": "A"}]),
    ],
)  # fmt: skip
def test_nested_lists_that_come_in_any_order_are_compared_as_sets(name: str, one: list[Any], two: list[Any]) -> None:
    live, fake = (_answer({"results": [{"body": {name: rows}}]}) for rows in (one, two))
    assert compare(live, fake) == ""
    assert compare(_answer({name: one}), _answer({name: [*two, two[0]]}))


def test_histories_keep_their_order_and_grants_by_title_do_where_they_are_read() -> None:
    one, two = [{"id": 1, "title": "A"}, {"id": 2, "title": "B"}], [{"id": 2, "title": "B"}, {"id": 1, "title": "A"}]
    assert compare(_answer({"_history": one}), _answer({"_history": two}))
    assert compare(_answer({"_grants": one}), _answer({"_grants": two}))
    for name in ("_grants", "_comments"):
        assert compare(_answer({name: one}, "PATCH"), _answer({name: two}, "PATCH")) == ""


def test_messages_about_a_field_keep_their_order() -> None:
    assert compare(_answer({"users": ["b", "a"]}), _answer({"users": ["a", "b"]}))


def test_documents_are_compared_without_their_body() -> None:
    request = httpx.Request("GET", "http://a/openapi/json/")
    one, two = (httpx.Response(200, json={"title": title}, request=request) for title in "AB")
    assert compare(one, two) == ""
    assert compare(one, httpx.Response(200, headers={"vary": "Accept"}, request=request)).startswith("header")


def test_a_kind_below_its_bar_fails_although_the_whole_is_above() -> None:
    tally = Tally()
    tally.count("list", "admin", alike=True, times=10_000)
    assert tally.low() == []
    tally.count("upload", "admin", alike=False)
    assert tally.low() == ["upload: 0.00% < 97%"]


def test_every_exclusion_has_a_reason_and_is_on_the_page_of_differences() -> None:
    text = PAGE.read_text(encoding="utf-8")
    wrong = {name: reason for name, (_, reason) in WRONG.items()}
    reasons = {**{excuse.name: excuse.reason for excuse in EXCUSES}, **LEFT_OUT, **wrong}
    missing = [name for name, reason in reasons.items() if f"| {name} | {reason} |" not in text]
    assert missing == []
