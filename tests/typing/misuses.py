"""Mistakes users make. Each line ends in what mypy and pyright must say of it: ``# mypy-code / pyrightRule``."""

from typing import Any

from keystone_client import AsyncKeystoneClient, KeystoneClient


def fields(client: KeystoneClient) -> None:
    client.create_cluster(nam="New")  # call-arg / reportCallIssue
    client.create_cluster(name="New", colour="red")  # call-arg / reportCallIssue
    client.create_cluster(name="New", enabled="yes")  # arg-type / reportArgumentType
    client.create_cluster(name=7)  # arg-type / reportArgumentType
    client.create_cluster(description="no name")  # call-arg / reportCallIssue
    client.create_cluster(name="New", access_mode="XX")  # arg-type / reportArgumentType
    client.create_cluster(name="New", id=1)  # call-arg / reportCallIssue
    client.create_request(title="t", description="d", team="Physics", submitter=1)  # arg-type / reportArgumentType
    client.update_cluster(1, {"nope": 1})  # typeddict-unknown-key / reportArgumentType
    client.update_cluster(1, {"enabled": "yes"})  # typeddict-item / reportArgumentType
    client.update_team(1, {"name": "the server drops it"})  # typeddict-unknown-key / reportArgumentType
    client.update_request(1, {"status": "OK"})  # typeddict-item / reportArgumentType
    client.update_cluster(1)  # call-arg / reportCallIssue


def keys(client: KeystoneClient, maybe: int | None, record: dict[str, Any]) -> None:
    client.retrieve_cluster(pk=None)  # call-overload / reportArgumentType
    client.retrieve_cluster(None)  # call-overload / reportArgumentType
    client.retrieve_cluster(maybe)  # arg-type / reportArgumentType
    client.retrieve_cluster(pk=1.5)  # call-overload / reportArgumentType
    client.retrieve_cluster(1, filters={"name": "x"})  # call-overload / reportCallIssue
    client.retrieve_cluster(1, limit=1)  # call-overload / reportCallIssue
    client.retrieve_cluster(filters={"id": 1}, raise_not_exists=True)  # call-overload / reportCallIssue
    client.update_cluster(maybe, {"enabled": True})  # arg-type / reportArgumentType
    client.update_cluster(1, record)  # arg-type / reportArgumentType
    client.delete_cluster(None)  # arg-type / reportArgumentType
    client.delete_cluster()  # call-arg / reportCallIssue


def following(client: KeystoneClient) -> None:
    client.follow_audit_log(7)  # arg-type / reportArgumentType
    client.follow_audit_log(after="soon", overlap="300")  # arg-type / reportArgumentType
    client.follow_audit_log().records[0]["nmae"]  # typeddict-item / reportGeneralTypeIssues


def results(client: KeystoneClient) -> None:
    client.retrieve_cluster(pk=1)["name"]  # index / reportOptionalSubscript
    client.retrieve_cluster(pk=1, raise_not_exists=True)["nmae"]  # typeddict-item / reportGeneralTypeIssues
    client.retrieve_cluster()["name"]  # call-overload / reportCallIssue reportArgumentType
    client.create_cluster(name="New").name  # attr-defined / reportAttributeAccessIssue
    number: int = client.create_cluster(name="New")["name"]  # assignment / reportAssignmentType


def names(client: KeystoneClient) -> None:
    client.retrieve_clusters()  # attr-defined / reportAttributeAccessIssue
    client.create_notification()  # attr-defined / reportAttributeAccessIssue
    client.update_audit_log(1, {})  # attr-defined / reportAttributeAccessIssue
    client.delete_feed_entry("audit-1")  # attr-defined / reportAttributeAccessIssue
    client.retrieve_feed_entry(pk="audit-1")  # call-arg / reportCallIssue
    client.retrieve_cluster(filter={"name": "x"})  # call-overload / reportCallIssue
    client.login("admin")  # call-overload / reportCallIssue
    client.login("admin", "x", provider=lambda: ("admin", "x"))  # call-overload / reportCallIssue
    client.login(provider=lambda: "admin")  # arg-type return-value / reportArgumentType
    client.cid = "another"  # misc / reportAttributeAccessIssue


async def colours(client: AsyncKeystoneClient) -> None:
    client.retrieve_cluster(pk=1, raise_not_exists=True)["name"]  # index / reportIndexIssue
    client.delete_cluster(1)  # unused-coroutine / reportUnusedCoroutine
    client.http_get("version").status_code  # attr-defined / reportAttributeAccessIssue
    await client.iterate_cluster()  # misc / reportGeneralTypeIssues
    for cluster in client.iterate_cluster():  # attr-defined / reportGeneralTypeIssues
        print(cluster)
    with client:  # attr-defined / reportGeneralTypeIssues
        pass
    number: int = client.count_cluster()  # assignment / reportAssignmentType


