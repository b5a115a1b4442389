"""Common mistakes: in both clients the error message says what to write instead."""

import asyncio
import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

import httpx
import pytest
from keystone_client import AsyncKeystoneClient, FieldError, FilterError, InvalidURLError, KeystoneClient
from keystone_client_testing import FakeKeystone

from .scripted import URL, Scripted, connect

KINDS = pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])


def refusal(error: type[Exception], call: Callable[[], object]) -> str:
    """Return the message of an error that is raised before anything is sent."""
    with pytest.raises(error) as caught:
        call()
    assert len(str(caught.value)) < 600
    return str(caught.value)


def test_the_async_client_in_a_plain_with_says_what_to_write() -> None:
    client: Any = AsyncKeystoneClient(URL, transport=Scripted())

    def enter() -> None:
        with client:
            raise AssertionError("the block was entered")

    assert refusal(TypeError, enter) == (
        "AsyncKeystoneClient is used in `async with`: write async with AsyncKeystoneClient(...), or take "
        "KeystoneClient for `with`"
    )


def test_the_sync_client_in_an_async_with_says_what_to_write() -> None:
    client: Any = KeystoneClient(URL, transport=Scripted())

    async def enter() -> None:
        async with client:
            raise AssertionError("the block was entered")

    assert "or take AsyncKeystoneClient for `async with`" in refusal(TypeError, lambda: asyncio.run(enter()))


def test_tools_can_still_distinguish_the_sync_and_the_async_client() -> None:
    """Some tools check for ``__enter__`` and ``__aenter__``."""
    for kind, there, missing in (
        (KeystoneClient, "__enter__", "__aenter__"),
        (AsyncKeystoneClient, "__aenter__", "__enter__"),
    ):
        client: Any = kind(URL, transport=Scripted())
        assert hasattr(client, there)
        assert not hasattr(client, missing)
        assert isinstance(client, AbstractContextManager) is (kind is KeystoneClient)
        assert isinstance(client, AbstractAsyncContextManager) is (kind is AsyncKeystoneClient)


@KINDS
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("keystone.example:8000", "'keystone.example:8000' has no scheme; write 'https://keystone.example:8000'"),
        ("www.keystone.example/api", "'www.keystone.example/...' has no scheme"),
        ("https://https://keystone.example", "has two schemes"),
        ("https:/keystone.example", "as https://keystone.example.org is"),
        (None, "not None: is the setting that it comes from set?"),
    ],
)
def test_an_invalid_base_url_is_quoted_with_a_correct_form(kind: Any, url: Any, said: str) -> None:
    assert said in refusal(InvalidURLError, lambda: kind(url))


NAMES = {
    "get_cluster": "retrieve_cluster",
    "list_clusters": "retrieve_cluster",
    "find_team": "retrieve_team",
    "all_teams": "retrieve_team",
    "teams": "retrieve_team",
    "retrieve_allocations": "retrieve_allocation",
    "get_audit_logs": "retrieve_audit_log",
    "get_feed_entries": "retrieve_feed_entry",
    "add_user": "create_user",
    "create_users": "create_user",
    "patch_team": "update_team",
    "remove_team": "delete_team",
    "iter_team": "iterate_team",
    "bulk_create_teams": "bulk_create_team",
    "create_many_teams": "bulk_create_team",
    "count_teams": "count_team",
    "get": "http_get",
    "post": "http_post",
    "log_in": "login",
    "retrive_team": "retrieve_team",
    "is_autenticated": "is_authenticated",
}


@KINDS
@pytest.mark.parametrize(("wrong", "right"), NAMES.items())
def test_a_method_name_of_another_client_suggests_the_right_one(kind: Any, wrong: str, right: str) -> None:
    client = kind(URL, transport=Scripted())
    with pytest.raises(AttributeError) as caught:
        getattr(client, wrong)
    assert str(caught.value) == f"{kind.__name__!r} object has no attribute {wrong!r}. Did you mean {right!r}?"
    assert "".join(traceback.format_exception(caught.value)).count("Did you mean") == 1


