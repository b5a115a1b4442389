"""Plans and ``ensure_x`` under attack: what could lose data, what would be wrong, and what would be ugly."""

import json
from typing import Any, cast

import pytest
from keystone_client import ChangedError, FieldError, FilterError, PlanError, RetryPolicy, Wanted
from keystone_client_core._stored import differs
from keystone_client_testing import FakeKeystone

from .plan_world import centre, lines, stored

LDAP = {"is_ldap_user": True}
_WIDE = "\uff41\uff44\uff41"
"""``ada`` in full-width letters, as an input method for Chinese or Japanese writes them."""
ALL: dict[str, Any] = {"scope": {}, "gone": "delete", "most_gone": 1}
NEVER = RetryPolicy(attempts=1)
MONEY = {"agency": "a", "amount": "1", "start_date": "2026-01-01"}


def planned(fake: Any, *wanted: Any) -> Any:
    return fake.client().plan(*wanted)


def people(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"username": name, **fields} for name in names]


class TestDataIsLost:
    @pytest.mark.parametrize("gone", [{"is_active": False}, "delete"])
    def test_the_record_that_a_refused_twin_means_stays(self, gone: Any) -> None:
        rows = people("ada", "bob", "EVE", password="long enough")
        plan = planned(centre(), Wanted("user", rows, scope=LDAP, gone=gone, most_gone=0.5))
        assert len(plan.faults) >= 1
        assert lines(plan.gone) == []

    def test_ensure_without_a_doi_never_changes_another_publication(self) -> None:
        fake = centre()
        client = fake.client()
        client.create_publication(title="The first", team=1)
        with pytest.raises(FieldError, match="doi"):
            client.ensure_publication(doi=None, title="The second", team=1)
        assert stored(fake, "publication")[0]["title"] == "The first"

    def test_ensure_reads_an_iterator_once(self) -> None:
        record, how = (
            centre().client().ensure_cluster(name="hpc", access_mode="WL", access_teams=cast("Any", iter([1])))
        )
        assert (record["access_teams"], how) == ([1], "created")

    @pytest.mark.parametrize("name", ["physics", "Physics ", "no such team"])
    def test_a_protected_name_protects_in_any_spelling_or_is_refused(self, name: str) -> None:
        fake = centre()
        fake.add.team(name="Kept")
        plan = planned(fake, Wanted("team", [{"name": "Kept"}], **ALL, protect=[name]))
        assert not plan.gone
        assert bool(plan.faults) is (name == "no such team")

    @pytest.mark.parametrize(
        "renamed", [{"ada": "bob", "bob": "carl"}, {"ada": "bob", "bob": "ada"}, {"a": "c", "b": "c"}]
    )
    def test_chains_and_swaps_of_names_are_refused(self, renamed: dict[str, str]) -> None:
        with pytest.raises(FieldError, match="chains and swaps need a plan for each step"):
            Wanted("user", people("bob"), renamed=renamed)

    def test_rows_of_the_old_and_of_the_new_name_contradict_each_other(self) -> None:
        rows = [{"username": "ada", "email": "q@x.org"}, {"username": "love", "email": "z@x.org"}]
        plan = planned(centre(), Wanted("user", rows, renamed={"ada": "love"}))
        assert plan.faults

    def test_a_name_of_two_records_is_refused_where_a_row_points_at_it(self) -> None:
        fake = centre()
        fake.client().update_user(4, {"email": "bob@x.org"})
        plan = planned(
            fake,
            Wanted("user", [], key="email"),
            Wanted("membership", [{"team": "Physics", "user": "bob@x.org", "role": "OW"}]),
        )
        assert plan.faults
        assert not plan.changes

    def test_an_owner_who_was_taken_out_before_is_no_owner_that_is_left(self) -> None:
        fake = centre()
        fake.client().update_membership(2, {"role": "OW"})
        fake.client().update_user(3, {"is_active": False})
        plan = planned(fake, Wanted("user", people("eve"), scope=LDAP, gone={"is_active": False}, most_gone=1))
        assert lines(plan.gone) == []

    def test_a_new_owner_who_goes_is_no_owner_that_is_left(self) -> None:
        plan = planned(
            centre(),
            Wanted("user", people("bob"), scope=LDAP, gone={"is_active": False}, most_gone=1),
            Wanted("membership", [{"team": "Physics", "user": "eve", "role": "OW"}]),
        )
        assert len(plan.gone) < 2

    def test_half_a_source_is_refused_however_many_were_taken_out_before(self) -> None:
        fake = centre()
        for number in range(90):
            fake.add.user(username=f"old{number}", is_ldap_user=True, is_active=False)
        for number in range(37):
            fake.add.user(username=f"user{number}", is_ldap_user=True)
        half = people(*(f"user{number}" for number in range(20)))  # of 40 who are still active
        assert planned(fake, Wanted("user", half, scope=LDAP, gone={"is_active": False})).gone == []

    @pytest.mark.parametrize("wanted", ["the row of the user", "a stored user who is out already"])
    def test_an_inactive_new_owner_is_no_owner_that_is_left(self, wanted: str) -> None:
        fake = centre()
        rows = people("bob", "eve") if "stored" in wanted else [*people("bob"), {"username": "eve", "is_active": False}]
        if "stored" in wanted:
            fake.client().update_user(4, {"is_active": False})
        plan = planned(
            fake,
            Wanted("user", rows, scope=LDAP, gone={"is_active": False}, most_gone=1),
            Wanted("membership", [{"team": "Physics", "user": "eve", "role": "OW"}]),
        )
        assert lines(plan.gone) == []

    def test_an_owner_who_replaces_one_that_goes_does_not_go(self) -> None:
        plan = planned(
            centre(),
            Wanted("user", people("ada", "bob"), scope=LDAP, gone={"is_active": False}, most_gone=1),
            Wanted("membership", [{"team": "Physics", "user": "eve", "role": "OW"}], **ALL),
        )
        assert [change.name for change in plan.gone if change.resource == "user"] == []

    def test_a_delete_takes_nothing_along_that_a_refused_row_names(self) -> None:
        row: Any = {"team": "Physics", "user": "bob", "role": "no such role"}
        plan = planned(centre(), Wanted("user", people("ada", "eve", "admin"), **ALL), Wanted("membership", [row]))
        assert plan.gone == []

    def test_a_delete_takes_nothing_along_that_rows_name_or_point_at(self) -> None:
        fake = centre()
        fake.add.team(name="Kept")
        cluster, request = fake.add.cluster(name="hpc")["id"], fake.add.request(title="R", team=1, submitter=1)["id"]
        fake.add.allocation(cluster=cluster, request=request, requested=1)
        teams = Wanted("team", [{"name": "Kept"}], **ALL)
        row = {"cluster": "hpc", "request": request, "requested": 1}
        for key in ("request", ("request", "requested")):
            for requested in (1, 2):
                plan = planned(fake, teams, Wanted("allocation", [row | {"requested": requested}], key=key))
                assert plan.gone == []

    def test_a_protected_record_does_not_go_along(self) -> None:
        fake = centre()
        fake.add.team(name="Kept")
        plan = planned(
            fake,
            Wanted("team", [{"name": "Kept"}], **ALL),
            Wanted("membership", [{"team": "Kept", "user": "eve"}], protect=["Physics, bob"], **ALL),
        )
        assert "team" not in [change.resource for change in plan.gone]

    def test_all_records_that_a_refused_twin_may_mean_stay(self) -> None:
        fake = centre()
        fake.add.user(username="BOB", is_ldap_user=True)
        plan = planned(fake, Wanted("user", people("ada", "Bob", password="long enough"), **ALL))
        assert [change.name for change in plan.gone] == ["eve"]

    def test_a_rename_of_a_name_that_several_records_have_is_refused(self) -> None:
        fake = centre()
        for _ in range(2):
            fake.add.request(title="R", team=1, submitter=1)
        plan = planned(fake, Wanted("request", [{"title": "S"}], key="title", renamed={"R": "S"}, **ALL))
        assert not plan.changes
        assert plan.faults

    def test_a_delete_whose_first_answer_was_lost_is_not_taken_for_done_while_that_is_not_known(self) -> None:
        fake = centre()
        fake.fail("DELETE", "/users/users/3/", error="reset", when="before")
        fake.fail("GET", "/users/users/3/", status=403)
        with pytest.raises(ChangedError):
            fake.client(user="admin").delete_user(3, expect={"email": "other@x.org"})
        assert len(stored(fake, "user")) == 4


