"""Programs written for the official client up to 0.10 work, or get one error that says what to write instead."""

import importlib
import inspect
import warnings
from abc import ABC
from collections.abc import Callable
from typing import Any, Protocol

import httpx
import keystone_client
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient
from keystone_client_testing import FakeKeystone

from .scripted import Player, Scripted, connect

URL = "http://keystone.test/"
Call = Callable[[Player], Any]
KINDS = pytest.mark.parametrize("kind", [KeystoneClient, AsyncKeystoneClient])


@pytest.fixture
def fake() -> FakeKeystone:
    world = FakeKeystone(URL)
    world.add.team(name="Physics")
    return world


@pytest.fixture
def client(colour: str, fake: FakeKeystone) -> Player:
    player = connect(colour, fake.transport)
    player.login("admin", "quickstart")
    return player


# The constructor


@KINDS
def test_the_base_url_and_its_certificate_work_under_their_former_names(kind: Any) -> None:
    with pytest.warns(DeprecationWarning, match="ends with 2.0") as caught:
        client = kind(base_url=URL, verify_ssl=False, timeout=5, limits=httpx.Limits(), transport=None)

    assert client.base_url == URL
    assert client._driver._options.verify is False
    assert [str(warning.message) for warning in caught] == [
        f"{kind.__name__}(base_url=) ends with 2.0: write url=",
        f"{kind.__name__}(verify_ssl=) ends with 2.0: write verify=",
    ]
    assert {warning.filename for warning in caught} == {__file__}


@KINDS
def test_a_url_by_position_beside_verify_ssl_works(kind: Any) -> None:
    with pytest.warns(DeprecationWarning, match="write verify="):
        assert kind(URL, verify_ssl=True).base_url == URL


@KINDS
@pytest.mark.parametrize(
    ("args", "options", "name"),
    [
        ((URL,), {"base_url": URL}, "url"),
        ((), {"url": URL, "base_url": URL}, "url"),
        ((URL,), {"verify": True, "verify_ssl": True}, "verify"),
    ],
)
def test_the_old_and_the_new_name_of_an_option_together_are_an_error(
    kind: Any, args: Any, options: dict[str, Any], name: str
) -> None:
    with pytest.raises(TypeError, match=f"not both: write {name}="):
        kind(*args, **options)


