"""``ensure_x`` makes one record as wanted; ``expect=`` writes only if a record still is as it was seen."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from keystone_client import ChangedError, Ensured, FieldError, FilterError, NotFoundError, ValidationError

from .blocking import client_of
from .plan_world import NEVER, centre, roles, stored, writes
from .test_hooks import hook


@pytest.fixture
def world() -> Any:
    return centre()


@pytest.fixture
def client(world: Any, colour: str) -> Any:
    """Return a client whose methods block."""
    return client_of(world, colour, user="admin")


def test_a_record_is_created_then_left_then_changed(world: Any, client: Any) -> None:
    hows = [client.ensure_cluster(name="hpc", enabled=enabled) for enabled in (True, True, False)]

    assert [(each.how, each.record["enabled"]) for each in hows] == [
        ("created", True),
        ("as wanted", True),
        ("changed", False),
    ]
    assert isinstance(hows[0], Ensured)
    assert len(stored(world, "cluster")) == 1


def test_fields_that_are_not_given_stay_and_a_password_is_for_new_users_only(world: Any, client: Any) -> None:
    before = writes(world)
    assert client.ensure_user(username="ada", password="another one").how == "as wanted"
    assert writes(world) == before
    record = client.ensure_user(username="ada", first_name="Ada").record
    assert (record["first_name"], record["email"]) == ("Ada", "ada@x.org")


def test_two_fields_may_name_a_record(world: Any, client: Any) -> None:
    assert client.ensure_membership(team=1, user=2, role="AD").how == "changed"
    assert roles(world)["Physics", "ada"] == "AD"
    assert client.ensure_preference(user=2, notify_on_expiration=False).how == "created"
    assert client.ensure_preference(user=2, notify_on_expiration=False).how == "as wanted"


@pytest.mark.parametrize("name", ['"', "''", ",", "-", "a,b"])
def test_a_name_without_words_is_taken_as_the_server_takes_it(client: Any, name: str) -> None:
    assert [client.ensure_cluster(name=name).how for _ in range(2)] == ["created", "as wanted"]


def test_what_is_wrong_is_told_before_anything_is_sent(world: Any, client: Any) -> None:
    before = len(world.journal)
    with pytest.raises(FieldError, match="ensure_user: email: give an e-mail address; username: it is missing"):
        client.ensure_user(email="no")
    assert len(world.journal) == before


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_lost_race_is_read_again(world: Any, colour: str, method: str) -> None:
    if method == "PATCH":
        world.add.cluster(name="hpc", description="old", enabled=False)

    def interfere(request: Any) -> None:
        if request.method == "POST" and not stored(world, "cluster"):
            world.add.cluster(name="hpc", description="theirs", enabled=False)
        if request.method == "PATCH":
            world.world.store.update("cluster", 1, {"description": "theirs"})

    client = client_of(world, colour, user="admin", event_hooks={"request": [hook(colour, interfere)]})
    done = client.ensure_cluster(name="hpc", description="ours", enabled=True)

    assert done.how == "changed"
    assert [(each["description"], each["enabled"]) for each in stored(world, "cluster")] == [("ours", True)]
    sent = [(entry.method, entry.status) for entry in world.journal if entry.method in ("POST", "PATCH")]
    assert sent[-2:] == ([("POST", 400), ("PATCH", 200)] if method == "POST" else [("PATCH", 404), ("PATCH", 200)])


def test_what_the_server_refuses_for_another_reason_is_raised_and_sent_once(world: Any, client: Any) -> None:
    with pytest.raises(ValidationError, match="A team with this name already exists"):
        client.ensure_team(name="physics")
    assert len(world.journal.find("POST", "/users/teams/")) == 1


class TestExpect:
    def test_a_write_passes_if_the_record_is_as_expected(self, world: Any, client: Any) -> None:
        client.update_membership(2, {"role": "AD"}, expect={"role": "MB"})
        assert roles(world)["Physics", "bob"] == "AD"
        client.delete_membership(2, expect={"role": "AD", "user": 3})
        assert ("Physics", "bob") not in roles(world)

    def test_a_write_is_refused_if_it_is_not(self, world: Any, client: Any) -> None:
        writes: list[Callable[[], Any]] = [
            lambda: client.update_membership(2, {"role": "AD"}, expect={"role": "OW"}),
            lambda: client.delete_membership(2, expect={"role": "OW"}),
        ]
        for write in writes:
            with pytest.raises(ChangedError, match="the record has changed: role='MB', not 'OW'") as caught:
                write()
            assert (caught.value.record or {})["role"] == "MB"
        assert roles(world)["Physics", "bob"] == "MB"

    def test_it_says_when_the_record_is_gone(self, client: Any) -> None:
        with pytest.raises(ChangedError, match="the record is gone") as caught:
            client.update_membership(99, {"role": "AD"}, expect={"role": "MB"})
        assert caught.value.record is None
        assert isinstance(caught.value, NotFoundError)
        with pytest.raises(ChangedError):
            client.delete_membership(99, expect={"role": "MB"})

    @pytest.mark.parametrize("expect", [{}, {"rol": "MB"}, {"id__in": []}])
    def test_a_condition_that_would_not_hold_anything_back_is_refused(
        self, world: Any, client: Any, expect: Any
    ) -> None:
        before = len(world.journal)
        with pytest.raises(FilterError):
            client.update_membership(2, {"role": "AD"}, expect=expect)
        with pytest.raises(FilterError):
            client.delete_membership(2, expect=expect)
        assert len(world.journal) == before

    def test_a_delete_whose_answer_was_lost_has_succeeded(self, world: Any, client: Any) -> None:
        world.fail("DELETE", error="reset", when="after")
        assert client.delete_membership(2, expect={"role": "MB"}) is None
        assert ("Physics", "bob") not in roles(world)

    def test_an_empty_text_and_null_can_be_expected(self, world: Any, client: Any) -> None:
        for number, value in enumerate(("", None, "a, b"), start=1):
            world.add.cluster(name=f"c{number}", description=value)
            changed = client.update_cluster(number, {"description": "new"}, expect={"description": value})
            assert changed["description"] == "new"


def test_ensure_without_a_doi_never_changes_another_publication() -> None:
    fake = centre()
    client = fake.client()
    client.create_publication(title="The first", team=1)
    with pytest.raises(FieldError, match="doi"):
        client.ensure_publication(doi=None, title="The second", team=1)
    assert stored(fake, "publication")[0]["title"] == "The first"


def test_ensure_reads_an_iterator_once() -> None:
    record, how = centre().client().ensure_cluster(name="hpc", access_mode="WL", access_teams=cast("Any", iter([1])))
    assert (record["access_teams"], how) == ([1], "created")


def test_a_delete_whose_first_answer_was_lost_is_not_taken_for_done_while_that_is_not_known() -> None:
    fake = centre()
    fake.fail("DELETE", "/users/users/3/", error="reset", when="before")
    fake.fail("GET", "/users/users/3/", status=403)
    with pytest.raises(ChangedError):
        fake.client(user="admin").delete_user(3, expect={"email": "other@x.org"})
    assert len(stored(fake, "user")) == 4


def test_an_update_that_was_refused_is_told_so_whatever_the_look_at_it_says() -> None:
    fake = centre()
    fake.fail("GET", "/users/users/3/", error="reset")
    with pytest.raises(ChangedError):
        fake.client(user="admin", retry=NEVER).update_user(3, {"email": "n@x.org"}, expect={"email": "other@x.org"})


def test_a_condition_is_never_dropped() -> None:
    client = centre().client()
    others = list(range(5, 3000))
    with pytest.raises((ChangedError, FilterError)):
        client.update_user(4, {"first_name": "x"}, expect={"id__in": others, "email": "eve@x.org"})