@KINDS
def test_a_method_without_an_endpoint_lists_the_existing_ones(kind: Any) -> None:
    client = kind(URL, transport=Scripted())
    said = refusal(AttributeError, lambda: client.create_notification)
    assert said.endswith(
        "There are bulk_update_notification, count_notification, iterate_notification, retrieve_notification, "
        "update_notification"
    )


@KINDS
@pytest.mark.parametrize("name", ["xyzzy", "_private", "__fspath__"])
def test_a_name_that_resembles_nothing_gets_no_suggestion(kind: Any, name: str) -> None:
    client = kind(URL, transport=Scripted())
    assert not hasattr(client, name)
    assert refusal(AttributeError, lambda: getattr(client, name)).endswith(f"has no attribute {name!r}")


LISTINGS = ["retrieve_team", "iterate_team", "count_team", "retrieve_audit_log"]


@pytest.mark.parametrize("method", LISTINGS)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"id__in": [1, 2]}, "conditions go into filters={'id__in': [1, 2]}"),
        ({"offset": 5}, "limit=, or after= where you iterate: listings fetch every page"),
        ({"order_by": "id"}, "write order="),
        ({"filter": {}}, "write filters="),
        ({"serch": "x"}, "did you mean search="),
        ({"frobnicate": 1}, "conditions go into filters={...}"),
    ],
)
def test_an_unknown_listing_argument_suggests_the_right_one(
    colour: str, method: str, arguments: dict[str, Any], said: str
) -> None:
    wire = Scripted()
    client = connect(colour, wire)
    message = refusal(TypeError, lambda: getattr(client, method)(**arguments))
    assert message.startswith(f"{method}() takes no {next(iter(arguments))}: ")
    assert said in message
    assert wire.requests == []


def test_a_condition_as_an_argument_is_shown_as_a_filter_without_its_secret(colour: str) -> None:
    client = connect(colour, Scripted())
    assert "filters={'name': 'x', 'is_active': True}" in refusal(
        TypeError, lambda: client.retrieve_team(name="x", is_active=True)
    )
    assert "hunter2" not in refusal(TypeError, lambda: client.retrieve_user(password="hunter2"))


def test_a_type_error_in_the_code_of_the_caller_is_unchanged(colour: str) -> None:
    def on_progress(done: int) -> None:
        """Take one argument fewer than the callback gets."""

    fake = FakeKeystone()
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    assert "on_progress" in refusal(TypeError, lambda: client.retrieve_user(on_progress=on_progress))


def test_a_type_error_of_the_caller_keeps_its_cause(colour: str) -> None:
    cause = KeyError("x")

    def on_progress(done: int, total: int) -> None:
        raise TypeError("mine") from cause

    fake = FakeKeystone()
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    with pytest.raises(TypeError, match="mine") as caught:
        client.retrieve_user(on_progress=on_progress)
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("name__exact", "'name'"),
        ("name__iexact", "'name'"),
        ("name__like", "'name__contains'"),
        ("name__icontains", "'name__contains'"),
        ("name__ne", "'name__not_eq'"),
        ("id__ge", "'id__gte'"),
        ("id__nin", "'id__not_in'"),
        ("name__is_null", "'name__isnull'"),
        ("name__begins", "'name__startswith'"),
    ],
)
def test_a_lookup_of_another_client_suggests_the_right_one(colour: str, name: str, meant: str) -> None:
    message = refusal(FilterError, lambda: connect(colour, Scripted()).retrieve_team(filters={name: 1}))
    assert f"Did you mean {meant}?" in message


@pytest.mark.parametrize("name", ["team_id", "team__id", "team__name"])
def test_a_filter_on_a_field_of_another_record_names_the_key(colour: str, name: str) -> None:
    message = refusal(FilterError, lambda: connect(colour, Scripted()).retrieve_request(filters={name: 1}))
    assert "Did you mean 'team'?" in message
    assert "'name': 1" not in message or name == "team__name"  # 1 is a key, and no name


