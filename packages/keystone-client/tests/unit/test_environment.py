"""A client of the environment: which variables it wants, when it logs in, and what it forgets."""

from typing import Any

import anyio
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    AuthenticationError,
    DecodeError,
    FieldError,
    InvalidURLError,
    KeystoneClient,
)
from keystone_client_testing import FakeKeystone

from .scripted import Scripted, answer, connect

LOGIN = {"KEYSTONE_USERNAME": "admin", "KEYSTONE_PASSWORD": "quickstart"}


@pytest.fixture
def set_env(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


def made(colour: str, **options: Any) -> Any:
    kind: Any = KeystoneClient if colour == "sync" else AsyncKeystoneClient
    return kind.from_env(**options)


def inside(client: Any, ask: str) -> Any:
    """What a method gives inside of the client's block."""
    if isinstance(client, KeystoneClient):
        with client:
            return getattr(client, ask)()

    async def run() -> Any:
        async with client:
            return await getattr(client, ask)()

    return anyio.run(run)


def test_a_password_logs_in_when_the_context_is_entered_and_is_dropped(colour: str, set_env: Any) -> None:
    fake = FakeKeystone()
    set_env(KEYSTONE_URL=fake.url, **LOGIN)

    client = made(colour, transport=fake.transport, page_size=7)
    before = len(fake.journal)
    user = inside(client, "whoami")

    assert before == 0
    assert user["username"] == "admin"
    assert "quickstart" not in repr(vars(client))


def test_a_token_is_sent_without_a_login(colour: str, set_env: Any) -> None:
    transport = Scripted(answer(200, {"id": 1}))
    set_env(KEYSTONE_URL="http://keystone.test", KEYSTONE_TOKEN="s3cret")

    inside(made(colour, transport=transport), "whoami")

    assert [request.headers["authorization"] for request in transport.requests] == ["Token s3cret"]


def test_a_refused_login_closes_the_client(colour: str, set_env: Any) -> None:
    transport = Scripted(answer(400, {"non_field_errors": ["Invalid username or password."]}))
    set_env(KEYSTONE_URL="http://keystone.test", **LOGIN)

    with pytest.raises(AuthenticationError):
        inside(made(colour, transport=transport), "whoami")

    assert transport.closed == 1


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "KEYSTONE_URL is not set"),
        ({"KEYSTONE_URL": "", **LOGIN}, "KEYSTONE_URL is not set"),
        ({"KEYSTONE_URL": "http://h"}, "KEYSTONE_USERNAME is not set"),
        ({"KEYSTONE_URL": "http://h", "KEYSTONE_USERNAME": "admin"}, "KEYSTONE_PASSWORD is not set"),
        ({"KEYSTONE_URL": "http://h", "KEYSTONE_PASSWORD": "quickstart"}, "KEYSTONE_USERNAME is not set"),
        ({"KEYSTONE_URL": "http://h", "KEYSTONE_TOKEN": "quickstart", **LOGIN}, "KEYSTONE_TOKEN and KEYSTONE_USERNAME"),
    ],
)
def test_what_is_missing_or_contradictory_is_named_without_a_secret(
    colour: str, set_env: Any, variables: dict[str, str], said: str
) -> None:
    set_env(**variables)

    with pytest.raises(FieldError, match=said) as caught:
        made(colour)

    assert "quickstart" not in str(caught.value)


def test_an_address_that_is_none_is_refused(colour: str, set_env: Any) -> None:
    set_env(KEYSTONE_URL="http://user:hidden@host", **LOGIN)

    with pytest.raises(InvalidURLError, match="KEYSTONE_URL") as caught:
        made(colour)

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("token", ["two words", "a line\n", "fenêtre"])
def test_a_token_that_cannot_be_sent_is_refused_by_the_name_of_its_variable(
    colour: str, set_env: Any, token: str
) -> None:
    set_env(KEYSTONE_URL="http://h", KEYSTONE_TOKEN=token)

    with pytest.raises(FieldError, match="KEYSTONE_TOKEN") as caught:
        made(colour)

    assert token not in str(caught.value)


def test_a_password_that_waits_for_the_login_is_in_no_repr(colour: str, set_env: Any) -> None:
    set_env(KEYSTONE_URL="http://h", **LOGIN)

    assert "quickstart" not in repr(vars(made(colour)))


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"{}", b"x" * 200])
def test_what_is_no_version_is_a_decode_error(colour: str, body: bytes) -> None:
    with pytest.raises(DecodeError):
        connect(colour, Scripted(answer(200, body))).retrieve_version()


@pytest.mark.parametrize("ask", ["retrieve_config", "retrieve_health", "retrieve_grant_stats"])
def test_what_is_no_object_is_a_decode_error(colour: str, ask: str) -> None:
    with pytest.raises(DecodeError):
        getattr(connect(colour, Scripted(answer(200, [1]))), ask)()
