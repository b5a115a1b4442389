"""``ensure_x`` and plans refuse to create a record whose name differs from a stored one only in looks."""

from typing import Any

import pytest
from keystone_client import FieldError, Wanted
from keystone_client_testing import FakeKeystone

from .plan_world import centre, people

_WIDE = "\uff41\uff44\uff41"
"""``ada`` in full-width letters, as an input method for Chinese or Japanese writes them."""


def test_ensure_trims_the_key() -> None:
    assert centre().client().ensure_team(name="Physics ").how == "as wanted"


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
@pytest.mark.parametrize(
    ("before", "name"),
    [
        *[("ada", "ADA"), ("ADA", "ada"), ("ada", _WIDE), (_WIDE, "ada"), (_WIDE, "ADA"), (_WIDE.upper(), "ada")],
        *[("strasse", "stra\xdfe"), ("stra\xdfe", "strasse"), ("Stra\xdfe", "strasse")],
        *[("stra\xdfe", "STRASSE")],
    ],
)
def test_plans_and_ensure_refuse_a_twin(database: Any, before: str, name: str) -> None:
    fake = FakeKeystone(database=database)
    fake.add.user(username=before)
    client = fake.client()
    with pytest.raises(FieldError, match=f"there is {before!r}, which differs only in looks"):
        client.ensure_user(username=name, password="long enough")
    (fault,) = client.plan(Wanted("user", people(name, password="long enough"))).faults
    assert fault.reason == f"there is {before!r}, which differs only in looks"


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("h c", "h\xa0c"),
        ("h\xa0c", "h c"),
        ("h  c", "h c"),
        ("u\u0308", "\xfc"),
        ("\xfc", "u\u0308"),
        ("a, b", "A, b"),
        ("x" * 50, "X" * 50),
    ],
)
def test_ensure_refuses_a_twin_with_blanks_or_commas(before: str, name: str) -> None:
    fake = centre()
    fake.add.cluster(name=before)
    with pytest.raises(FieldError, match="differs only in looks"):
        fake.client().ensure_cluster(name=name)


@pytest.mark.parametrize("name", ["x" * 150, "\u540d" * 150, "ss" * 75, "stra\xdfe"])
def test_ensure_makes_what_has_no_twin(name: str) -> None:
    fake = centre()
    fake.add.user(username="strase")
    client = fake.client()
    hows = [client.ensure_user(username=name, password="long enough").how for _ in range(2)]
    assert hows == ["created", "as wanted"]


def test_looking_for_twins_costs_one_request_and_none_where_the_record_is_there() -> None:
    fake = centre()
    client: Any = fake.client()
    client.ensure_user(username="new", password="long enough")
    client.ensure_user(username="new")
    methods = [entry.method for entry in fake.journal if "/users/users/" in entry.path]
    assert methods == ["GET", "GET", "POST", "GET"]