@KINDS
@pytest.mark.parametrize("name", ["follow_redirects", "max_redirects"])
def test_the_follow_redirects_option_is_refused_with_an_explanation(kind: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{kind.__name__}\(\) takes no {name}= \(leave it out, redirects"):
        kind(URL, **{name: 1})


@KINDS
def test_unknown_arguments_are_all_named_with_their_close_matches(kind: Any) -> None:
    with pytest.raises(TypeError) as caught:
        kind(URL, timout=1, max_redirects=1, zzz=1)

    for expected in ("timout= (did you mean timeout=?)", "max_redirects= (leave it out", "zzz= (unknown)"):
        assert expected in str(caught.value)


@KINDS
def test_a_constructor_without_a_url_names_the_current_argument(kind: Any) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'url'"):
        kind()


@KINDS
def test_the_signature_shows_no_former_name(kind: Any) -> None:
    assert not {"base_url", "verify_ssl", "options", "kwargs"} & inspect.signature(kind).parameters.keys()


# Methods


WORKS: dict[str, Call] = {
    "login": lambda client: client.login("admin", "quickstart"),
    "login by name": lambda client: client.login(username="admin", password="quickstart"),
    "logout": lambda client: client.logout(),
    "is_authenticated": lambda client: client.is_authenticated(),
    "whoami": lambda client: client.whoami()["username"] == "admin",
    "http_get": lambda client: client.http_get("users/teams").json()["results"][0],
    "http_get by position": lambda client: client.http_get("users/teams", {"name": "Physics"}).json()["results"][0],
    "http_get by name": lambda client: client.http_get(endpoint="users/teams", params={"name": "x"}, timeout=3),
    "http_get of httpx": lambda client: client.http_get("version", timeout=httpx.USE_CLIENT_DEFAULT),
    "http_post by position": lambda client: client.http_post("users/teams", {"name": "New"}).status_code == 201,
    "http_post by name": lambda client: client.http_post(endpoint="users/teams", json={"name": "N"}, timeout=3),
    "http_post of a file": lambda client: client.http_post("users/teams", files={"f": b"x"}, timeout=None),
    "http_put": lambda client: client.http_put("users/teams/1", {"name": "New"}, timeout=3),
    "http_patch": lambda client: client.http_patch("users/teams/1", {"is_active": False}).json(),
    "http_delete": lambda client: client.http_delete("users/teams/1").status_code == 204,
    "http_delete by name": lambda client: client.http_delete(endpoint="users/teams/1", timeout=3),
    "retrieve": lambda client: client.retrieve_team(1)["name"] == "Physics",
    "retrieve by name": lambda client: client.retrieve_team(pk=1),
    "retrieve a list": lambda client: client.retrieve_team(filters={"name": "Physics"}, search=None, order="-id")[0],
    "update": lambda client: client.update_team(1, {"is_active": False})["id"] == 1,
    "update by name": lambda client: client.update_team(pk=1, data={"is_active": False}),
    "delete": lambda client: client.delete_team(1) is None,
    "delete by name": lambda client: client.delete_team(pk=1, raise_not_exists=True) is None,
    "close": lambda client: client.close() is None,
    "base_url": lambda client: client.base_url == URL,
    "cid": lambda client: len(client.cid) == 36,
}


@pytest.mark.parametrize("call", WORKS.values(), ids=WORKS)
def test_unchanged_calls_still_work(client: Player, call: Call) -> None:
    assert call(client) is not False


TIMEOUT = "write client.with_options(timeout=...).{}(...)"
NAMED: dict[str, tuple[Call, str]] = {
    "login": (lambda client: client.login("admin", "quickstart", 5), TIMEOUT.format("login")),
    "login by name": (lambda client: client.login("a", password="b", timeout=5), TIMEOUT.format("login")),
    "login of httpx": (
        lambda client: client.login("a", "b", timeout=httpx.USE_CLIENT_DEFAULT),
        TIMEOUT.format("login"),
    ),
    "logout": (lambda client: client.logout(5), TIMEOUT.format("logout")),
    "logout by name": (lambda client: client.logout(timeout=5), TIMEOUT.format("logout")),
    "is_authenticated": (lambda client: client.is_authenticated(5), TIMEOUT.format("is_authenticated")),
    "is_authenticated by name": (
        lambda client: client.is_authenticated(timeout=5),
        TIMEOUT.format("is_authenticated"),
    ),
    "whoami": (lambda client: client.whoami(5), TIMEOUT.format("whoami")),
    "whoami by name": (lambda client: client.whoami(timeout=5), TIMEOUT.format("whoami")),
    "http_get": (lambda client: client.http_get("x", None, 5), "write http_get(endpoint, params, timeout=...)"),
    "http_post": (
        lambda client: client.http_post("x", None, {"f": b""}, 5),
        "write http_post(endpoint, json, files=..., timeout=...)",
    ),
    "http_put": (lambda client: client.http_put("x", {}, None), "write http_put(endpoint, json, files=...)"),
    "http_patch": (lambda client: client.http_patch("x", {}, None), "write http_patch(endpoint, json, files=...)"),
    "http_delete": (lambda client: client.http_delete("x", 5), "write http_delete(endpoint, timeout=...)"),
    "create": (lambda client: client.create_team({"name": "x"}), "write create_team(**record)"),
    "create by name": (lambda client: client.create_team(data={"name": "x"}), "write create_team(**record)"),
    "create a user": (lambda client: client.create_user({"password": "hunter2"}), "write create_user(**record)"),
    "create with files": (
        lambda client: client.create_request({"title": "x"}, {"file": b""}),
        "write create_request(**record) and create_attachment(request=..., file=...)",
    ),
    "retrieve": (
        lambda client: client.retrieve_team(None, {"name": "x"}),
        "write retrieve_team(filters=...)",
    ),
    "retrieve with all": (
        lambda client: client.retrieve_team(None, {}, "x", "id", 5),
        f"write retrieve_team(filters=..., search=..., order=...) and {TIMEOUT[6:].format('retrieve_team')}",
    ),
    "retrieve in time": (lambda client: client.retrieve_team(1, timeout=5), TIMEOUT.format("retrieve_team")),
    "update with files": (
        lambda client: client.update_team(1, {}, None),
        "write create_attachment(request=..., file=...)",
    ),
    "update by name": (
        lambda client: client.update_team(1, data={}, files=None),
        "write create_attachment(request=..., file=...)",
    ),
    "delete": (lambda client: client.delete_team(1, True), "write delete_team(pk, raise_not_exists=...)"),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_call_that_has_changed_says_what_to_write(client: Player, fake: FakeKeystone, colour: str, name: str) -> None:
    call, expected = NAMED[name]
    sent = len(fake.journal)
    with pytest.raises(TypeError) as caught:
        call(client)

    kind = "KeystoneClient" if colour == "sync" else "AsyncKeystoneClient"
    method = name.partition(" ")[0]
    assert str(caught.value).startswith(f"{kind}.{method}")
    assert str(caught.value).endswith(expected)
    assert "hunter2" not in str(caught.value)
    assert len(fake.journal) == sent


def test_a_key_of_none_beside_filters_is_refused_with_how_to_list(client: Player) -> None:
    with pytest.raises(keystone_client.FieldError, match="for a list leave out pk"):
        client.retrieve_team(pk=None, filters={"name": "x"})


def test_an_update_without_data_says_so(client: Player) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'data'"):
        client.update_team(1)


GONE = {
    "schema": "endpoints as text",
    "send_request": "http_get()",
    "normalize_url": "leave it out",
    "get_application_headers": "headers=",
    "LOGIN_ENDPOINT": "login()",
    "LOGOUT_ENDPOINT": "logout()",
    "IDENTITY_ENDPOINT": "whoami()",
    "CSRF_COOKIE": "csrftoken",
    "CSRF_HEADER": "X-CSRFToken",
    "CID_HEADER": "X-KEYSTONE-CID",
    "retrieve_research_group": "retrieve_team()",
    "create_research_group": "create_team()",
}


@KINDS
@pytest.mark.parametrize("name", GONE)
def test_a_removed_attribute_says_what_to_write(kind: Any, name: str) -> None:
    client = kind(URL)
    with pytest.raises(AttributeError) as caught:
        getattr(client, name)

    assert str(caught.value).startswith(f"{kind.__name__}.{name} is gone: ")
    assert GONE[name] in str(caught.value)
    assert not hasattr(client, name)
    assert name not in dir(client)


@KINDS
@pytest.mark.parametrize("name", [name for name in GONE if name.isupper()] + ["normalize_url"])
def test_a_removed_class_attribute_says_what_to_write(kind: Any, name: str) -> None:
    with pytest.raises(AttributeError, match=f"{kind.__name__}.{name} is gone: "):
        getattr(kind, name)


@KINDS
def test_an_unknown_attribute_raises_the_usual_attribute_error(kind: Any) -> None:
    with pytest.raises(AttributeError, match=f"'{kind.__name__}' object has no attribute 'nope'") as caught:
        kind(URL).nope  # noqa: B018  # the test expects that it does not exist

    assert caught.value.name == "nope"


class Portal(Protocol):
    def portal(self) -> str: ...


@KINDS
def test_a_client_can_be_combined_with_an_abstract_class_and_a_protocol(kind: Any) -> None:
    made = type("Both", (kind, ABC, Portal), {"portal": lambda self: "x"})(URL)

    assert made.portal() == "x"


# Modules


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("client", "from keystone_client import KeystoneClient"),
        ("http", "from keystone_client import KeystoneClient"),
        ("log", "from keystone_client_core import ContextAdapter, ContextFilter"),
        ("schema", "endpoints as text"),
    ],
)
def test_a_removed_module_says_what_to_write(name: str, expected: str) -> None:
    with pytest.raises(ImportError) as imported:
        importlib.import_module(f"keystone_client.{name}")
    with pytest.raises(AttributeError) as looked_up:
        getattr(keystone_client, name)

    for caught in (imported, looked_up):
        assert str(caught.value).startswith(f"keystone_client.{name} is gone: ")
        assert expected in str(caught.value)
    assert name not in dir(keystone_client)


# What public programs write


def test_an_existing_program_gets_the_records_it_asks_for(colour: str, fake: FakeKeystone) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        kind: Any = KeystoneClient if colour == "sync" else AsyncKeystoneClient
        client = Player(kind(base_url=URL, transport=fake.transport))
    client.login(username="admin", password="quickstart")

    teams = client.http_get("users/teams", params={"name": "Physics"}).json()["results"]
    params = {"team": teams[0]["id"], "status": "AP", "active__lte": "2026-07-01", "expire__gt": "2026-07-01"}

    assert client.http_get("allocations/requests", params=params).json()["results"] == []


def test_an_ignored_order_warns_with_the_right_parameter_name(client: Player) -> None:
    with pytest.warns(keystone_client.UnknownParameterWarning, match="'order'.* Did you mean _order"):
        client.http_get("allocations/requests", params={"order": "-expire"})


def test_a_wrapper_of_httpx_keeps_the_timeout_of_the_client(colour: str) -> None:
    wire = Scripted()
    connect(colour, wire, timeout=7).http_get("version", timeout=httpx.USE_CLIENT_DEFAULT)

    assert wire.requests[0].extensions["timeout"]["read"] == 7
