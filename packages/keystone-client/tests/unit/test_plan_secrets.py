"""The rows of a plan may hold passwords: no error, no traceback and no text of a plan shows them."""

import traceback
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from keystone_client import (
    KeystoneError,
    PlanError,
    Wanted,
)

from .plan_world import (
    NEVER,
    Colour,
    centre,
)
from .test_secrets import PASSWORD, BrokenError, found, traces

ROWS: Any = [{"username": "a", "password": PASSWORD}]


def unreadable() -> Iterator[Any]:
    yield ROWS[0]
    raise BrokenError


WANTED: dict[str, Callable[[], Wanted]] = {
    "resource": lambda: Wanted("users", ROWS),
    "rows": lambda: Wanted("user", ROWS[0]),
    "iterator": lambda: Wanted("user", unreadable()),
    "key": lambda: Wanted("user", ROWS, key="nope"),
    "scope": lambda: Wanted("user", ROWS, scope={"nope": 1}),
    "gone": lambda: Wanted("user", ROWS, gone={"password": f" {PASSWORD}"}),
    "new": lambda: Wanted("user", ROWS, new=cast("Any", {"password": PASSWORD})),
    "most_gone": lambda: Wanted("user", ROWS, most_gone=25),
    "protect": lambda: Wanted("user", ROWS, protect="ada"),
    "renamed": lambda: Wanted("user", ROWS, renamed={"a": "b", "b": "c"}),
}


@pytest.mark.parametrize("make", WANTED.values(), ids=WANTED)
def test_refused_rows_of_a_plan_reveal_no_secret(make: Callable[[], Wanted]) -> None:
    with pytest.raises((KeystoneError, BrokenError)) as caught:
        make()
    assert found(traces(caught.value)) == {}


def test_wanted_rows_can_be_shown_at_any_time() -> None:
    """A debugger, and traceback tools, also show an object that is not complete yet."""
    half: Any = Wanted.__new__(Wanted)
    assert repr(half) == "Wanted(incomplete)"
    assert repr(Wanted("user", ROWS)) == "Wanted('user', 1 rows)"


def test_no_traceback_of_a_plan_shows_a_password(colour: str, caplog: pytest.LogCaptureFixture) -> None:
    fake = centre()
    client = Colour(fake, colour, retry=NEVER)
    words = ["pa55-", "w0rd"]  # in parts, because a traceback quotes lines of this file

    def source() -> list[Any]:
        return [Wanted("user", [{"username": "new"}], new=lambda row: {"password": "".join(words)})]

    plan = client.plan(*source())
    fake.fail(status=500, times=None)
    with pytest.raises(PlanError, match="500") as caught:
        client.apply(plan)
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "".join(words) not in text + caplog.text


def test_no_traceback_of_a_source_that_fails_shows_the_passwords_of_its_rows(colour: str) -> None:
    words = ["pa55-", "w0rd"]
    rows: list[Any] = [{"username": "new", "password": "".join(words)}, {"username": "other"}]

    def broken(row: Any) -> Any:
        if row["username"] == "other":
            raise LookupError("no directory")
        return {}

    client = Colour(centre(), colour)
    wanted = Wanted("user", rows, new=broken)
    del rows
    with pytest.raises(LookupError, match="no directory") as caught:
        client.plan(wanted)
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "".join(words) not in text


def test_a_source_whose_errors_are_the_cause_of_each_other_ends_with_its_error() -> None:
    def rows() -> Iterator[Any]:
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        raise first
        yield

    with pytest.raises(ValueError, match="first"):
        Wanted("user", rows())
