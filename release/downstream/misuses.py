"""What a type checker has to find where the client is installed: the lines that are marked, and no others."""

from keystone_client import KeystoneClient


def misuse(client: KeystoneClient) -> None:
    """Use the client wrongly."""
    cluster = client.create_cluster(name="Andromeda")
    identifier: str = cluster["id"]  # error
    client.create_cluster(naem="Andromeda")  # error
    client.retrieve_clutser(identifier)  # error
    client.update_cluster(cluster["id"], {"description": 5})  # error
