"""The sync and the async client send the same requests for the same calls, and return the same values and errors."""

import io
import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from keystone_client import KeystoneError, RetryPolicy
from keystone_client_core import RESOURCES, Field, Resource

from .listing_server import Change, ListServer
from .scripted import Player, Reply, Scripted, answer, connect, cookies, failure

CID = "4f0c0f5e-7d3b-4a53-9d5c-0c1a3c1d8a11"
Script = list[Callable[[Player], object]]


class Server:
    """Answers equal requests equally; if ``moody``, the first try of every third request fails."""

    def __init__(self, moody: bool) -> None:
        self._moods: list[Reply] = [failure(httpx.ConnectError), answer(429, retry_after="3"), answer(503)]
        self._moods += [failure(httpx.ReadTimeout), answer(502), failure(httpx.ReadError)]
        self._moody = moody
        self._asked = 0
        self._clusters = ListServer(
            ({"id": n, "name": "abc"[n % 3]} for n in range(1, 24)),
            between=[[], [Change(insert="a")], [Change(delete=3)], [Change(delete=0, insert="c")]],
        )

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self._asked += 1
        if self._moody and self._asked % 3 == 0:
            return self._moods[self._asked // 3 % len(self._moods)](request)
        path = request.url.path
        if path.endswith("/login/"):
            session = (f"csrftoken=t{self._asked}; Path=/", f"sessionid=s{self._asked}; Path=/")
            return cookies(*session, body={"id": 1, "username": "ada"})(request)
        if path == "/allocations/clusters/" and request.method == "GET":
            return self._clusters(request)
        if request.method == "GET" and path.count("/") == 3:
            return answer(200, {"count": 0, "next": None, "results": []})(request)
        return self._written(request)

    @staticmethod
    def _written(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/404/"):
            return answer(404, {"detail": "No record matches."})(request)
        if request.method == "DELETE":
            return answer(204, b"")(request)
        return answer(201 if request.method == "POST" else 200, {"id": 7})(request)


def sample(field: Field) -> object:
    """Return a valid value of a field."""
    plain: dict[str, object] = {"int": 5, "key": 5, "keys": [5], "bool": True, "decimal": "5.00", "date": "2026-07-01"}
    plain |= {"datetime": "2026-07-01T00:00:00Z", "email": "a@b.c", "file": io.BytesIO(b"%PDF"), "json": {"a": 1}}
    return plain.get(field.kind, "x")


def calls_on(resource: Resource) -> Script:
    """Return one call of each method of a resource."""
    name, script = resource.name, list[Callable[[Player], object]]()
    writable = [field for field in resource.fields.values() if field.writable and field.kind != "file"]
    required = [field for field in resource.fields.values() if field.required]
    changeable = [field for field in writable if not field.create_only and not field.staff_only][:1]

    def call(method: str, *args: Any, **options: Any) -> None:
        script.append(lambda client: getattr(client, f"{method}_{name}")(*args, **options))

    if "list" in resource.operations:
        call("retrieve", page_size=5)
        call("iterate", limit=3)
        call("count")
    if "retrieve" in resource.operations:
        call("retrieve", 7)
        call("retrieve", "404")
        call("retrieve", 404, raise_not_exists=True)
    if "create" in resource.operations and name != "attachment":
        call("create", **{field.name: sample(field) for field in required})
    if "update" in resource.operations:
        call("update", 7, {field.name: sample(field) for field in changeable})
    if "delete" in resource.operations:
        call("delete", 7)
        call("delete", 404, raise_not_exists=True)
    return script


SESSION: Script = [
    lambda client: client.is_authenticated(),
    lambda client: client.login("ada", "pw"),
    lambda client: client.whoami(),
    lambda client: client.login("ada", "pw"),
    lambda client: client.login("", "pw"),
    lambda client: client.http_get("version", params={"a": ["b", "c d"]}, headers={"X-Trace": "1"}, timeout=3),
    lambda client: client.http_get("//elsewhere.test"),
    lambda client: client.http_post("users/teams", json={"name": "Zoë"}),
    lambda client: client.http_put("users/teams/7", data={"name": "x"}),
    lambda client: client.http_patch("users/teams/7", json=[1, 2]),
    lambda client: client.http_post("x", files={"f": ("a.txt", io.BytesIO(b"abc"), "text/plain")}, data={"a": "b"}),
    lambda client: client.http_delete("users/teams/404"),
    lambda client: client.create_attachment(request=3, file=b"%PDF", filename="cv.pdf", name="CV"),
    lambda client: client.logout(),
    lambda client: client.logout(),
]
LISTINGS: Script = [
    lambda client: client.retrieve_cluster(),
    lambda client: client.retrieve_cluster(page_size=4),
    lambda client: client.retrieve_cluster(page_size=4, order="-id"),
    lambda client: client.retrieve_cluster(page_size=4, order="name"),
    lambda client: client.retrieve_cluster(page_size=4, order="-name,-id", limit=11),
    lambda client: client.iterate_cluster(page_size=3, filters={"name": "a", "id__gt": 4}),
    lambda client: client.iterate_cluster(page_size=3, after=9, prefetch=False),
    lambda client: client.iterate_cluster(page_size=3, limit=8),
    lambda client: client.retrieve_cluster(filters={"id__in": range(1, 2000)}, page_size=10),
    lambda client: client.count_cluster(filters={"name__in": ["a", "b"]}),
    lambda client: client.retrieve_cluster(filters={"nope": 1}),
]
SCRIPTS: dict[str, Script] = {"session": SESSION, "listings": LISTINGS}
SCRIPTS |= {name: calls_on(resource) for name, resource in RESOURCES.items()}


def outcome(call: Callable[[Player], Any], client: Player) -> object:
    try:
        value = call(client)
    except KeystoneError as error:
        return type(error), str(error)
    return (value.status_code, value.content) if isinstance(value, httpx.Response) else value


def played(colour: str, script: Script, moody: bool) -> tuple[list[object], list[object], list[float]]:
    """Return the results of the calls, the requests sent, and the waits."""
    wire = Scripted(Server(moody))
    client = connect(colour, wire, cid=CID, headers={"X-Always": "yes"}, retry=RetryPolicy(backoff=1))
    outcomes = [outcome(call, client) for call in script]
    sent: list[object] = [
        (request.method, str(request.url), request.headers.raw, request.content, request.extensions["timeout"])
        for request in wire.requests
    ]
    return outcomes, sent, client.pauses


@pytest.mark.parametrize("moody", [False, True], ids=["well", "moody"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_both_clients_send_the_same_requests_for_the_same_calls(
    name: str, moody: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)  # httpx generates multipart boundaries with it
    outcomes, sent, pauses = played("sync", SCRIPTS[name], moody)
    assert len(sent) >= len(SCRIPTS[name]) / 2
    assert bool(pauses) <= moody
    assert played("async", SCRIPTS[name], moody) == (outcomes, sent, pauses)
