"""Removes the records that the tours created. It finds them by the mark in their names, also after an aborted tour."""

from keystone_client import KeystoneClient
from place import Place


def remove_marked(place: Place, mark: str) -> str:
    """Delete every request, cluster, team and user whose name begins with the mark.

    Returns:
        The number of deleted records of each kind, as text.
    """
    with KeystoneClient(url=place.url) as client:
        client.login(username=place.username, password=place.password)
        requests = client.retrieve_request(filters={"title__startswith": mark})
        clusters = client.retrieve_cluster(filters={"name__startswith": mark})
        teams = client.retrieve_team(filters={"name__startswith": mark})
        users = client.retrieve_user(filters={"username__startswith": mark})
        client.bulk_delete_request(request["id"] for request in requests)
        client.bulk_delete_cluster(cluster["id"] for cluster in clusters)
        client.bulk_delete_team(team["id"] for team in teams)
        client.bulk_delete_user(user["id"] for user in users)
    return f"requests: {len(requests)}, clusters: {len(clusters)}, teams: {len(teams)}, users: {len(users)}"
