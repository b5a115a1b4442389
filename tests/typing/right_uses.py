"""Correct uses: both type checkers must accept all of them and infer exactly these types."""

from collections.abc import AsyncGenerator, Generator
from datetime import date
from typing import Any, assert_type
from uuid import UUID

import httpx
from keystone_client import (
    AccessMode,
    AsyncKeystoneClient,
    Followed,
    KeystoneClient,
    NotFoundError,
    RequestStatus,
    RetryPolicy,
    changes,
)
from keystone_client_core.records import AuditLog, Cluster, ClusterCreate, Request, RequestLog, Team, User


def reading(client: KeystoneClient, key: int) -> None:
    assert_type(client.retrieve_cluster(pk=1), Cluster | None)
    assert_type(client.retrieve_cluster("1"), Cluster | None)
    assert_type(client.retrieve_cluster(key, raise_not_exists=True), Cluster)
    assert_type(client.retrieve_cluster(), list[Cluster])
    assert_type(
        client.retrieve_cluster(filters={"name": "hpc", "id__in": [1, 2]}, order="-name", limit=3), list[Cluster]
    )
    assert_type(client.retrieve_cluster(search="gpu", order=["name", "id"], page_size=100), list[Cluster])
    assert_type(client.iterate_cluster(after=7), Generator[Cluster, None, None])
    assert_type(client.count_cluster(filters={"enabled": True}), int)
    for cluster in client.iterate_cluster(on_progress=print):
        assert_type(cluster["name"], str)
        assert_type(cluster["description"], str | None)
        assert_type(cluster["access_teams"], list[int])
        assert_type(cluster["_access_teams"][0]["name"], str)


def following(client: KeystoneClient, stored: str | None) -> None:
    found = client.follow_audit_log(stored, after="now", overlap=60, filters={"action": "create"}, limit=100)
    assert_type(found, Followed[AuditLog])
    assert_type(found.records[0]["record_name"], str)
    records, position, more = client.follow_request_log(after=7)
    assert_type(records, list[RequestLog])
    assert_type(position, str)
    assert_type(more, bool)


def writing(client: KeystoneClient, team: int, submitter: int) -> None:
    new = client.create_cluster(name="New", enabled=True, access_mode=AccessMode.OPEN)
    assert_type(new, Cluster)
    client.create_cluster(name="New", access_mode="WL", access_teams=[team])
    fields: ClusterCreate = {"name": "New"}
    client.create_cluster(**fields)
    assert_type(
        client.create_request(title="t", description="d", team=team, submitter=submitter, active=date(2026, 1, 1)),
        Request,
    )
    assert_type(client.update_cluster(pk=new["id"], data={"description": None}), Cluster)
    client.update_request(1, {"status": RequestStatus.APPROVED, "expire": "2027-01-01"})
    client.delete_cluster(pk=new["id"])
    client.delete_cluster("7", raise_not_exists=True)


def session(url: str) -> None:
    with KeystoneClient(url=url, cid=None, timeout=None, retry=None, page_size=20) as client:
        assert_type(client, KeystoneClient)
        assert_type(client.cid, str)
        assert_type(client.base_url, str)
        assert_type(client.login(username="admin", password="quickstart"), User)
        assert_type(client.login(provider=lambda: ("admin", "quickstart")), User)
        assert_type(client.is_authenticated(), bool)
        assert_type(client.whoami(), User | None)
        assert_type(client.http_get("version").status_code, int)
        client.http_post("allocations/clusters", json={"name": "New"})
        try:
            client.delete_cluster(1, raise_not_exists=True)
        except NotFoundError as error:
            assert_type(error.status_code, int)
        client.logout()
    client.close()


def raw(client: KeystoneClient, params: dict[str, str | int], forwarded: dict[str, Any]) -> None:
    client.http_get("users/teams", params)
    client.http_get("users/teams", {"_order": "-id", "name__in": ["a", "b"]}, timeout=httpx.USE_CLIENT_DEFAULT)
    client.http_get("users/teams", [("name", "x")], headers=[("X-A", "1")], timeout=(1, 2.5, None, None))
    client.http_get("users/teams", "name=x", headers=httpx.Headers(), timeout=httpx.Timeout(3))
    client.http_get("users/teams", httpx.QueryParams(name="x"), headers={"X-A": "1"}, timeout=None)
    client.http_post("users/teams", {"name": "x"}, params=params)
    client.http_post("x", data={"name": "x"}, files={"f": ("a.txt", b"x", "text/plain")}, timeout=3)
    client.http_put("x", files=[("f", b"x"), ("g", (None, "x"))])
    client.http_patch("x", [1, 2])
    client.http_delete("x", json={"a": 1}, timeout=3)
    client.http_get("x", **forwarded)
    assert_type(client.http_iterate("research/posters", {"year": 2026}), Generator[dict[str, Any], None, None])
    for record in client.http_iterate("research/posters", page_size=10, limit=100):
        assert_type(record, dict[str, Any])


