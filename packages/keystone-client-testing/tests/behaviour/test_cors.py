"""Browsers at other origins: preflights, and headers for trusted origins."""

import httpx
import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

FRONT_END = "http://localhost:4200"


def ask(session: Session, path: str, origin: str) -> httpx.Response:
    return session("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": "PATCH"})


@pytest.mark.parametrize("path", ["users/teams/", "users/teams", "no/such/path/"])
def test_a_preflight_is_answered_before_anything_is_checked_or_logged(
    fake: FakeKeystone, anonymous: Session, path: str
) -> None:
    answer = ask(anonymous, path, FRONT_END)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == FRONT_END
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert "x-csrftoken" in answer.headers["access-control-allow-headers"]
    assert not fake.world.store.tables["request_log"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://["])
def test_an_untrusted_origin_gets_no_headers(anonymous: Session, origin: str) -> None:
    for answer in (ask(anonymous, "users/teams/", origin), anonymous("GET", "version/", headers={"Origin": origin})):
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["version/", "users/teams/", "users/teams", "no/such/path/"])
def test_a_trusted_origin_may_read_every_answer(anonymous: Session, path: str) -> None:
    headers = anonymous("GET", path, headers={"Origin": FRONT_END}).headers
    assert headers["access-control-allow-origin"] == FRONT_END
    assert headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-methods" not in headers