async def colours_sync(client: KeystoneClient) -> None:
    await client.count_cluster()  # misc / reportGeneralTypeIssues
    async for cluster in client.iterate_cluster():  # attr-defined / reportGeneralTypeIssues
        print(cluster)
    async with client:  # attr-defined / reportGeneralTypeIssues
        pass


def jobs(client: KeystoneClient) -> None:
    with client.batch() as job:
        job.create_cluster(nam="New")  # call-arg / reportCallIssue
        job.create_cluster(name="New", enabled="yes")  # arg-type / reportArgumentType
        job.update_team(1, {"name": "the server drops it"})  # typeddict-unknown-key / reportArgumentType
        job.delete_team()  # call-arg / reportCallIssue
        job.retrieve_team(None)  # call-overload / reportArgumentType
        job.iterate_team()  # attr-defined / reportAttributeAccessIssue
        team = job.create_team(name="New")
        team.result["nmae"]  # typeddict-item / reportGeneralTypeIssues
    with client.batch(True) as job:  # call-arg / reportCallIssue
        pass


def bulk(client: KeystoneClient) -> None:
    client.bulk_create_cluster([{"n": 1}])  # typeddict-item typeddict-unknown-key / reportArgumentType reportCallIssue
    client.bulk_create_cluster({"name": "New"})  # dict-item / reportArgumentType reportCallIssue
    client.bulk_update_cluster([1, 2])  # arg-type / reportArgumentType
    client.bulk_update_cluster({1: {"enabled": "yes"}})  # typeddict-item / reportArgumentType
    client.bulk_delete_cluster(7)  # arg-type / reportArgumentType
    client.bulk_delete_cluster([1], chunk_size="9")  # arg-type / reportArgumentType
    client.bulk_create_notification([])  # attr-defined / reportAttributeAccessIssue


def former(client: KeystoneClient, url: str) -> None:
    KeystoneClient()  # call-overload / reportCallIssue
    KeystoneClient(url, base_url=url)  # call-overload / reportCallIssue
    KeystoneClient(url, follow_redirects=True)  # call-overload / reportCallIssue
    KeystoneClient(url, timout=3)  # call-overload / reportCallIssue
    KeystoneClient(base_url=url, timeout="3")  # call-overload / reportArgumentType
    AsyncKeystoneClient(verify_ssl=False)  # call-overload / reportCallIssue
    client.login("a", "b", timeout=3)  # call-overload / reportCallIssue
    client.whoami(timeout=3)  # call-arg / reportCallIssue
    client.create_team({"name": "x"})  # arg-type call-arg / reportCallIssue
    client.create_team(data={"name": "x"})  # call-arg / reportCallIssue
    client.delete_team(1, True)  # call-arg / reportCallIssue
    client.retrieve_team(1, timeout=3)  # call-overload / reportCallIssue
    client.http_get("x", None, 3)  # arg-type call-arg / reportCallIssue
    client.http_get("x", json={})  # call-arg / reportCallIssue
    client.http_get("x", timeout="3")  # arg-type / reportArgumentType
    client.http_delete("x", 3)  # call-arg / reportCallIssue
    client.http_iterate("x", order="id")  # call-arg / reportCallIssue
    client.schema  # attr-defined / reportAttributeAccessIssue
    client.send_request("get", "x")  # attr-defined / reportAttributeAccessIssue
    KeystoneClient.CSRF_HEADER  # attr-defined / reportAttributeAccessIssue


def options(client: KeystoneClient, tasks: AsyncKeystoneClient) -> None:
    KeystoneClient.from_env(timout=1)  # call-arg / reportCallIssue
    KeystoneClient.from_env(token="x")  # call-arg / reportCallIssue
    AsyncKeystoneClient.from_env(page_size="10")  # arg-type / reportArgumentType
    client.with_options(timeout="3")  # arg-type / reportArgumentType
    client.with_options(attempts=3)  # call-arg / reportCallIssue
    tasks.with_options(retry=3)  # arg-type / reportArgumentType
    KeystoneClient("http://host", event_hooks=[print])  # call-overload / reportArgumentType
    AsyncKeystoneClient("http://host", event_hooks={"request": [print]})  # list-item / reportArgumentType
    KeystoneClient("http://host", wrap_transport=3)  # call-overload / reportArgumentType
