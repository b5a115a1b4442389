"""The query of a URL: encoded and measured in one place."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client_core import LONGEST_URL, encode_query, query_length

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"name__in": "a,b", "team": 7}, "name__in=a,b&team=7"),
        ({"title": "a b&c"}, "title=a%20b%26c"),
        ({"title": "ä"}, "title=%C3%A4"),
        ([("x", [1, 2]), ("y", "")], "x=1&x=2&y="),
        ({}, ""),
    ],
)
def test_commas_stay_and_everything_else_is_escaped(params: object, query: str) -> None:
    assert encode_query(params) == query  # type: ignore[arg-type]


@given(st.dictionaries(st.text("abc_", min_size=1), TEXTS))
def test_a_server_decodes_what_was_encoded(params: dict[str, str]) -> None:
    query = encode_query(params)
    assert dict(parse_qsl(query, keep_blank_values=True)) == params
    assert query_length(params) == len(query)


def test_the_longest_url_fits_in_the_4_kb_that_some_servers_take() -> None:
    assert LONGEST_URL <= 4 * 1024
