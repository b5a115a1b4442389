"""Names in plans: which record each stands for, spellings that look alike, and records that are renamed."""

from typing import Any

from keystone_client import Wanted

from .plan_world import ALL, GRANT, MONEY, centre, lines, people, reasons


def test_names_stand_for_keys_and_unknown_ones_are_refused_with_close_matches(planned: Any) -> None:
    rows: Any = [
        {"team": "Physics", "user": "eve", "role": "MB"},
        {"team": 1, "user": "bob", "role": "MB"},
        {"team": "Physik", "user": "ada", "role": "MB"},
        {"team": "Physics", "user": "ADA", "role": "MB"},
    ]
    plan = planned(Wanted("membership", rows))

    assert [(change.new["team"], change.new["user"]) for change in plan.create] == [(1, 4)]
    assert plan.as_wanted == 1
    assert reasons(plan) == {
        2: "there is no team of this name, and none is wanted. Did you mean 'Physics'?",
        3: "there is no user of this name, and none is wanted. Did you mean 'ada'?",
    }


def test_a_name_whose_own_row_is_refused_says_so(planned: Any) -> None:
    members = [{"team": "Physics", "user": "john von", "role": "MB"}]
    plan = planned(Wanted("user", [{"username": "john von"}]), Wanted("membership", members))
    assert plan.faults[-1].reason == "the row of this user is refused"


def test_links_to_many_take_names(planned: Any) -> None:
    rows: Any = [{"name": "hpc", "access_mode": "WL", "access_teams": ["Physics", "Chemistry"]}]
    plan = planned(Wanted("cluster", rows), Wanted("team", [{"name": "Chemistry"}]))
    assert lines(plan.changes)[1:] == ["+ cluster hpc access_mode='WL' access_teams=['Physics', 'Chemistry']"]


def test_twins_are_refused_by_name(planned: Any) -> None:
    users = [{"username": each, "password": "long enough"} for each in ("ADA", "new", "New")]
    plan = planned(
        Wanted("user", users),
        Wanted("team", [{"name": "physics"}, {"name": "Bio Chem"}, {"name": "bio-chem"}]),
    )

    assert [(fault.value, fault.reason) for fault in plan.faults] == [
        ("ADA", "there is 'ada', which differs only in looks"),
        ("New", "there is 'new', which differs only in looks"),
        ("Bio Chem", "row 2 has 'bio-chem', and the server makes the same slug of both"),
        ("bio-chem", "row 1 has 'Bio Chem', and the server makes the same slug of both"),
        ("physics", "it is stored as 'Physics', which has the same slug, and a name never changes"),
    ]
    assert lines(plan.create) == ["+ user new password"]


def test_another_spelling_of_a_team_resolves_where_a_row_points_at_it(planned: Any) -> None:
    plan = planned(Wanted("membership", [{"team": "physics!", "user": "ada", "role": "OW"}]))
    assert (plan.as_wanted, plan.faults, plan.changes) == (1, (), ())


def test_names_without_a_slug_are_not_spellings_of_one_team(planned: Any) -> None:
    fake = centre()
    fake.add.team(name="\u7269\u7406", slug="")
    rows = [{"team": name, "user": "ada", "role": "OW"} for name in ("\u7269\u7406", "\u5316\u5b66")]
    everything: dict[str, Any] = {"scope": {}, "gone": "delete", "most_gone": 1}
    plan = planned(Wanted("membership", rows), fake=fake)
    assert [change.new["team"] for change in plan.changes] == [2]
    assert reasons(plan) == {1: "there is no team of this name, and none is wanted."}
    plan = planned(Wanted("team", [{"name": "Physics"}], **everything, protect=["\u5316\u5b66"]), fake=fake)
    assert plan.faults[0].reason == "there is no such record; none of the others goes"


def test_two_stored_records_under_one_key_are_refused_with_both_ids(planned: Any) -> None:
    fake = centre()
    for _ in range(2):
        fake.add.grant(grant_number="G-1", team=1)
    plan = planned(Wanted("grant", [{"grant_number": "G-1", **GRANT}], key="grant_number"), fake=fake)
    assert reasons(plan) == {0: "2 records have this: 1 and 2"}


def test_names_that_differ_a_little_are_noted_as_probable_renames(planned: Any) -> None:
    plan = planned(Wanted("team", [{"name": "Physics A"}]), Wanted("user", [{"username": "adam", "password": "x" * 9}]))
    assert plan.notes == (
        "team 'Physics A' is new, and no row names 'Physics': if that is its former name, the server cannot rename it",
        "user 'adam' is new, and no row names 'ada': if that is its former name, say so in renamed=",
    )


def test_a_renamed_user_is_changed_and_rows_may_use_the_new_name(planned: Any) -> None:
    plan = planned(
        Wanted("user", [{"username": "lovelace"}], renamed={"ada": "lovelace"}, scope={}, gone="delete"),
        Wanted("membership", [{"team": "Physics", "user": "lovelace", "role": "OW"}]),
    )
    assert lines(plan.update) == ["~ user ada username='ada' -> 'lovelace'"]
    assert plan.as_wanted == 1


def test_rows_of_the_old_and_of_the_new_name_contradict_each_other(planned: Any) -> None:
    rows = [{"username": "ada", "email": "q@x.org"}, {"username": "love", "email": "z@x.org"}]
    plan = planned(Wanted("user", rows, renamed={"ada": "love"}))
    assert reasons(plan) == {0: "it is renamed to 'love'"}


def test_a_name_of_two_records_is_refused_where_a_row_points_at_it(planned: Any) -> None:
    fake = centre()
    fake.client().update_user(4, {"email": "bob@x.org"})
    plan = planned(
        Wanted("user", [], key="email"),
        Wanted("membership", [{"team": "Physics", "user": "bob@x.org", "role": "OW"}]),
        fake=fake,
    )
    assert reasons(plan) == {0: "several user records have this name: 3 and 4"}
    assert not plan.changes


def test_a_rename_of_a_name_that_several_records_have_is_refused(planned: Any) -> None:
    fake = centre()
    for _ in range(2):
        fake.add.request(title="R", team=1, submitter=1)
    plan = planned(Wanted("request", [{"title": "S"}], key="title", renamed={"R": "S"}, **ALL), fake=fake)
    assert not plan.changes
    assert reasons(plan) == {None: "several request records have this: 1 and 2"}


def test_names_that_new_returns_are_shown_as_names(planned: Any) -> None:
    row = {"grant_number": "9", "title": "t", **MONEY}
    plan = planned(
        Wanted("team", [{"name": "New"}]),
        Wanted("grant", [row], key="grant_number", new=lambda row: {"team": "New"}),
    )
    assert "team='New'" in str(plan)


def test_what_new_returns_may_name_records(planned: Any) -> None:
    row = {"grant_number": "9", "title": "t", **MONEY}
    plan = planned(Wanted("grant", [row], key="grant_number", new=lambda row: {"team": "Physics"}))
    assert plan.create[0].new["team"] == 1


def test_a_rename_to_a_twin_is_refused(planned: Any) -> None:
    plan = planned(Wanted("user", people("BOB"), renamed={"ada": "BOB"}))
    assert reasons(plan) == {0: "there is 'bob', which differs only in looks"}
    assert plan.changes == ()


def test_a_name_with_blanks_in_the_store_is_not_explained_by_a_slug(planned: Any) -> None:
    fake = centre()
    fake.world.store.tables["user"][3]["username"] = "bob "
    plan = planned(Wanted("user", [{"username": "bob", "email": "n@x.org"}]), fake=fake)
    assert "slug" not in " ".join(fault.reason for fault in plan.faults)
