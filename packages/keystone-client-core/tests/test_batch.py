"""Batch jobs: actions, references between them, text that only looks like one, and chunks."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client_core import (
    RESOURCES,
    FieldError,
    FilterError,
    Reference,
    ReferenceTokenError,
    create_action,
    delete_action,
    encode_fields,
    failed_action,
    job_body,
    list_action,
    reference,
    retrieve_action,
    update_action,
)

TEAM, REQUEST, CLUSTER, USER = (RESOURCES[name] for name in ("team", "request", "cluster", "user"))
LABELS = st.text(string.ascii_letters + string.digits + "_", min_size=1)
TEAM_ID = Reference("a1", ("id",))
KNOWN = {"a1"}


def test_an_action_is_the_request_the_client_would_send_by_itself() -> None:
    assert create_action(TEAM, {"name": "Physics"}).json("a1") == {
        "method": "POST",
        "path": "/users/teams/",
        "ref": "a1",
        "payload": {"name": "Physics"},
    }
    assert update_action(TEAM, 7, {"is_active": False}).json() == {
        "method": "PATCH",
        "path": "/users/teams/7/",
        "payload": {"is_active": False},
    }
    assert delete_action(TEAM, "7").json() == {"method": "DELETE", "path": "/users/teams/7/"}
    assert retrieve_action(TEAM, 7).json() == {"method": "GET", "path": "/users/teams/7/"}


def test_an_action_that_lists_asks_for_one_page_in_a_certain_order() -> None:
    action = list_action(TEAM, {"name__contains": "@ref{x}"}, "phys", None, 5)

    assert action.json()["query_params"] == {
        "name__contains": "@ref{x}",  # the server replaces nothing in a query
        "_search": "phys",
        "_order": "id",
        "_limit": "5",
    }


@pytest.mark.parametrize("limit", [0, 1001, -1, True])
def test_a_page_of_a_job_has_1_to_1000_records(limit: Any) -> None:
    with pytest.raises(FilterError, match="limit"):
        list_action(TEAM, None, None, None, limit)


def test_a_page_of_no_keys_or_of_too_many_is_refused() -> None:
    none: list[int] = []
    for keys in (none, range(1, 5000)):
        with pytest.raises(FilterError, match="id__in"):
            list_action(TEAM, {"id__in": keys}, None, None, None)


def test_references_can_be_used_in_fields_keys_lists_and_text() -> None:
    fields = {"title": f"For {TEAM_ID}", "description": "d", "submitter": TEAM_ID, "team": 2, "assignees": [1, TEAM_ID]}

    action = create_action(REQUEST, fields, KNOWN)

    token = "@ref{a1.id}"
    assert action.payload == {**fields, "title": f"For {token}", "submitter": token, "assignees": [1, token]}
    assert update_action(TEAM, TEAM_ID, {}, KNOWN).path == f"/users/teams/{token}/"
    assert delete_action(TEAM, TEAM_ID, KNOWN).path == f"/users/teams/{token}/"


def test_a_reference_is_written_with_dots() -> None:
    assert str(Reference("a1", ("results",))[0]["name"]) == "@ref{a1.results.0.name}"


@pytest.mark.parametrize("label", ["", "a.b", "a b", "é", "a}", -1, True, None, 1.5])
def test_labels_the_server_would_refuse_are_refused(label: Any) -> None:
    with pytest.raises(ReferenceTokenError, match="referred to"):
        TEAM_ID[label]


def test_a_reference_has_no_end_and_so_cannot_be_iterated() -> None:
    with pytest.raises(TypeError):
        list(TEAM_ID)  # type: ignore[call-overload]  # what a user may try


def test_a_reference_to_another_job_or_a_later_action_is_refused() -> None:
    with pytest.raises(ReferenceTokenError, match="another job"):
        create_action(CLUSTER, {"name": "x", "access_teams": [TEAM_ID]}, {"a2"})
    with pytest.raises(ReferenceTokenError, match="another job"):
        update_action(TEAM, TEAM_ID, {}, {"a2"})
    with pytest.raises(ReferenceTokenError, match="no escape"):
        create_action(TEAM, {"name": f"{TEAM_ID}"}, {"a2"})


@pytest.mark.parametrize(
    "text", ["@ref{a1}", "@ref{", "@file{a1.id}", "x @ref{a1.id y", "@ref{@ref{a1.id}}", "@ref{a1.}"]
)
def test_text_that_looks_like_a_reference_is_refused(text: str) -> None:
    with pytest.raises(ReferenceTokenError, match="no escape"):
        create_action(TEAM, {"name": text}, KNOWN)


@given(before=st.text(), after=st.text(), kind=st.sampled_from(["ref", "file"]), inner=st.text())
def test_no_text_of_users_reaches_the_server_as_a_reference(before: str, after: str, kind: str, inner: str) -> None:
    with pytest.raises((ReferenceTokenError, FieldError)):  # FieldError: JSON cannot hold the text
        create_action(CLUSTER, {"name": "n", "description": f"{before}@{kind}{{{inner}}}{after}"}, {"a0secret"})


@given(
    st.text(st.characters(blacklist_categories=["Cs"])).filter(
        lambda text: "@ref{" not in text and "@file{" not in text and "\0" not in text
    )
)
def test_all_other_text_is_sent_as_it_is(text: str) -> None:
    assert update_action(RESOURCES["grant"], 1, {"description": text}, KNOWN).payload == {"description": text}


def test_text_deep_inside_json_is_checked_too() -> None:
    with pytest.raises(ReferenceTokenError):
        create_action(RESOURCES["preference"], {"request_expiry_thresholds": [{"a": ["@ref{x.y}"]}]})


def test_outside_of_a_job_a_reference_is_refused() -> None:
    for fields in ({"user": TEAM_ID, "team": 1, "role": "MB"},):
        with pytest.raises(FieldError, match="belongs in a later action"):
            encode_fields(RESOURCES["membership"], fields, "create")
    with pytest.raises(FieldError, match="belongs in a later action"):
        encode_fields(CLUSTER, {"access_teams": [1, TEAM_ID]}, "update")


def test_references_to_what_the_answer_will_not_have_are_refused() -> None:
    created = create_action(TEAM, {"name": "Physics"})
    listed = list_action(TEAM, None, None, None, None)

    with pytest.raises(ReferenceTokenError, match="Did you mean 'slug'"):
        reference("a1", created, "slugg")
    with pytest.raises(ReferenceTokenError, match="count, next, previous, results"):
        reference("a1", listed, "id")
    with pytest.raises(ReferenceTokenError, match="password"):
        reference("a1", create_action(USER, {"username": "ada", "password": "a long one"}), "password")
    with pytest.raises(ReferenceTokenError, match="answered with nothing"):
        reference("a1", delete_action(TEAM, 1), "id")


@pytest.mark.parametrize("label", [10**5000, "a" * 5000], ids=["number", "text"])
def test_a_reference_of_any_size_is_refused_in_a_message_of_limited_length(label: Any) -> None:
    listed = list_action(TEAM, None, None, None, None)

    with pytest.raises(ReferenceTokenError) as unknown:
        reference("a1", listed, label)
    with pytest.raises(ReferenceTokenError) as foreign:
        create_action(TEAM, {"name": Reference("a2", ("results",))[label]}, KNOWN)

    assert len(str(unknown.value)) < 300
    assert len(str(foreign.value)) < 300


def test_a_limit_too_large_to_convert_to_text_is_refused() -> None:
    with pytest.raises(FilterError, match="1 to 1000"):
        list_action(TEAM, None, None, None, 10**5000)


def test_a_password_that_looks_like_a_reference_is_refused_and_not_repeated() -> None:
    with pytest.raises(ReferenceTokenError, match="'password'") as created:
        create_action(USER, {"username": "ada", "password": "a long @ref{hunter2"})
    with pytest.raises(ReferenceTokenError, match="'password'") as updated:
        update_action(USER, 1, {"password": "a long @ref{hunter2"})

    for error in (created.value, updated.value):
        assert "hunter2" not in repr(error)
        assert error.__suppress_context__


def test_messages_name_the_fields_of_a_call_but_not_their_values() -> None:
    action = create_action(USER, {"username": "ada", "password": "correct horse"})

    assert action.call == "create_user(username, password)"


def test_the_action_to_blame_is_found_in_each_kind_of_answer() -> None:
    first = create_action(TEAM, {"name": "Physics"})
    second = create_action(REQUEST, {"title": "t", "description": "d", "submitter": 1, "team": TEAM_ID}, KNOWN)
    actions = [first, second]

    assert failed_action({"detail": "Step #2 failed", "step": 2, "status": 400, "body": {}}, actions) == 1
    assert failed_action({"detail": "Cannot resolve", "token": "@ref{a1.id}"}, actions) == 1
    assert failed_action({"actions": [{}, {"path": ["too long"]}]}, actions) == 1
    for silent in (None, {"detail": "no"}, {"step": 3}, {"token": "@ref{b.c}"}, {"actions": ["all wrong"] * 0}, [1]):
        assert failed_action(silent, actions) is None


def test_a_job_is_its_actions_and_whether_to_undo_them() -> None:
    assert json.loads(json.dumps(job_body([delete_action(TEAM, 1).json()], True))) == {
        "dry_run": True,
        "actions": [{"method": "DELETE", "path": "/users/teams/1/"}],
    }
