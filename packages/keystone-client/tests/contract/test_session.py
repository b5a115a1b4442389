"""Login, logout and session renewal, and the plain HTTP methods."""

from typing import Any

import pytest
from keystone_client import AuthenticationError, NotFoundError


def test_a_new_client_is_not_logged_in(bench: Any) -> None:
    client = bench.connect()

    assert client.is_authenticated() is False
    assert client.whoami() is None


def test_login_returns_the_user_and_whoami_agrees(bench: Any) -> None:
    client = bench.connect()

    user = client.login(bench.door.username, bench.door.password)

    assert user["username"] == bench.door.username
    assert client.whoami()["id"] == user["id"]
    assert client.is_authenticated() is True


def test_wrong_credentials_raise_and_keep_the_session(bench: Any) -> None:
    with pytest.raises(AuthenticationError, match="Invalid username or password") as caught:
        bench.client.login(bench.door.username, "wrong" + bench.door.password)

    assert caught.value.status_code == 400
    assert bench.client.is_authenticated() is True


def test_logging_in_twice_leaves_a_session_that_can_write(bench: Any) -> None:
    bench.client.login(bench.door.username, bench.door.password)

    assert bench.make("team", name=bench.name())["is_active"] is True


def test_logout_ends_the_session_and_is_silent_when_there_is_none(bench: Any) -> None:
    client = bench.connect()
    client.logout()
    client.login(bench.door.username, bench.door.password)

    client.logout()
    client.logout()

    assert client.is_authenticated() is False


def test_an_expired_session_is_renewed_if_there_is_a_credentials_provider(bench: Any) -> None:
    client = bench.connect()
    asked = []

    def credentials() -> tuple[str, str]:
        asked.append(1)
        return bench.door.username, bench.door.password

    client.login(provider=credentials)
    client.http_post("authentication/logout", json={})
    team = bench.made("team", client.create_team(name=bench.name()))

    assert client.retrieve_team(team["id"])["name"] == team["name"]
    assert len(asked) == 2


def test_each_spelling_of_an_endpoint_reaches_it(bench: Any) -> None:
    for endpoint in ("version", "/version", "version/", f"{bench.client.base_url}version/"):
        response = bench.client.http_get(endpoint)

        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain")


def test_http_methods_return_the_response_unchanged(bench: Any) -> None:
    client = bench.client
    refused = client.http_post("users/teams", json={})
    created = client.http_post("users/teams", json={"name": bench.name()})
    pk = bench.made("team", created.json())["id"]
    replaced = client.http_put(f"users/teams/{pk}", json={"is_active": False})
    changed = client.http_patch(f"users/teams/{pk}", json={"is_active": True})
    listed = client.http_get("users/teams", params={"id": pk, "_limit": 1})
    deleted = client.http_delete(f"users/teams/{pk}")
    gone = client.http_get(f"users/teams/{pk}")

    assert (refused.status_code, refused.json()) == (400, {"name": ["This field is required."]})
    assert (created.status_code, replaced.status_code, changed.status_code) == (201, 200, 200)
    assert replaced.json()["is_active"] is False
    assert changed.json()["is_active"] is True
    assert [record["id"] for record in listed.json()["results"]] == [pk]
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert gone.status_code == 404


def test_http_post_sends_forms_and_files(bench: Any) -> None:
    team = bench.client.http_post("users/teams", data={"name": bench.name()})

    assert team.status_code == 201
    bench.made("team", team.json())


def test_the_correlation_id_is_in_the_servers_log(bench: Any) -> None:
    bench.client.http_get("version")

    entries = bench.client.retrieve_request_log(filters={"cid": bench.client.cid})

    assert "/version/" in [entry["endpoint"] for entry in entries]
    assert {entry["cid"] for entry in entries} == {bench.client.cid}


def test_a_correlation_id_given_by_the_caller_is_the_one_logged(bench: Any) -> None:
    client = bench.connect(cid="0F0A8B72-5E0B-4E5B-9C8A-3E0D4C0FFEE0")
    client.login(bench.door.username, bench.door.password)

    assert client.cid == "0f0a8b72-5e0b-4e5b-9c8a-3e0d4c0ffee0"
    assert client.count_request_log(filters={"cid": client.cid}) > 0


def test_a_wrong_url_prefix_is_distinguished_from_a_missing_record(bench: Any) -> None:
    astray = bench.connect(below="no/such/prefix")

    with pytest.raises(NotFoundError, match="base URL"):
        astray.retrieve_team(1)
    with pytest.raises(NotFoundError, match="base URL"):
        astray.delete_team(1)
