"""The guarantees of a client under network faults, and the operations that check them.

Each worker creates, updates, reads and deletes its own records, and notes after each call which states they may have;
in the end the state of the fake is compared with the notes. The same coroutines drive the sync and the async client.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from keystone_client import (
    AsyncKeystoneClient,
    BulkError,
    DecodeError,
    KeystoneClient,
    KeystoneError,
    NotFoundError,
    StatusError,
    ThrottledError,
    TransportError,
)
from keystone_client_testing import FakeKeystone

FOREIGN = frozenset({302, 308, 429, 502, 503, 504})
"""Statuses sent by the proxy. Any other error status would mean that Keystone rejected a valid request."""

SETTLED = 60
"""Number of records that no worker changes."""


class BrokenPromiseError(AssertionError):
    """The client violated a guarantee."""


class Note:
    """The states that a record may have."""

    def __init__(self, exists: set[bool], abstracts: set[str]) -> None:
        self.exists, self.abstracts = exists, abstracts


class Calls:
    """A sync or async client whose calls can all be awaited."""

    def __init__(self, client: KeystoneClient | AsyncKeystoneClient) -> None:
        self.client: Any = client

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **options: Any) -> Any:
            result = getattr(self.client, name)(*args, **options)
            return await result if isinstance(result, Awaitable) else result

        return call

    async def batch(self, fill: Callable[[Any], object]) -> None:
        if isinstance(self.client, AsyncKeystoneClient):
            async with self.client.batch() as job:
                fill(job)
        else:
            with self.client.batch() as job:
                fill(job)


class Worker:
    """Runs operations one after another and notes the possible results."""

    def __init__(self, client: Any, number: int, seed: int, settled: Mapping[int, Any], team: int) -> None:
        self.calls = Calls(client)
        self.settled, self.team = settled, team
        self.chance = random.Random(f"{seed} worker {number}")
        self.names = (f"w{number}-{serial}" for serial in count())
        self.notes: dict[str, Note] = {}
        self.keys: dict[str, int] = {}
        self.failed = 0
        """Number of calls that ended in a documented error."""

    async def work(self, operations: int) -> None:
        acts = [self.read] * 4 + [self.miss, self.walk, self.count, self.create, self.create, self.create]
        acts += [self.update, self.update, self.delete, self.delete, self.bulk_create, self.bulk_update]
        acts += [self.bulk_delete, self.batch]
        for _ in range(operations):
            await self.chance.choice(acts)()

    async def attempt(self, call: Awaitable[Any]) -> tuple[Any, KeystoneError | None]:
        """Return the result of a call, or its error, which must be one that the proxy can cause."""
        try:
            return await call, None
        except BulkError as error:
            check(error.__cause__)
            self.failed += 1
            return None, error
        except KeystoneError as error:
            check(error)
            self.failed += 1
            return None, error

    async def read(self) -> None:
        key = self.chance.choice(list(self.settled))
        record, error = await self.attempt(self.calls.retrieve_publication(key))
        promise(error is not None or record == self.settled[key], f"{key} was read as {record}")

    async def miss(self) -> None:
        record, error = await self.attempt(self.calls.retrieve_publication(10**9))
        promise(error is not None or record is None, f"nothing was read as {record}")

    async def walk(self) -> None:
        order = self.chance.choice([None, "title", "-id"])
        found, error = await self.attempt(
            self.calls.retrieve_publication(filters={"journal": "Settled"}, order=order, page_size=25)
        )
        if error is None:
            by_key = {record["id"]: record for record in found}
            promise(by_key == self.settled and len(found) == len(by_key), f"a listing of {len(found)} by {order}")

    async def count(self) -> None:
        number, error = await self.attempt(self.calls.count_publication(filters={"journal": "Settled"}))
        promise(error is not None or number == SETTLED, f"counted {number}")

    def fields(self) -> dict[str, Any]:
        return {"title": next(self.names), "abstract": f"made {self.chance.random()}", "team": self.team}

    def note(self, fields: Mapping[str, Any], *exists: bool) -> None:
        self.notes[fields["title"]] = Note(set(exists), {fields["abstract"]})

    def made(self, record: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
        promise({name: record[name] for name in fields} == fields, f"{fields} was created as {record}")
        self.note(fields, True)
        self.keys[record["title"]] = record["id"]

    async def create(self) -> None:
        fields = self.fields()
        record, error = await self.attempt(self.calls.create_publication(**fields))
        if error is None:
            self.made(record, fields)
        else:
            self.note(fields, *outcomes(error))

    def mine(self, most: int) -> list[str]:
        """Return some records that certainly exist."""
        there = [title for title in self.keys if self.notes[title].exists == {True}]
        return self.chance.sample(there, min(most, len(there)))

    def change(self, title: str, abstract: str, *happened: bool) -> None:
        note = self.notes[title]
        if True in happened:
            note.abstracts = {abstract} if happened == (True,) else {*note.abstracts, abstract}

    async def update(self) -> None:
        for title in self.mine(1):
            abstract = f"changed {self.chance.random()}"
            record, error = await self.attempt(self.calls.update_publication(self.keys[title], {"abstract": abstract}))
            promise(error is not None or record["abstract"] == abstract, f"{title} was changed into {record}")
            self.change(title, abstract, *([True] if error is None else outcomes(error)))

    async def delete(self) -> None:
        for title in self.mine(1):
            strict = self.chance.random() < 0.5  # the answer to a successful delete may be lost: both are correct
            _, error = await self.attempt(self.calls.delete_publication(self.keys[title], raise_not_exists=strict))
            happened = {True} if error is None else outcomes(error)
            if isinstance(error, ThrottledError):
                happened = {True, False}  # an earlier try may have reached the server
            self.notes[title].exists = {not each for each in happened}

    async def bulk_create(self) -> None:
        rows = [self.fields() for _ in range(7)]
        records, error = await self.attempt(self.calls.bulk_create_publication(rows, chunk_size=3))
        if error is None:
            for record, fields in zip(records, rows, strict=True):
                self.made(record, fields)
            return
        assert isinstance(error, BulkError), f"a bulk operation ended in {error!r}"
        account = accounted(error, [fields["title"] for fields in rows], lambda each: each["title"])
        for fields in rows:
            self.note(fields, *account[fields["title"]])
        for record in error.completed:
            self.keys[record["title"]] = record["id"]

    async def bulk_update(self) -> None:
        titles = {self.keys[title]: title for title in self.mine(5)}
        changes = {key: {"abstract": f"bulk {self.chance.random()}"} for key in titles}
        records, error = await self.attempt(self.calls.bulk_update_publication(changes, chunk_size=2))
        account = {key: {True} for key in titles}
        if error is None:
            promise([record["id"] for record in records] == list(changes), f"{changes} became {records}")
        else:
            account = accounted(error, list(titles), lambda each: each["id"] if isinstance(each, dict) else each[0])
        for key, title in titles.items():
            self.change(title, changes[key]["abstract"], *account[key])

    async def bulk_delete(self) -> None:
        titles = {self.keys[title]: title for title in self.mine(5)}
        _, error = await self.attempt(self.calls.bulk_delete_publication(list(titles), chunk_size=2))
        account = {key: {True} for key in titles} if error is None else accounted(error, list(titles), lambda key: key)
        for key, title in titles.items():
            self.notes[title].exists = {not gone for gone in account[key]}

    async def batch(self) -> None:
        rows = [self.fields() for _ in range(3)]
        _, error = await self.attempt(
            self.calls.batch(lambda job: [job.create_publication(**fields) for fields in rows])
        )
        for fields in rows:
            self.note(fields, *([True] if error is None else outcomes(error)))


def promise(kept: bool, otherwise: str) -> None:
    if not kept:
        raise BrokenPromiseError(otherwise)


def check(error: BaseException | None) -> None:
    """Raise unless an error is documented and can be caused by the proxy."""
    if isinstance(error, NotFoundError):
        promise(error.response.content.startswith(b"<"), f"a record was not found: {error!r}")
    elif isinstance(error, StatusError):
        promise(error.status_code in FOREIGN, f"an answer of Keystone's to what is right: {error!r}")
    else:
        cause = getattr(error, "__cause__", None)
        promise(isinstance(error, TransportError | DecodeError), f"{error!r} because of {cause!r}")
    if isinstance(error, TransportError):
        promise(error.outcome in ("not sent", "unknown") and error.attempts >= 1, f"{error!r}: {vars(error)}")


def outcomes(error: KeystoneError) -> set[bool]:
    """Return the possible answers to "did the operation happen?", according to its error."""
    if isinstance(error, ThrottledError) or getattr(error, "outcome", "") == "not sent":
        return {False}
    return {True, False}


def accounted(error: Any, asked: list[Any], name: Callable[[Any], Any]) -> dict[Any, set[bool]]:
    """Return whether each record of a bulk operation may be written; the error must list each exactly once."""
    places = {"completed": {True}, "failed": {False}, "unknown": {True, False}, "pending": {False}}
    found = [(name(each), fate) for place, fate in places.items() for each in getattr(error, place)]
    promise(sorted(str(each) for each, _ in found) == sorted(map(str, asked)), f"{asked} became {vars(error)}")
    return dict(found)


def settle(fake: FakeKeystone) -> tuple[dict[int, Any], int]:
    """Create records that no worker changes; return them as the server represents them, with their team."""
    team = fake.add.team(name="Chaos")
    for number in range(SETTLED):
        fake.add.publication(title=f"settled {number % 7}", journal="Settled", team=team)
    with fake.client() as client:
        return {record["id"]: record for record in client.retrieve_publication()}, team["id"]


def compare(fake: FakeKeystone, workers: list[Worker]) -> None:
    """Compare the state of the fake with the notes, and check that no change was applied twice.

    A repeated update leaves the same state, so only the requests show it; the workers never send two equal updates.
    """
    writes = [entry for entry in fake.journal if entry.method in ("POST", "PATCH") and entry.user and entry.json]
    arrived = Counter(f"{entry.method} {entry.path} {entry.json}" for entry in writes if 200 <= entry.status < 300)
    promise(max(arrived.values()) == 1, f"arrived twice: {arrived.most_common(1)}")
    with fake.client() as client:
        there = [record for record in client.retrieve_publication() if record["journal"] != "Settled"]
    titles = [record["title"] for record in there]
    promise(len(titles) == len(set(titles)), f"written twice: {sorted(titles)}")
    abstracts = {record["title"]: record["abstract"] for record in there}
    notes = {title: note for worker in workers for title, note in worker.notes.items()}
    promise(set(titles) <= set(notes), f"nobody wrote {set(titles) - set(notes)}")
    for title, note in notes.items():
        promise((title in abstracts) in note.exists, f"{title} is {'' if title in abstracts else 'not '}there")
        promise(title not in abstracts or abstracts[title] in note.abstracts, f"{title}: {abstracts.get(title)}")
