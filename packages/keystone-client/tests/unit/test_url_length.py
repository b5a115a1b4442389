"""No URL of a listing is longer than front-end web servers accept, and no shorter one is refused."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import FilterError

from .scripted import Scripted, connect, page

LONGEST = 4_096
TEXT = st.text("aé ,&%_\u4e2d", min_size=1, max_size=700).map(str.strip).filter(bool)


def lengths(wire: Scripted) -> list[int]:
    """The characters of each URL, as it was sent."""
    return [len(str(request.url)) for request in wire.requests]


@pytest.mark.parametrize("method", ["retrieve_grant", "count_grant", "retrieve_grant_stats"])
def test_blanks_are_measured_as_they_are_sent(colour: str, method: str) -> None:
    wire = Scripted(page())

    with pytest.raises(FilterError, match="characters of URL"):
        getattr(connect(colour, wire), method)(filters={"description__contains": f"a{' ' * 3_400}b"})

    assert wire.requests == []


@pytest.mark.parametrize(
    "filters",
    [
        {"title__in": [f"{number}" for number in range(1000, 1560)]},
        {"title__contains": "ä" * 550},
        {"title__contains": "a&b" * 600},
        {"title__contains": "x" * 3_500},
    ],
    ids=["four-digit names", "letters of two bytes", "ampersands", "a long word"],
)
def test_what_fits_is_not_refused(colour: str, filters: Any) -> None:
    wire = Scripted(page())

    connect(colour, wire).retrieve_grant(filters=filters)

    assert max(lengths(wire)) <= LONGEST


@given(
    text=TEXT,
    keys=st.sets(st.integers(1, 10**9), max_size=900),
    order=st.sampled_from([None, "-id", "title", ["-amount", "title"]]),
    base=st.sampled_from(["http://keystone.test/", f"https://keystone.test/{'p' * 600}/"]),
    search=st.none() | st.just("a b c"),
)
def test_no_url_is_too_long(text: str, keys: set[int], order: Any, base: str, search: str | None) -> None:
    wire = Scripted(page({"id": 1, "title": "t", "amount": "1.00"}))
    client = connect("sync", wire, base)

    with contextlib.suppress(FilterError):
        client.retrieve_grant(filters={"title__contains": text, "id__in": keys}, order=order, search=search)

    assert all(length <= LONGEST for length in lengths(wire))


def test_split_keys_use_the_available_url_length(colour: str) -> None:
    wire = Scripted(page())
    keys = range(100_000, 103_000)

    connect(colour, wire).retrieve_grant(filters={"id__in": keys, "title__contains": "x" * 500})

    assert max(lengths(wire)) <= LONGEST
    assert min(lengths(wire)[:-1]) > LONGEST - 300
    asked = [key for request in wire.requests for key in request.url.params["id__in"].split(",")]
    assert asked == [str(key) for key in keys]