class TestWrong:
    def test_a_username_is_given_once_under_another_key_too(self) -> None:
        rows = [{"email": f"{name}@y.org", "username": "new", "password": "long enough"} for name in ("a", "b")]
        assert len(planned(centre(), Wanted("user", rows, key="email")).create) < 2

    @pytest.mark.parametrize("name", ["ada", "ADA", "Ada "])
    def test_no_update_gives_a_record_the_name_of_another(self, name: str) -> None:
        plan = planned(centre(), Wanted("user", [{"email": "eve@x.org", "username": name}], key="email"))
        assert plan.faults
        assert not plan.changes

    def test_an_update_may_give_a_record_another_spelling_of_its_own_name(self) -> None:
        plan = planned(centre(), Wanted("user", [{"email": "eve@x.org", "username": "Eve"}], key="email"))
        assert (len(plan.update), plan.faults) == (1, ())

    @pytest.mark.parametrize(
        ("first", "second"), [({"amount": "1.50"}, {"amount": 1.5}), ({"title": "t "}, {"title": "t"})]
    )
    def test_a_held_create_is_held_in_any_spelling_of_its_key(self, first: Any, second: Any) -> None:
        fake = centre()
        client = fake.client(user="admin", retry=NEVER)
        row: Any = {"title": "t", "team": "Physics", **MONEY}
        key = ("team", *first)
        fake.fail("POST", "/batch/", error="reset", when="before")
        with pytest.raises(PlanError):
            client.plan(Wanted("grant", [row | first], key=key)).apply()
        assert not client.plan(Wanted("grant", [row | second], key=key)).create

    def test_names_that_new_returns_are_shown_as_names(self) -> None:
        row = {"grant_number": "9", "title": "t", **MONEY}
        plan = planned(
            centre(),
            Wanted("team", [{"name": "New"}]),
            Wanted("grant", [row], key="grant_number", new=lambda row: {"team": "New"}),
        )
        assert "team='New'" in str(plan)

    @pytest.mark.parametrize("text", ["Ada ", " Ada", " "])
    def test_stored_text_with_blanks_at_its_ends_stops_no_plan(self, text: str) -> None:
        fake = centre()
        fake.world.store.tables["user"][3]["first_name"] = text
        client = fake.client()
        client.plan(Wanted("user", [{"username": "bob", "first_name": "New"}])).apply()
        client.plan(Wanted("user", people("ada", "eve"), scope=LDAP, gone="delete", most_gone=1)).apply()

    @pytest.mark.parametrize("wrong", [{"chunk_size": 0}, {"on_progress": 3}])
    def test_a_refused_argument_does_not_use_up_the_plan(self, wrong: Any) -> None:
        plan = planned(centre(), Wanted("team", [{"name": "New"}]))
        with pytest.raises(FieldError):
            plan.apply(**wrong)
        assert len(plan.apply().done) == 1

    @pytest.mark.parametrize("fault", [{"error": "reset"}, {"status": 503}, {"status": 500}])
    def test_a_refused_change_is_known_not_to_be_written_whatever_the_look_at_it_says(self, fault: Any) -> None:
        fake = centre()
        client = fake.client(user="admin", retry=NEVER)
        plan = client.plan(Wanted("user", [{"username": "bob", "email": "bob@y.org"}]))
        fake.client().update_user(3, {"email": "other@x.org"})
        fake.fail("GET", "/users/users/3/", **fault)
        with pytest.raises(PlanError) as caught:
            plan.apply()
        assert caught.value.failed == list(plan.changes)
        assert isinstance(caught.value.__cause__, ChangedError)

    def test_an_update_that_was_refused_is_told_so_whatever_the_look_at_it_says(self) -> None:
        fake = centre()
        fake.fail("GET", "/users/users/3/", error="reset")
        with pytest.raises(ChangedError):
            fake.client(user="admin", retry=NEVER).update_user(3, {"email": "n@x.org"}, expect={"email": "other@x.org"})

    @pytest.mark.parametrize(
        ("resource", "field", "values"),
        [
            ("grant", "amount", ("1.50", "1.5")),
            ("grant", "title", ("t", "t ")),
            ("cluster", "access_teams", (["Physics", "Kept"], ["Kept", "Physics"])),
        ],
    )
    def test_rows_that_are_stored_alike_merge(self, resource: str, field: str, values: Any) -> None:
        fake = centre()
        fake.add.team(name="Kept")
        base: dict[str, Any] = {"name": "hpc"}
        if resource == "grant":
            base = {"grant_number": "G", "title": "t", "team": "Physics", **MONEY}
        key = "grant_number" if resource == "grant" else "name"
        plan = planned(fake, Wanted(resource, cast("Any", [{**base, field: value} for value in values]), key=key))
        assert (len(plan.create), plan.faults) == (1, ())

    def test_what_new_returns_may_name_records(self) -> None:
        row = {"grant_number": "9", "title": "t", **MONEY}
        plan = planned(centre(), Wanted("grant", [row], key="grant_number", new=lambda row: {"team": "Physics"}))
        assert plan.create[0].new["team"] == 1

    @pytest.mark.parametrize("given", [None, "text"])
    def test_new_must_return_fields(self, given: Any) -> None:
        plan = planned(centre(), Wanted("user", {7: {"username": "n"}}, new=lambda row: given))
        assert plan.faults[0].label == 7

    def test_a_create_for_someone_who_goes_in_the_same_plan_is_refused(self) -> None:
        plan = planned(
            centre(),
            Wanted("user", people("ada", "bob", "admin"), **ALL),
            Wanted("request", [{"title": "R", "description": "d", "team": "Physics", "submitter": "eve"}], key="title"),
        )
        assert plan.faults

    def test_what_a_stored_record_points_at_stays_while_a_row_wants_that_record(self) -> None:
        fake = centre()
        fake.add.request(title="R", team=1, submitter=1, assignees=[4])
        row: Any = {"title": "R", "assignees": ["eve"]}
        plan = planned(
            fake, Wanted("user", people("ada", "bob", "admin"), **ALL), Wanted("request", [row], key="title")
        )
        assert (plan.gone, plan.faults[0].value, plan.as_wanted) == ([], "eve", 4)

    @pytest.mark.parametrize("second", ["ada", "ADA"])
    def test_usernames_are_checked_under_another_key_too(self, second: str) -> None:
        row = {"email": "other@x.org", "username": second, "password": "long enough"}
        assert planned(centre(), Wanted("user", [row], key="email")).faults

    def test_a_rename_to_a_twin_is_refused(self) -> None:
        assert planned(centre(), Wanted("user", people("BOB"), renamed={"ada": "BOB"})).faults

    def test_what_goes_along_with_an_earlier_delete_protects_nothing_and_is_counted_once(self) -> None:
        fake = centre()
        cluster, request = fake.add.cluster(name="old")["id"], fake.add.request(team=1, submitter=1)["id"]
        fake.add.allocation(cluster=cluster, request=request, requested=1)
        fake.add.team(name="Kept")
        row = {"title": "N", "description": "d", "team": "Kept", "submitter": "ada"}
        plan = planned(
            fake,
            Wanted("cluster", [{"name": "new"}], **ALL),
            Wanted("request", [row], key="title", **ALL),
            Wanted("team", [{"name": "Kept"}], **ALL),
        )
        assert plan.faults == ()
        assert sum(change.along.get("allocation", 0) for change in plan.changes) == 1

    def test_a_held_create_is_held_in_any_spelling(self) -> None:
        fake = centre()
        client = fake.client(user="admin", retry=NEVER)
        row = {"title": "R", "description": "d", "team": "Physics", "submitter": "ada"}
        fake.fail("POST", "/batch/", error="reset", when="before")
        with pytest.raises(PlanError):
            client.plan(Wanted("request", [row], key=("team", "title"))).apply()
        assert not client.plan(Wanted("request", [cast("Any", {**row, "team": 1})], key=("team", "title"))).create

    def test_ensure_trims_the_key(self) -> None:
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
    def test_plans_and_ensure_refuse_a_twin(self, database: Any, before: str, name: str) -> None:
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
    def test_ensure_refuses_a_twin_with_blanks_or_commas(self, before: str, name: str) -> None:
        fake = centre()
        fake.add.cluster(name=before)
        with pytest.raises(FieldError, match="differs only in looks"):
            fake.client().ensure_cluster(name=name)

    @pytest.mark.parametrize("name", ["x" * 150, "\u540d" * 150, "ss" * 75, "stra\xdfe"])
    def test_ensure_makes_what_has_no_twin(self, name: str) -> None:
        fake = centre()
        fake.add.user(username="strase")
        client = fake.client()
        hows = [client.ensure_user(username=name, password="long enough").how for _ in range(2)]
        assert hows == ["created", "as wanted"]

    def test_looking_for_twins_costs_one_request_and_none_where_the_record_is_there(self) -> None:
        fake = centre()
        client: Any = fake.client()
        client.ensure_user(username="new", password="long enough")
        client.ensure_user(username="new")
        methods = [entry.method for entry in fake.journal if "/users/users/" in entry.path]
        assert methods == ["GET", "GET", "POST", "GET"]

    @pytest.mark.parametrize(
        ("before", "wanted"),
        [(1, True), (True, 1), (0, False), ([1, 30], [True, 30]), ({"a": [0]}, {"a": [False]}), ("1", 1), ([], {})],
    )
    def test_json_is_compared_as_json_tells_values_apart(self, before: Any, wanted: Any) -> None:
        fake = centre()
        fake.add.preference(user=2, request_expiry_thresholds=before)
        plan = planned(fake, Wanted("preference", [{"user": "ada", "request_expiry_thresholds": wanted}]))
        assert len(plan.update) == 1
        plan.apply()
        assert repr(stored(fake, "preference")[0]["request_expiry_thresholds"]) == repr(wanted)
        done = fake.client().ensure_preference(user=2, request_expiry_thresholds=before)
        assert (done.how, repr(done.record["request_expiry_thresholds"])) == ("changed", repr(before))

    @pytest.mark.parametrize(
        ("before", "wanted"),
        [
            (1.0, 1),
            ([10**16, 0.0], [1e16, -0.0]),  # PostgreSQL stores numbers like this
            (12345678901234567000, 12345678901234567000.0),
            ({"a": 1, "b": [2, 3.5]}, {"b": [2.0, 3.5], "a": 1}),
        ],
    )
    def test_numbers_in_json_are_compared_by_their_value(self, before: Any, wanted: Any) -> None:
        fake = centre()
        fake.add.preference(user=2, request_expiry_thresholds=before)
        plan = planned(fake, Wanted("preference", [{"user": "ada", "request_expiry_thresholds": wanted}]))
        assert (plan.changes, plan.as_wanted) == ((), 1)

    def test_rows_of_one_record_that_differ_in_json_contradict_each_other(self) -> None:
        rows = [{"user": "ada", "request_expiry_thresholds": value} for value in ([1], [True])]
        plan = planned(centre(), Wanted("preference", cast("Any", rows)))
        assert (plan.changes, len(plan.faults)) == ((), 2)

    @pytest.mark.parametrize("value", [[True], [1.5]])
    def test_what_is_no_key_is_refused_although_python_takes_it_for_the_stored_one(self, value: Any) -> None:
        fake = centre()
        fake.add.cluster(name="hpc", access_teams=[1])
        plan = planned(fake, Wanted("cluster", [{"name": "hpc", "access_teams": value}]))
        assert [fault.field for fault in plan.faults] == ["access_teams"]

    def test_a_share_is_compared_without_rounding(self) -> None:
        fake = centre()
        for number in range(97):
            fake.add.user(username=f"user{number}", is_ldap_user=True)
        rows = people("ada", "bob", "eve", *(f"user{number}" for number in range(68)))
        plan = planned(fake, Wanted("user", rows, scope=LDAP, gone={"is_active": False}, most_gone=0.29))
        assert len(plan.gone) == 29

    def test_a_condition_is_never_dropped(self) -> None:
        client = centre().client()
        others = list(range(5, 3000))
        with pytest.raises((ChangedError, FilterError)):
            client.update_user(4, {"first_name": "x"}, expect={"id__in": others, "email": "eve@x.org"})

    @pytest.mark.parametrize("key", ["password", ("username", "password")])
    def test_no_secret_is_a_natural_key(self, key: Any) -> None:
        with pytest.raises(FieldError):
            Wanted("user", [{"username": "new", "password": "s3cret-one"}], key=key)

    @pytest.mark.parametrize("value", [{"Physics"}, frozenset([1]), iter([1])])
    def test_json_of_a_plan_takes_every_value_that_a_row_may_have(self, value: Any) -> None:
        plan = planned(centre(), Wanted("cluster", [{"name": "hpc", "access_teams": value}]))
        assert len(json.loads(plan.to_json())["changes"][0]["new"]["access_teams"]) == 1

    def test_an_interrupt_after_the_answer_leaves_the_job_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fake = centre()
        plan = planned(fake, Wanted("team", [{"name": "New"}]))

        def interrupted(*_: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr("keystone_client._bulk.runner.results_of", interrupted)  # as if while JSON is decoded
        with pytest.raises(KeyboardInterrupt) as caught:
            plan.apply()
        report = caught.value.__cause__
        assert isinstance(report, PlanError)
        assert "New" in [team["name"] for team in stored(fake, "team")]
        assert not report.pending

    def test_repeats_are_compared_about_once_each(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls = 0

        def counted(*args: Any) -> bool:
            nonlocal calls
            calls += 1
            return differs(*args)

        monkeypatch.setattr("keystone_client_core._rows.differs", counted)
        planned(centre(), Wanted("team", [{"name": "Physics"}] * 100))
        assert calls < 1_000


class Column(list[Any]):  # noqa: PLW1641 - lists have no hash either
    """Compares element by element, as arrays and columns of data libraries do."""

    def __eq__(self, other: object) -> Any:
        return Column([False, False])

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")


class Array:  # noqa: PLW1641 - arrays have no hash either
    """Compares element by element."""

    def __eq__(self, other: object) -> Any:
        return Column([False, False])


class TestUgly:
    def test_a_column_as_a_cell_is_a_fault_of_its_row(self) -> None:
        plan = planned(centre(), Wanted("user", cast("Any", {9: {"username": "ada", "email": Column(["a", "b"])}})))
        assert [fault.label for fault in plan.faults] == [9]

    def test_a_column_in_a_list_is_a_fault_of_its_row(self) -> None:
        fake = centre()
        fake.add.cluster(name="hpc", access_teams=[1])
        row: Any = {"name": "hpc", "access_teams": [Array()]}
        assert [fault.label for fault in planned(fake, Wanted("cluster", {9: row})).faults] == [9]

    def test_json_of_a_plan_is_json(self) -> None:
        plan = planned(
            centre(), Wanted("user", cast("Any", {float("nan"): {"username": "ada", "email": float("inf")}}))
        )

        def refuse(name: str) -> None:
            raise AssertionError(name)

        json.loads(plan.to_json(), parse_constant=refuse)

    def test_a_name_with_blanks_in_the_store_is_not_explained_by_a_slug(self) -> None:
        fake = centre()
        fake.world.store.tables["user"][3]["username"] = "bob "
        plan = planned(fake, Wanted("user", [{"username": "bob", "email": "n@x.org"}]))
        assert "slug" not in " ".join(fault.reason for fault in plan.faults)

    def test_a_scope_that_is_read_once_stands_for_the_same_records_later(self) -> None:
        wanted = Wanted("user", people("ada"), scope={"id__in": iter([2, 4])}, gone="delete", most_gone=1)
        assert len(planned(centre(), wanted).gone) == 1

    def test_a_scope_that_is_changed_later_stands_for_the_same_records(self) -> None:
        fake, scope = centre(), dict(LDAP)
        fake.add.user(username="local")
        wanted = Wanted("user", people("ada", "bob", "eve"), scope=scope, gone="delete", most_gone=1)
        scope.clear()
        assert planned(fake, wanted).gone == []
