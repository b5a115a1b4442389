"""A project that uses the client, as its users write it: run on a fake, and checked by mypy and pyright."""

import asyncio
import sys
from typing import assert_type

from keystone_client import AsyncKeystoneClient, FieldError, KeystoneClient, NotFoundError, RequestStatus
from keystone_client.records import Cluster, Request


def open_requests(client: KeystoneClient) -> list[str]:
    """Return the titles of the requests that wait for a decision."""
    requests = client.retrieve_request(filters={"status": RequestStatus.PENDING}, order="title")
    assert_type(requests, list[Request])
    return [request["title"] for request in requests]


def make_cluster(client: KeystoneClient, name: str) -> Cluster:
    """Make a cluster; a name that is too long is refused before anything is sent."""
    try:
        client.create_cluster(name="x" * 1000)
    except FieldError as error:
        assert_type(error.field, str)
    return client.create_cluster(name=name, description="made by a project that has the client installed")


async def cluster_names(url: str) -> list[str]:
    """Return the names of all clusters."""
    async with AsyncKeystoneClient(url) as client:
        await client.login("admin", "quickstart")
        return [cluster["name"] async for cluster in client.iterate_cluster(order="name")]


def main(url: str) -> None:
    """Make a cluster, see it with the other client, and remove it."""
    with KeystoneClient(url) as client:
        client.login("admin", "quickstart")
        cluster = make_cluster(client, "downstream")
        assert asyncio.run(cluster_names(url)) == ["downstream"]
        client.delete_cluster(cluster["id"])
        try:
            client.delete_cluster(cluster["id"], raise_not_exists=True)
        except NotFoundError as error:
            sys.stdout.write(f"gone: {error.status_code}\n")
        assert open_requests(client) == []
    sys.stdout.write(f"both clients work on {url}\n")


if __name__ == "__main__":
    main(sys.argv[1])
