"""What ``Wanted`` and ``plan`` refuse, and what they keep of what they were given."""

from typing import Any

import pytest
from keystone_client import FieldError, FilterError, Wanted

from .plan_world import LDAP, PEOPLE, centre, people


class Table:
    """What a data frame looks like."""

    columns = ("username",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("usr", []), "'usr' cannot be planned. Did you mean 'user'"),
        (("attachment", []), "'attachment' cannot be planned"),
        (("audit_log", []), "cannot be planned"),
        (("grant", []), "give key=, the fields that tell its records apart"),
        (("user", {"username": "ada"}), "give several records"),
        (("user", Table()), "not a Table: its rows, such as .to_dict('records') of pandas or .to_dicts() of polars"),
    ],
)
def test_wrong_arguments_are_refused_when_they_are_made(arguments: Any, message: str) -> None:
    with pytest.raises(FieldError) as caught:
        Wanted(*arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gone": "deactivate"}, "gone='deactivate': give 'delete', or the fields to set"),
        ({"gone": {}}, "gone={}: give 'delete', or the fields to set"),
        ({"gone": {"activ": False}}, "'activ'"),
        ({"most_gone": 25}, "most_gone=25: give a share of the scope, from 0 to 1"),
        ({"new": {"password": "x"}}, "give a function from a row to further fields"),
        ({"key": "password_"}, "give key=, the fields that tell its records apart"),
        ({"protect": "ada"}, "give several values, as a list, not 'ada'"),
    ],
)
def test_wrong_options_are_refused_when_they_are_made(options: Any, message: str) -> None:
    with pytest.raises(FieldError) as caught:
        Wanted("user", [], **options)
    assert message in str(caught.value)


def test_a_wrong_scope_is_a_filter_error() -> None:
    with pytest.raises(FilterError, match="is_ldap"):
        Wanted("user", [], scope={"is_ldap": True})


def test_a_team_cannot_be_renamed() -> None:
    with pytest.raises(FieldError, match="the server never changes it"):
        Wanted("team", [], renamed={"a": "b"})


def test_two_sources_of_one_resource_and_what_is_no_source_are_refused(planned: Any) -> None:
    with pytest.raises(FieldError, match="one Wanted for each resource"):
        planned(Wanted("user", PEOPLE), Wanted("user", []))
    with pytest.raises(FieldError, match=r"plan takes Wanted\(...\), not str"):
        planned("user")


@pytest.mark.parametrize("renamed", [{"ada": "bob", "bob": "carl"}, {"ada": "bob", "bob": "ada"}, {"a": "c", "b": "c"}])
def test_chains_and_swaps_of_names_are_refused(renamed: dict[str, str]) -> None:
    with pytest.raises(FieldError, match="chains and swaps need a plan for each step"):
        Wanted("user", people("bob"), renamed=renamed)


@pytest.mark.parametrize("given", [None, "text"])
def test_new_must_return_fields(planned: Any, given: Any) -> None:
    plan = planned(Wanted("user", {7: {"username": "n"}}, new=lambda row: given))
    assert plan.faults[0].label == 7


@pytest.mark.parametrize("key", ["password", ("username", "password")])
def test_no_secret_is_a_natural_key(key: Any) -> None:
    with pytest.raises(FieldError):
        Wanted("user", [{"username": "new", "password": "s3cret-one"}], key=key)


def test_a_scope_that_is_read_once_stands_for_the_same_records_later(planned: Any) -> None:
    wanted = Wanted("user", people("ada"), scope={"id__in": iter([2, 4])}, gone="delete", most_gone=1)
    assert len(planned(wanted).gone) == 1


def test_a_scope_that_is_changed_later_stands_for_the_same_records(planned: Any) -> None:
    fake, scope = centre(), dict(LDAP)
    fake.add.user(username="local")
    wanted = Wanted("user", people("ada", "bob", "eve"), scope=scope, gone="delete", most_gone=1)
    scope.clear()
    assert planned(wanted, fake=fake).gone == []


def test_new_adds_fields_and_never_changes_what_the_row_says(planned: Any) -> None:
    more = {"email": "new@x.org", "password": "long enough"}
    plan = planned(Wanted("user", [{"username": "new", "email": "row@x.org"}], new=lambda row: more))
    assert (plan.create[0].new["email"], plan.create[0].new["password"]) == ("row@x.org", "long enough")


def test_a_fault_of_what_new_returns_names_its_row(planned: Any) -> None:
    more = {"password": "long enough", "email": "no"}
    plan = planned(Wanted("user", {7: {"username": "new"}}, new=lambda row: more))
    assert [(fault.label, fault.field) for fault in plan.faults] == [(7, "email")]
