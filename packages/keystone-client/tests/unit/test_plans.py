"""Plans: what a source wants, compared with what is stored. Nothing is written, and nothing is lost in silence."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from keystone_client import FieldError, FilterError, Wanted
from keystone_client.records import UserRow
from keystone_client_testing import FakeKeystone

from .plan_world import Colour, centre, lines, reasons, stored, writes

PEOPLE: list[UserRow] = [{"username": name, "is_ldap_user": True} for name in ("ada", "bob", "eve")]
LDAP = {"is_ldap_user": True}
GRANT: dict[str, Any] = {
    "agency": "NSF",
    "amount": "10.50",
    "start_date": "2026-01-01",
    "title": "Waves",
    "team": "Physics",
}


@pytest.fixture
def planned(colour: str) -> Any:
    """Return a function that plans on a small centre; the last fake is its attribute ``fake``."""

    def plan(*wanted: Any, fake: Any = None) -> Any:
        plan.fake = fake or centre()  # type: ignore[attr-defined]
        before = writes(plan.fake)  # type: ignore[attr-defined]
        found = Colour(plan.fake, colour).plan(*wanted)  # type: ignore[attr-defined]
        assert writes(plan.fake) == before  # type: ignore[attr-defined]
        return found

    return plan


def test_a_plan_shows_what_it_would_do_and_the_numbers(planned: Any) -> None:
    plan = planned(
        Wanted(
            "user",
            [{"username": "ada", "email": "ada@y.org"}, {"username": "bob"}, {"username": "new", "email": "n@x.org"}],
            scope=LDAP,
            gone={"is_active": False},
            most_gone=0.5,
            new=lambda row: {"password": f"secret of {row['username']}"},
        ),
        Wanted("team", [{"name": "Chemistry"}]),
        Wanted("membership", [{"team": "Chemistry", "user": "new", "role": "OW"}]),
    )

    assert str(plan).splitlines() == [
        "+ user new email='n@x.org' password",
        "+ team Chemistry",
        "+ membership Chemistry, new role='OW'",
        "~ user ada email='ada@x.org' -> 'ada@y.org'",
        "- user eve is_active=True -> False",
        "3 to create, 1 to change, 1 to take out, 1 as wanted",
    ]
    assert repr(plan) == "<Plan: 3 to create, 1 to change, 1 to take out, 1 as wanted>".replace(
        "Plan", type(plan).__name__
    )
    assert lines(plan.create) == lines(plan.changes[:3])
    assert (plan.update[0].old, plan.update[0].new) == ({"email": "ada@x.org"}, {"email": "ada@y.org"})
    assert lines(plan.gone) == ["- user eve is_active=True -> False"]


def test_no_text_of_a_plan_holds_a_secret(planned: Any) -> None:
    rows = {1: {"username": "new", "password": "s3cret-one"}, 2: {"username": "n w", "password": "s3cret-two"}}
    rows[3] = {"username": "third", "pasword": "s3cret-three"}
    plan = planned(Wanted("user", rows))

    for text in (str(plan), repr(plan), plan.to_json(), repr(plan.changes), repr(plan.create[0]), repr(plan.faults)):
        assert "s3cret" not in text
    assert plan.create[0].new["password"] == "s3cret-one"
    assert json.loads(plan.to_json())["changes"][0]["new"] == {"username": "new"}


def test_all_faults_of_all_rows_are_told_at_once_and_good_rows_go_on(planned: Any) -> None:
    rows: Any = {
        21: {"username": "good", "password": "long enough"},
        22: {"username": "b d", "email": "no"},
        23: {"username": "new", "colour": "red"},
        24: {"email": "nobody@x.org"},
        25: "not a row",
        26: {"username": "short"},
    }
    plan = planned(Wanted("user", rows))

    assert [(fault.label, fault.field, fault.value) for fault in plan.faults] == [
        (22, "username", "b d"),
        (22, "email", "no"),
        (23, "colour", None),  # it may be a misspelt password
        (24, "username", None),
        (25, "", None),
        (26, "password", None),
    ]
    assert {fault.resource for fault in plan.faults} == {"user"}
    assert lines(plan.changes) == ["+ user good password"]
    assert str(plan).endswith("1 to create, 0 to change, 0 to take out, 0 as wanted, 6 refused")


def test_a_column_without_a_field_is_one_line_however_many_rows_there_are(planned: Any) -> None:
    rows: Any = [{"\ufeffusername": f"user{number}"} for number in range(300)]
    plan = planned(Wanted("user", rows))
    text = str(plan).splitlines()
    assert len(plan.faults) == 600
    assert [line.partition(":")[0] for line in text[:2]] == ["! user row 0, \\ufeffusername", "! user row 0, username"]
    assert text[0].endswith("(and so in 299 more rows)")
    assert len(text) == 4


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


def test_a_row_that_needs_a_refused_one_is_refused_too(planned: Any) -> None:
    plan = planned(
        Wanted("team", [{"name": "Chemistry", "is_active": "perhaps"}]),
        Wanted("membership", [{"team": "Chemistry", "user": "ada", "role": "OW"}]),
    )
    assert [fault.reason for fault in plan.faults][1:] == ["the row of this team is refused"]
    assert not plan


def test_a_name_whose_own_row_is_refused_says_so(planned: Any) -> None:
    members = [{"team": "Physics", "user": "john von", "role": "MB"}]
    plan = planned(Wanted("user", [{"username": "john von"}]), Wanted("membership", members))
    assert plan.faults[-1].reason == "the row of this user is refused"


def test_links_to_many_take_names(planned: Any) -> None:
    rows: Any = [{"name": "hpc", "access_mode": "WL", "access_teams": ["Physics", "Chemistry"]}]
    plan = planned(Wanted("cluster", rows), Wanted("team", [{"name": "Chemistry"}]))
    assert lines(plan.changes)[1:] == ["+ cluster hpc access_mode='WL' access_teams=['Physics', 'Chemistry']"]


def test_rows_that_mean_the_same_merge(planned: Any) -> None:
    grants = [
        {**GRANT, "grant_number": "G-1", "amount": "10.5"},
        {**GRANT, "grant_number": "G-1 ", "amount": Decimal("10.50")},
    ]
    plan = planned(Wanted("team", [{"name": "Bio"}, {"name": "Bio "}]), Wanted("grant", grants, key="grant_number"))
    assert (len(plan.create), plan.faults) == (2, ())


def test_repeats_merge_and_contradictions_are_refused(planned: Any) -> None:
    rows = {
        1: {"username": "new", "password": "long enough"},
        2: {"username": "new ", "password": "long enough"},
        3: {"username": "ada", "email": "one@x.org"},
        4: {"username": "ada", "email": "two@x.org"},
    }
    plan = planned(Wanted("user", rows))

    assert lines(plan.changes) == ["+ user new password"]
    assert reasons(plan) == {
        3: "row 4 says something else of the same user",
        4: "row 3 says something else of the same user",
    }


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


@pytest.mark.parametrize("blank", ["", "  ", None, float("nan")])
def test_a_blank_cell_says_nothing(planned: Any, blank: Any) -> None:
    plan = planned(Wanted("user", [{"username": "ada", "email": blank, "first_name": blank}]))
    assert (plan.as_wanted, list(plan.changes), list(plan.faults)) == (1, [], [])


def test_values_are_compared_as_the_server_stores_them(planned: Any) -> None:
    fake = centre()
    fake.add.grant(grant_number="G-1", description="a b", end_date="2026-12-31", **{**GRANT, "team": 1})
    row: Any = {
        "grant_number": " G-1 ",
        "amount": Decimal("10.5"),
        "end_date": date(2026, 12, 31),
        "description": "a b\n",
    }
    assert planned(Wanted("grant", [row], key="grant_number"), fake=fake).as_wanted == 1


def test_sets_are_compared_without_order_and_passwords_not_at_all(planned: Any) -> None:
    fake = centre()
    other = fake.add.team(name="Chemistry")["id"]
    fake.add.cluster(name="hpc", access_teams=[1, other])
    plan = planned(
        Wanted("cluster", [{"name": "hpc", "access_teams": ["Chemistry", "Physics"]}]),
        Wanted("user", [{"username": "ada", "password": "another one"}]),
        fake=fake,
    )
    assert (plan.as_wanted, plan.changes) == (2, ())


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


class TestWhoGoes:
    def test_nothing_goes_unless_gone_and_scope_say_so(self, planned: Any) -> None:
        one = [{"username": "ada"}]
        assert not planned(Wanted("user", one, scope=LDAP)).gone
        plan = planned(Wanted("user", one, gone={"is_active": False}, most_gone=1))
        assert not plan.gone
        assert plan.notes == ("user: no record goes without scope=; {} stands for all",)

    def test_only_what_the_scope_speaks_for_goes(self, planned: Any) -> None:
        fake = centre()
        fake.add.user(username="local")
        plan = planned(Wanted("user", PEOPLE[:2], scope=LDAP, gone={"is_active": False}, most_gone=1), fake=fake)
        assert lines(plan.gone) == ["- user eve is_active=True -> False"]

    def test_those_who_are_out_already_do_not_go_again(self, planned: Any) -> None:
        fake = centre()
        fake.add.user(username="old", is_ldap_user=True, is_active=False)
        plan = planned(Wanted("user", PEOPLE, scope=LDAP, gone={"is_active": False}, most_gone=0), fake=fake)
        assert (plan.gone, plan.faults) == ([], ())

    @pytest.mark.parametrize(
        ("rows", "why"),
        [
            ([], "there are no rows, and 3 of 3 would go; none of them goes"),
            (PEOPLE[:1], "2 of 3 would go, more than most_gone=0.25; none of them goes"),
            (
                [{"user name": "ada"}],
                "it is not known whom the refused rows mean, and 3 of 3 would go; none of them goes",
            ),
        ],
    )
    def test_a_broken_source_takes_nobody_out(self, planned: Any, rows: Any, why: str) -> None:
        plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}))
        assert plan.gone == []
        assert (plan.faults[-1].field, plan.faults[-1].reason) == ("gone", why)

    def test_those_who_are_out_already_do_not_count_for_the_share(self, planned: Any) -> None:
        fake = centre()
        for number in range(8):
            fake.add.user(username=f"old{number}", is_ldap_user=True, is_active=False)
        plan = planned(Wanted("user", PEOPLE[:2], scope=LDAP, gone={"is_active": False}), fake=fake)
        assert plan.faults[0].reason == "1 of 3 would go, more than most_gone=0.25; none of them goes"

    def test_the_scope_may_be_a_function(self, planned: Any) -> None:
        members = [{"team": "Physics", "user": "ada", "role": "OW"}]
        ours = Wanted(
            "membership", members, scope=lambda each: each["_team"]["name"] == "Physics", gone="delete", most_gone=1
        )
        assert lines(planned(ours).gone) == ["- membership Physics, bob"]

    def test_who_comes_back_is_noted_if_the_row_does_not_say_so(self, planned: Any) -> None:
        fake = centre()
        fake.add.user(username="old", is_ldap_user=True, is_active=False)
        rows: Any = [*PEOPLE, {"username": "old"}]
        plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}), fake=fake)
        assert plan.notes == ("user 'old' is back, and stays is_active=False: its row does not say",)
        rows[-1] = {"username": "old", "is_active": True}
        plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}), fake=fake)
        assert (plan.notes, lines(plan.update)) == ((), ["~ user old is_active=False -> True"])

    def test_a_source_that_raises_sends_nothing(self, planned: Any) -> None:
        def rows() -> Iterator[UserRow]:
            yield PEOPLE[0]
            raise OSError("the directory is down")

        with pytest.raises(OSError, match="the directory is down"):
            planned(Wanted("user", rows(), scope=LDAP, gone="delete"))

    def test_a_record_whose_row_is_refused_stays(self, planned: Any) -> None:
        rows: Any = [*PEOPLE[:2], {"username": "eve", "email": "no"}]
        plan = planned(Wanted("user", rows, scope=LDAP, gone={"is_active": False}, most_gone=1))
        assert plan.gone == []

    def test_the_caller_and_those_who_are_protected_never_go(self, planned: Any) -> None:
        plan = planned(Wanted("user", PEOPLE[:1], scope={}, gone={"is_active": False}, most_gone=1, protect=["eve", 3]))
        assert plan.gone == []
        assert [(fault.value, fault.reason) for fault in plan.faults] == [
            ("admin", "it is the account that this plan runs under")
        ]

    def test_the_last_owner_of_a_team_stays(self, planned: Any) -> None:
        members = [{"team": "Physics", "user": "bob", "role": "MB"}]
        plan = planned(Wanted("membership", members, scope={}, gone="delete", most_gone=1))
        assert plan.gone == []
        assert [(fault.value, fault.reason) for fault in plan.faults] == [
            ("Physics, ada", "it is the last owner of 'Physics': make another one first")
        ]

        plan = planned(Wanted("user", PEOPLE[1:], scope=LDAP, gone={"is_active": False}, most_gone=1))
        assert plan.gone == []
        assert plan.faults[0].value == "ada"

    def test_an_owner_goes_once_another_one_is_made(self, planned: Any) -> None:
        members = [{"team": "Physics", "user": "bob", "role": "OW"}]
        plan = planned(Wanted("membership", members, scope={}, gone="delete", most_gone=1))
        assert lines(plan.changes) == ["~ membership Physics, bob role='MB' -> 'OW'", "- membership Physics, ada"]

    def test_what_goes_along_is_counted(self, planned: Any) -> None:
        fake = centre()
        request = fake.add.request(team=1, submitter=1)
        fake.add.comment(request=request["id"], user=1)
        fake.add.grant(team=1)
        plan = planned(Wanted("team", [{"name": "Other"}], scope={}, gone="delete", most_gone=1), fake=fake)
        assert lines(plan.gone) == ["- team Physics (with 2 of membership, 1 of request, 1 of comment, 1 of grant)"]
        assert str(plan).endswith("1 to create, 0 to change, 1 to take out with 5 others, 0 as wanted")

    def test_what_the_server_does_not_delete_is_refused(self, planned: Any) -> None:
        fake = centre()
        fake.add.request(team=1, submitter=4)
        plan = planned(Wanted("user", PEOPLE[:2], scope=LDAP, gone="delete", most_gone=1), fake=fake)
        assert plan.gone == []
        why = "it is the submitter of 1 request records (1), and the server does not delete it"
        assert [(fault.value, fault.reason) for fault in plan.faults] == [("eve", why)]


MEMBERS: dict[str, Any] = {"team": "Physics", "user": "ada", "role": "MB"}
LAST = "it is the last owner of 'Physics': make another one first"


def owned(role: str = "OW", **fields: Any) -> FakeKeystone:
    """Return the centre with another owner of Physics, bob, or with bob in another role."""
    fake = centre()
    fake.world.store.update("membership", 2, {"role": role})
    fake.world.store.update("user", 3, fields)
    return fake


class TestLastOwner:
    @pytest.mark.parametrize("role", ["MB", "AD"])
    def test_a_row_that_demotes_the_last_owner_is_refused(self, planned: Any, role: str) -> None:
        plan = planned(Wanted("membership", {7: {**MEMBERS, "role": role}}))
        assert [tuple(fault) for fault in plan.faults] == [(7, "role", role, LAST, "membership")]
        assert plan.changes == ()

    @pytest.mark.parametrize(("field", "value"), [("team", "Other"), ("user", "eve")])
    def test_a_row_that_gives_the_last_ownership_away_is_refused(self, planned: Any, field: str, value: str) -> None:
        fake = centre()
        fake.add.team(name="Other")
        row = {"team": "Physics", "user": "ada", field: value, "role": "OW"}
        key = "user" if field == "team" else ("team", "role")
        plan = planned(Wanted("membership", {7: row}, key=key), fake=fake)
        # Another user who is the owner in the place of ada leaves none without.
        assert [(fault.label, fault.reason) for fault in plan.faults] == ([(7, LAST)] if field == "team" else [])
        assert len(plan.update) == (field == "user")

    def test_a_row_that_switches_the_last_owner_off_is_refused(self, planned: Any) -> None:
        rows: Any = {
            7: {"username": "ada", "is_active": False, "email": "n@x.org"},
            8: {"username": "eve", "role": "r"},
        }
        plan = planned(Wanted("user", rows))
        assert [tuple(fault) for fault in plan.faults] == [(7, "is_active", False, LAST, "user")]
        assert [change.name for change in plan.changes] == ["eve"]

    def test_one_of_two_owners_may_be_demoted_and_both_may_not(self, planned: Any) -> None:
        assert planned(Wanted("membership", [MEMBERS]), fake=owned()).faults == ()
        both = [MEMBERS, {**MEMBERS, "user": "bob"}]
        plan = planned(Wanted("membership", both), fake=owned())
        assert reasons(plan) == {0: LAST, 1: LAST}
        assert plan.changes == ()

    def test_an_owner_who_is_not_active_is_none_that_is_left(self, planned: Any) -> None:
        plan = planned(Wanted("membership", [MEMBERS]), fake=owned(is_active=False))
        assert reasons(plan) == {0: LAST}

    @pytest.mark.parametrize("other", ["bob", "eve", "new"])
    def test_an_owner_may_be_demoted_where_the_plan_makes_another_one(self, planned: Any, other: str) -> None:
        people: list[UserRow] = [{"username": "new", "password": "long enough"}]
        plan = planned(
            Wanted("user", people), Wanted("membership", [MEMBERS, {**MEMBERS, "user": other, "role": "OW"}])
        )
        assert plan.faults == ()
        demoted = "~ membership Physics, ada role='OW' -> 'MB'"
        assert lines(plan.changes)[-1] == demoted  # so that the team has an owner if the job with that breaks

    def test_a_new_owner_who_is_created_switched_off_is_none(self, planned: Any) -> None:
        new: UserRow = {"username": "new", "password": "long enough", "is_active": False}
        plan = planned(Wanted("user", [new]), Wanted("membership", [MEMBERS, MEMBERS | {"user": "new", "role": "OW"}]))
        assert reasons(plan) == {0: LAST}

    def test_a_new_owner_who_is_switched_off_is_none(self, planned: Any) -> None:
        off = Wanted("user", [{"username": "bob", "is_active": False}])
        plan = planned(off, Wanted("membership", [MEMBERS, {**MEMBERS, "user": "bob", "role": "OW"}]))
        assert reasons(plan)[0] == LAST
        assert "ada" not in str(plan.changes)

    def test_the_refusal_of_a_row_is_followed_to_what_relies_on_it(self, planned: Any) -> None:
        fake = centre()
        other = fake.add.team(name="Other")["id"]
        fake.add.membership(team=other, user=4, role="OW")
        moved = {"team": "Other", "user": "ada", "role": "OW"}  # the last owner of Physics, who replaces eve
        plan = planned(
            Wanted("membership", [moved, {"team": "Other", "user": "eve", "role": "MB"}], key="user"), fake=fake
        )
        assert reasons(plan) == {0: LAST, 1: LAST.replace("Physics", "Other")}
        assert plan.changes == ()

    def test_a_team_that_has_no_owner_stops_nothing(self, planned: Any) -> None:
        rows: Any = [{**MEMBERS, "role": "AD"}, {**MEMBERS, "user": "bob", "role": "AD"}]
        fake = centre()
        fake.world.store.update("membership", 1, {"role": "MB"})
        assert len(planned(Wanted("membership", rows), fake=fake).update) == 2

    def test_a_refused_demotion_keeps_an_owner_for_those_who_go(self, planned: Any) -> None:
        rows = [{"username": name} for name in ("bob", "eve")]
        plan = planned(
            Wanted("user", rows, scope=LDAP, gone={"is_active": False}, most_gone=1),
            Wanted("membership", [{**MEMBERS, "user": "bob"}]),
            fake=owned(),
        )
        assert lines(plan.changes) == ["~ membership Physics, bob role='OW' -> 'MB'"]
        assert plan.faults[0].value == "ada"

    def test_only_what_could_cost_a_team_its_owner_asks_for_more_records(self, planned: Any) -> None:
        planned(Wanted("user", [{"username": "ada", "email": "n@x.org", "is_active": True}]))
        planned(Wanted("membership", [{**MEMBERS, "user": "bob", "role": "OW"}]))
        assert "/users/memberships/" in [entry.path for entry in planned.fake.journal]
        planned(Wanted("user", [{"username": "ada", "first_name": "n"}]))
        assert "/users/memberships/" not in [entry.path for entry in planned.fake.journal]


def unseen(resource: str) -> str:
    return f"there is no {resource} with this key that this account can see; give another key, or a name"


class TestKeys:
    def test_a_key_without_a_record_is_refused_before_anything_is_sent(self, planned: Any) -> None:
        rows: Any = {
            7: {"team": 99, "user": "eve", "role": "MB"},
            8: {"team": 1, "user": 98, "role": "MB"},
            9: {"team": 1, "user": 4, "role": "MB"},
            10: {"team": 97, "user": 96, "role": "MB"},
        }
        plan = planned(Wanted("membership", rows))
        assert [tuple(fault) for fault in plan.faults] == [
            (7, "team", 99, unseen("team"), "membership"),
            (8, "user", 98, unseen("user"), "membership"),
            (10, "team", 97, unseen("team"), "membership"),
            (10, "user", 96, unseen("user"), "membership"),
        ]
        assert lines(plan.changes) == ["+ membership 1, 4 role='MB'"]

    def test_keys_that_are_not_known_cost_one_request_for_each_kind_of_record(self, planned: Any) -> None:
        fake = centre()
        fake.add.team(name="Other")
        fake.add.cluster(name="hpc", access_teams=[1])
        plan = planned(
            Wanted("membership", [{"team": team, "user": 4, "role": "MB"} for team in (2, 99)]),
            Wanted("cluster", [{"name": "hpc", "access_teams": [1, 97]}]),
            Wanted("grant", [GRANT | {"team": 98, "grant_number": "G"}], key="grant_number"),
            fake=fake,
        )
        assert [(fault.resource, fault.field, fault.value) for fault in plan.faults] == [
            ("membership", "team", 99),
            ("cluster", "access_teams", 97),
            ("grant", "team", 98),
        ]
        asked = [
            (entry.path, dict(parse_qsl(entry.query)).get("id__in"))
            for entry in fake.journal
            if "/users/" in entry.path
        ]
        assert asked == [
            ("/users/memberships/", None),
            ("/users/teams/", "2,97,98,99"),
            ("/users/users/", "4"),
        ]

    def test_keys_that_are_known_cost_nothing(self, planned: Any) -> None:
        fake = centre()
        fake.add.cluster(name="hpc", access_teams=[1])
        planned(
            Wanted("membership", [{"team": 1, "user": 2, "role": "OW"}, {"team": 1, "user": 3, "role": "AD"}]),
            Wanted("cluster", [{"name": "hpc", "access_teams": [1], "description": "new"}]),
            fake=fake,
        )
        assert [entry.path for entry in fake.journal if entry.method == "GET"] == [
            "/users/memberships/",
            "/allocations/clusters/",
        ]
        plan = planned(Wanted("team", []), Wanted("membership", [{"team": 99, "user": "eve", "role": "MB"}]))
        assert [fault.value for fault in plan.faults] == [99]
        assert sum(entry.path == "/users/teams/" for entry in planned.fake.journal) == 1

    def test_what_needs_a_record_with_such_a_key_is_refused_too(self, planned: Any) -> None:
        request: dict[str, Any] = {"title": "R", "description": "d", "team": 1, "submitter": "ada", "grants": ["G"]}
        rows = [{"request": "R", "content": "fine"}, {"request": "S", "content": "good"}]
        plan = planned(
            Wanted("grant", {3: GRANT | {"team": 99, "grant_number": "G"}}, key="grant_number"),
            Wanted("request", {4: request, 5: request | {"title": "S", "grants": []}}, key="title"),
            Wanted("comment", dict(enumerate(rows, 6)), key="content"),
        )
        assert [tuple(fault) for fault in plan.faults] == [
            (3, "team", 99, unseen("team"), "grant"),
            (4, "grants", ["G"], "the row of this grant is refused", "request"),
            (6, "request", "R", "the row of this request is refused", "comment"),
        ]
        assert [change.name for change in plan.changes] == ["S", "good"]

    def test_keys_that_new_returns_are_checked(self, planned: Any) -> None:
        row = {"grant_number": "9", **{name: value for name, value in GRANT.items() if name != "team"}}
        plan = planned(Wanted("grant", [row], key="grant_number", new=lambda row: {"team": 99}))
        assert [(fault.value, fault.reason) for fault in plan.faults] == [(99, unseen("team"))]

    def test_a_record_whose_key_a_row_gives_is_not_deleted(self, planned: Any) -> None:
        fake = centre()
        fake.add.team(name="Kept")
        everything: dict[str, Any] = {"scope": {}, "gone": "delete", "most_gone": 1}
        plan = planned(
            Wanted("team", [{"name": "Kept"}], **everything),
            Wanted("membership", [{"team": 1, "user": "eve", "role": "MB"}]),
            fake=fake,
        )
        assert lines(plan.changes) == ["+ membership 1, eve role='MB'"]
        why = "the membership 1, eve, which rows want, points at it"
        assert [(fault.value, fault.reason) for fault in plan.faults] == [("Physics", why)]

    def test_an_owner_who_would_be_made_with_such_a_key_is_none(self, planned: Any) -> None:
        plan = planned(Wanted("membership", [MEMBERS, MEMBERS | {"team": 1, "user": 99, "role": "OW"}]))
        assert reasons(plan) == {0: LAST, 1: unseen("user")}


class TestNamesUnderAnotherKey:
    """Users are matched by their address, so rows may change the names by which others know them."""

    @staticmethod
    def people(*rows: dict[str, Any]) -> Wanted:
        return Wanted("user", [{"email": "eve@x.org"} | row for row in rows], key="email")

    @staticmethod
    def members(*users: Any) -> Wanted:
        return Wanted("membership", [MEMBERS | {"user": user} for user in users])

    def test_a_new_name_stands_for_the_record_that_gets_it(self, planned: Any) -> None:
        plan = planned(self.people({"username": "evelyn"}), self.members("evelyn"))
        assert plan.faults == ()
        assert [(change.resource, change.new.get("user")) for change in plan.create] == [("membership", 4)]

    def test_a_former_name_is_refused_with_the_new_one(self, planned: Any) -> None:
        plan = planned(self.people({"username": "evelyn"}), self.members("eve"))
        assert reasons(plan) == {0: "the user of this name is called 'evelyn' in this plan: give that name"}
        assert lines(plan.changes) == ["~ user eve@x.org username='eve' -> 'evelyn'"]

    @pytest.mark.parametrize("name", ["eve", "eve@x.org", 4])
    @pytest.mark.parametrize("fields", [{}, {"username": "eve"}])
    def test_a_name_that_stays_stands_for_its_record_and_so_does_its_key(
        self, planned: Any, name: Any, fields: Any
    ) -> None:
        plan = planned(self.people(fields), self.members(name))
        assert plan.faults == ()
        assert [change.new["user"] for change in plan.changes] == [4]

    @pytest.mark.parametrize("name", ["new", "new@x.org"])
    def test_a_record_that_is_to_be_created_has_both_names(self, planned: Any, name: str) -> None:
        new = {"email": "new@x.org", "username": "new", "password": "long enough"}
        plan = planned(self.people(new), self.members(name))
        assert lines(plan.changes)[1:] == [f"+ membership Physics, {name} role='MB'"]
        assert plan.changes[1].new["user"] == plan.changes[0].token

    @pytest.mark.parametrize("second", ["cluster 2", "cluster that is new"])
    def test_a_text_that_means_two_records_is_refused(self, planned: Any, second: str) -> None:
        fake = centre()
        fake.add.cluster(name="hpc", description="old")
        if second == "cluster 2":
            fake.add.cluster(name="second", description="hpc")
        request = fake.add.request(team=1, submitter=1)["id"]
        row: Any = {"cluster": "hpc", "request": request, "requested": 1}
        plan = planned(
            Wanted("cluster", [{"description": "hpc", "name": "second"}], key="description"),
            Wanted("allocation", [row], key=("cluster", "request")),
            fake=fake,
        )
        why = f"it is the name of cluster 1, and the description of {second}: give the key, or another name"
        assert reasons(plan) == {0: why}

    def test_names_are_known_where_several_fields_are_the_key(self, planned: Any) -> None:
        fake = owned(first_name="Bob", last_name="B")
        rows = [{"first_name": "Bob", "last_name": "B", "username": "robert"}]
        people = Wanted("user", rows, key=("first_name", "last_name"))
        plan = planned(people, Wanted("membership", [MEMBERS | {"user": "robert"}]), fake=fake)
        assert [change.pk for change in plan.changes] == [3, 2]
        assert reasons(planned(people, self.members("roberta"), fake=fake)) == {
            0: "there is no user of this name, and none is wanted. Did you mean 'robert'?"
        }

    @pytest.mark.parametrize(
        "row",
        [
            {"email": "no", "username": "new"},
            {"email": "no", "username": "bob"},
            {"email": "n@x.org", "username": "new"},
            {"username": "new", "is_staff": "perhaps"},
            {"username": "bob"},
        ],
    )
    def test_the_name_in_a_refused_row_is_refused_too(self, planned: Any, row: Any) -> None:
        plan = planned(self.people(row), self.members(row["username"]))
        assert [fault.reason for fault in plan.faults][-1] == "the row of this user is refused"
        assert plan.changes == ()

    def test_two_rows_cannot_trade_their_names(self, planned: Any) -> None:
        rows = {"username": "bob"}, {"email": "bob@x.org", "username": "eve"}
        plan = planned(self.people(*rows), self.members("bob", "eve"))
        assert plan.changes == ()
        assert len(plan.faults) == 4


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


def test_with_nothing_to_do_a_plan_costs_its_listings(planned: Any) -> None:
    members = [{"team": "Physics", "user": "ada", "role": "OW"}, {"team": "Physics", "user": "bob", "role": "MB"}]
    planned(Wanted("user", PEOPLE), Wanted("team", [{"name": "Physics"}]), Wanted("membership", members))
    reads = [entry.path for entry in planned.fake.journal if entry.method == "GET"]
    assert reads == ["/users/users/", "/users/teams/", "/users/memberships/"]
    assert len(stored(planned.fake, "membership")) == 2
