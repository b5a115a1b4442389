"""The tour of ``AsyncKeystoneClient``: the same methods, awaited, with many calls at the same time."""

import asyncio
from time import perf_counter

from keystone_client import AsyncKeystoneClient
from place import Place
from telling import announce, expect, say, title

CLUSTERS = 8


async def take_async_tour(place: Place, mark: str) -> None:
    """Run every step, in order."""
    title("The same with AsyncKeystoneClient, many calls at once")
    async with AsyncKeystoneClient(url=place.url) as client:
        await client.login(username=place.username, password=place.password)
        for number, step in enumerate(STEPS, start=1):
            announce(number, step)
            await step(client, mark)
        await client.logout()


async def create(client: AsyncKeystoneClient, mark: str) -> None:
    """Create clusters, all at the same time"""
    started = perf_counter()
    clusters = await asyncio.gather(
        *(client.create_cluster(name=f"{mark} Node {number}") for number in range(CLUSTERS))
    )
    expect(len({cluster["id"] for cluster in clusters}) == CLUSTERS, "each create made a cluster of its own")
    say(f"{CLUSTERS} clusters in {(perf_counter() - started) * 1000:.0f} ms")


async def read(client: AsyncKeystoneClient, mark: str) -> None:
    """Retrieve, count and list at the same time"""
    clusters, number, entries = await asyncio.gather(
        client.retrieve_cluster(filters={"name__startswith": mark}, order="name"),
        client.count_cluster(filters={"name__startswith": mark}),
        client.retrieve_audit_log(order="-timestamp", limit=3),
    )
    expect(len(clusters) == number == CLUSTERS, "every cluster is there")
    say(f"{number} clusters, from {clusters[0]['name']!r} to {clusters[-1]['name']!r}")
    say(f"the last {len(entries)} entries of the audit log are of {entries[0]['timestamp'][:10]}")


async def update(client: AsyncKeystoneClient, mark: str) -> None:
    """Change each record while iterating over them"""
    async for cluster in client.iterate_cluster(filters={"name__startswith": mark}, page_size=3):
        await client.update_cluster(cluster["id"], {"enabled": False})
    off = await client.count_cluster(filters={"name__startswith": mark, "enabled": False})
    expect(off == CLUSTERS, "every cluster is off")
    say(f"{off} clusters switched off")


async def delete(client: AsyncKeystoneClient, mark: str) -> None:
    """Delete the clusters, all at the same time"""
    clusters = await client.retrieve_cluster(filters={"name__startswith": mark})
    await asyncio.gather(*(client.delete_cluster(cluster["id"]) for cluster in clusters))
    left = await client.count_cluster(filters={"name__startswith": mark})
    expect(left == 0, "every cluster is gone")
    say(f"{len(clusters)} deleted, {left} left")


STEPS = (create, read, update, delete)