@pytest.mark.parametrize("filters", [{"team": "Chem"}, {"team__in": [1, "Chem"]}, {"team__name": "Chem"}])
def test_a_filter_by_the_name_of_another_record_says_how_to_find_its_key(colour: str, filters: dict[str, Any]) -> None:
    message = refusal(FilterError, lambda: connect(colour, Scripted()).retrieve_request(filters=filters))
    assert "retrieve_team(filters={'name': 'Chem'})" in message


def test_the_call_that_finds_a_key_is_one_that_the_client_takes(colour: str) -> None:
    fake = FakeKeystone()
    client = connect(colour, fake.transport, fake.url)
    client.login("admin", "quickstart")
    message = refusal(FilterError, lambda: client.retrieve_request(filters={"submitter": "admin"}))
    (found,) = client.retrieve_user(filters={"username": "admin"})
    assert "retrieve_user(filters={'username': 'admin'})" in message
    assert client.retrieve_request(filters={"submitter": found["id"]}) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "x"}, "takes no name: fields go into data={'name': 'x'}"),
        ({"name": "x", "is_active": False}, "fields go into data={'name': 'x', 'is_active': False}"),
        ({"naem": "x"}, "fields go into data={...}"),
        ({"expected": {}}, "did you mean expect="),
        ({"id": 1}, "write pk="),
    ],
)
def test_fields_of_an_update_as_arguments_are_shown_as_its_data(
    colour: str, arguments: dict[str, Any], said: str
) -> None:
    wire = Scripted()
    message = refusal(TypeError, lambda: connect(colour, wire).update_team(1, **arguments))
    assert message.startswith("update_team() takes no ")
    assert said in message
    assert message.endswith("It takes pk, data, expect")
    assert wire.requests == []


def test_a_password_as_an_argument_of_an_update_is_not_shown(colour: str) -> None:
    message = refusal(TypeError, lambda: connect(colour, Scripted()).update_user(1, password="hunter2"))
    assert "data={'password': ...}" in message


CONSTRUCTOR: list[tuple[dict[str, Any], str]] = [
    ({"page_size": 5000}, "page_size 5000: give an integer from 1 to 1000"),
    ({"retry": 3}, "such as RetryPolicy(attempts=3), or None"),
    ({"limits": 10}, "such as httpx.Limits(max_connections=10)"),
    ({"token": "Token abc"}, "without the word 'Token'"),
    ({"token": "abc\n"}, "without a line end"),
    ({"headers": {"Authorization": "Token abc"}}, "give token=, or log in"),
    ({"headers": {"X-KEYSTONE-CID": "x"}}, "give cid="),
    ({"headers": {"X-A": 1}}, "must be printable ASCII text, not int"),
    ({"verify": "/no/such/file.pem"}, "'/no/such/file.pem': give True, a file of CA certificates that exists"),
    ({"transport": httpx.HTTPTransport}, "give an instance, HTTPTransport(), not the class"),
    ({"timeout": "5"}, "give a number of seconds above 0"),
]


@KINDS
@pytest.mark.parametrize(("options", "said"), CONSTRUCTOR, ids=[next(iter(options)) for options, _ in CONSTRUCTOR])
def test_an_invalid_constructor_argument_says_what_to_pass(kind: Any, options: dict[str, Any], said: str) -> None:
    assert said in refusal(FieldError, lambda: kind(URL, **options))


@pytest.mark.parametrize(
    ("pk", "said"),
    [("Physics", "retrieve them with filters="), ({"name": "x"}, "filters="), ({"id": 1}, "give the record's 'id'.")],
)
def test_an_invalid_key_explains_how_to_find_a_record(colour: str, pk: Any, said: str) -> None:
    assert said in refusal(FieldError, lambda: connect(colour, Scripted()).retrieve_team(pk))