def changing(client: KeystoneClient, pk: int) -> None:
    before = client.retrieve_request(pk, raise_not_exists=True)
    after = before.copy()
    after["title"] = "New"
    assert_type(client.update_request(pk, changes(before, after)), Request)
    client.bulk_update_request({pk: changes(before, {**before, "title": "New"})})


async def credentials() -> tuple[str, str]:
    return "admin", "quickstart"


async def asynchronous(url: str) -> None:
    async with AsyncKeystoneClient(url=url) as client:
        assert_type(await client.login(username="admin", password="quickstart"), User)
        assert_type(await client.login(provider=lambda: ("admin", "quickstart")), User)
        assert_type(await client.login(provider=credentials), User)
        assert_type(await client.retrieve_cluster(pk=1), Cluster | None)
        assert_type(await client.retrieve_cluster(pk=1, raise_not_exists=True), Cluster)
        assert_type(await client.retrieve_cluster(filters={"enabled": True}), list[Cluster])
        assert_type(client.iterate_cluster(), AsyncGenerator[Cluster, None])
        async for cluster in client.iterate_cluster(limit=10):
            assert_type(cluster["enabled"], bool)
        assert_type(await client.count_cluster(), int)
        new = await client.create_cluster(name="New")
        assert_type(await client.update_cluster(new["id"], {"enabled": False}), Cluster)
        await client.delete_cluster(new["id"])
        assert_type((await client.http_get("version", {"a": 1})).status_code, int)
        assert_type(client.http_iterate("x"), AsyncGenerator[dict[str, Any], None])
        await client.logout()
    await client.close()


def jobs(client: KeystoneClient) -> None:
    with client.batch(dry_run=True) as job:
        team = job.create_team(name="New")
        wanted = job.create_request(title=f"{team['name']}", description="d", team=team["id"], submitter=1)
        job.update_request(wanted["id"], {"assignees": [team["id"], 2]})
        page = job.retrieve_team(filters={"name": "x"}, limit=1)
        job.delete_team(page["results"][0]["id"])
    name: str = team.result["name"]
    number: int = page.result["count"]
    print(name, number, [found["slug"] for found in page.result["results"]])


def bulk(client: KeystoneClient) -> None:
    made = client.bulk_create_cluster({"name": f"c{number}"} for number in range(3))
    client.bulk_create_cluster({f"line {number}": {"name": f"c{number}"} for number in range(3)})
    client.bulk_update_cluster({record["id"]: {"enabled": False} for record in made}, chunk_size=10)
    sheet: dict[int, ClusterCreate] = {2: {"name": "x"}}
    print([fault.reason for fault in client.check_cluster(sheet)], client.check_cluster([sheet[2]])[0].label)
    client.bulk_update_cluster({"7": {"enabled": False}}, dry_run=True, on_progress=print)
    client.bulk_delete_cluster(record["id"] for record in made)


async def jobs_and_bulk(client: AsyncKeystoneClient) -> None:
    async with client.batch() as job:
        team = job.create_team(name="New")
    made = await client.bulk_create_cluster([{"name": team.result["name"]}])
    await client.bulk_delete_cluster([made[0]["id"]], raise_not_exists=True)


async def options(tasks: AsyncKeystoneClient, cid: UUID) -> None:
    assert_type(KeystoneClient.from_env(timeout=1, retry=None), KeystoneClient)
    client = KeystoneClient("http://host", event_hooks={"response": [print]}, wrap_transport=lambda inner: inner)
    assert_type(client.with_options(timeout=None, headers={"X-A": "1"}, retry=RetryPolicy(), cid=cid), KeystoneClient)
    assert_type(await tasks.with_options(cid=None).retrieve_team(1), Team | None)
