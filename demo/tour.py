"""The tour of ``KeystoneClient``. The tour prints the code of each step, and its docstring as the heading."""

import logging
import sys
from dataclasses import dataclass, field

from keystone_client import (
    AccessMode,
    FieldError,
    FilterError,
    KeystoneClient,
    KeystoneError,
    NotFoundError,
    RequestStatus,
    ValidationError,
)
from keystone_client.records import Cluster, Request, Team, User
from place import Place
from telling import announce, expect, say


@dataclass
class Made:
    """The records that earlier steps created for later ones."""

    mark: str
    me: User = field(init=False)
    team: Team = field(init=False)
    cluster: Cluster = field(init=False)
    request: Request = field(init=False)


def take_tour(place: Place, mark: str) -> None:
    """Run every step, in order."""
    made = Made(mark)
    with KeystoneClient(url=place.url) as client:
        announce(1, log_in)
        log_in(client, made, place)
        for number, step in enumerate(STEPS, start=2):
            announce(number, step)
            step(client, made)


def log_in(client: KeystoneClient, made: Made, place: Place) -> None:
    """Log in, and ask the server who is logged in"""
    made.me = client.login(username=place.username, password=place.password)
    me = client.whoami()
    version = client.http_get("version")
    expect(me is not None and me["id"] == made.me["id"], "whoami is who logged in")
    expect(client.is_authenticated() and version.is_success, "the server knows us")
    say(f"{made.me['display_name']}, user {made.me['id']}, on Keystone {version.text}")


def create(client: KeystoneClient, made: Made) -> None:
    """Create a team, a cluster, and a request for time on it"""
    made.team = client.create_team(name=f"{made.mark} Astronomy")
    made.cluster = client.create_cluster(name=f"{made.mark} Andromeda", access_mode=AccessMode.OPEN)
    made.request = client.create_request(
        title=f"{made.mark} Spiral arms",
        description="A million hours, please.",
        team=made.team["id"],
        submitter=made.me["id"],
    )
    allocation = client.create_allocation(request=made.request["id"], cluster=made.cluster["id"], requested=1_000_000)
    expect(allocation["requested"] == 1_000_000, "the allocation is what was asked for")
    say(f"team {made.team['id']}, cluster {made.cluster['id']}, request {made.request['id']}")


def find(client: KeystoneClient, made: Made) -> None:
    """Find records: by key, by filters, by words"""
    cluster = client.retrieve_cluster(pk=made.cluster["id"])
    missing = client.retrieve_cluster(pk=2_000_000_000)
    filters = {"name__startswith": made.mark, "enabled": True}
    by_name = client.retrieve_cluster(filters=filters, order="-name")
    by_word = client.retrieve_request(search=f"{made.mark} spiral", limit=10)
    expect(cluster == by_name[0] and missing is None, "the cluster is found by its key and by its name")
    expect([record["id"] for record in by_word] == [made.request["id"]], "the request is found by words of its title")
    say(f"by key: {made.cluster['name']!r}; no such key: {missing}; by name: {len(by_name)}; by words: {len(by_word)}")


def update(client: KeystoneClient, made: Made) -> None:
    """Change some fields; the others keep their values"""
    request = client.update_request(
        pk=made.request["id"], data={"status": RequestStatus.APPROVED, "expire": "2030-12-31"}
    )
    expect(request["status"] == RequestStatus.APPROVED, "the request is approved")
    expect(request["title"] == made.request["title"], "the title stayed")
    say(f"{request['title']!r} is {RequestStatus(request['status']).name.lower()} until {request['expire']}")


def page_through(client: KeystoneClient, made: Made) -> None:
    """Go through the whole audit log, with only a few pages in memory"""
    keys = set()
    pages = []
    for entry in client.iterate_audit_log(page_size=500, on_progress=lambda done, total: pages.append((done, total))):
        keys.add(entry["id"])
    expect(keys and len(keys) == pages[-1][0], "every entry came once")
    expect(client.count_audit_log(filters={"id__lte": max(keys)}) == len(keys), "every entry came")
    say(f"{len(keys):,} audit entries in {len(pages)} pages: {', '.join(f'{done:,}' for done, _ in pages)}")


def mistype(client: KeystoneClient, made: Made) -> None:
    """Find mistakes before anything is sent: a filter the server would ignore, a field it would drop"""
    mistakes: list[KeystoneError] = []
    try:
        client.retrieve_cluster(filters={"nmae": made.cluster["name"]})
    except FilterError as error:
        mistakes.append(error)
    try:
        client.update_team(made.team["id"], {"name": "Cosmology"})  # type: ignore[typeddict-unknown-key]  # the mistake
    except FieldError as error:
        mistakes.append(error)
    expect(len(mistakes) == 2, "both mistakes are errors")
    say(mistakes[0])
    say(mistakes[1])


def be_refused(client: KeystoneClient, made: Made) -> None:
    """Read why the server refused a record: the error has its messages by field"""
    refusal = None
    try:
        client.create_cluster(name=made.cluster["name"])
    except ValidationError as error:
        refusal = error
    expect(refusal and refusal.cid == client.cid and "name" in refusal.field_errors, "the error names the field")
    say(refusal)


def watch(client: KeystoneClient, made: Made) -> None:
    """Log every request, with the correlation id that is in the server's logs too"""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("    %(cid)s - %(method)s - %(endpoint)s - %(message)s"))
    logging.getLogger("kclient").addHandler(handler)
    client.retrieve_team(pk=made.team["id"])
    client.count_cluster(filters={"enabled": True})
    logging.getLogger("kclient").removeHandler(handler)


def delete(client: KeystoneClient, made: Made) -> None:
    """Delete; deleting a missing record is no error, unless you ask for one"""
    client.delete_request(pk=made.request["id"])
    client.delete_cluster(pk=made.cluster["id"])
    client.delete_cluster(pk=made.cluster["id"])
    gone = None
    try:
        client.delete_cluster(pk=made.cluster["id"], raise_not_exists=True)
    except NotFoundError as error:
        gone = error
    expect(gone and gone.status_code == 404, "the third delete is an error")
    say(gone)


def log_out(client: KeystoneClient, made: Made) -> None:
    """Log out"""
    client.logout()
    expect(not client.is_authenticated(), f"{made.me['username']} is logged out")
    say(f"is_authenticated() is {client.is_authenticated()}")


STEPS = (create, find, update, page_through, mistype, be_refused, watch, delete, log_out)
