"""Listings are complete during concurrent single creates and deletes, and jobs whose rows become visible late.

On SQLite no row becomes visible late, and a job beside other requests is often refused: `database is locked`. It reads
before it writes, and SQLite fails at once, without a wait, when anybody else writes in between, if only a row of the
request log. Nothing of the job was written then, so the writer of jobs there does what users do, and tries more often.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from keystone_client import RetryPolicy

from .conftest import DATABASE
from .samples import team

SETTLED = 40
"""Number of records that no writer changes."""

WRITING: dict[str, Any] = {"retry": RetryPolicy(attempts=20, max_backoff=1)} if DATABASE == "sqlite" else {}
"""Options of the clients that write."""

ROUNDS = 4
PAGE = 7
ORDERS: dict[str, Any] = {
    "key": None,
    "key, down": "-id",
    "text": "title",
    "text with ties and nulls": "journal",
    "text with ties and nulls, down": "-journal",
    "date with nulls": "submitted",
    "date with nulls, down": ["-submitted", "title"],
    "two, in both directions": ["journal", "-title"],
}


def fields(bench: Any, number: int) -> dict[str, Any]:
    """Return fields of a publication; across numbers the columns have ties, nulls, capitals and accents."""
    return {
        "title": f"{['a', 'B', 'É', 'e', '_'][number % 5]} {number:03}",
        "journal": [None, "Nature", "nature", "Ärzteblatt"][number % 4],
        "submitted": None if number % 3 else f"2026-01-{number % 28 + 1:02}",
        "team": team(bench),
    }


@pytest.fixture
def settled(bench: Any) -> list[int]:
    made = bench.client.bulk_create_publication([fields(bench, number) for number in range(SETTLED)])
    return [bench.made("publication", record)["id"] for record in made]


class Writer:
    """A concurrent writer that creates and deletes records until it is stopped."""

    def __init__(self, bench: Any, act: Callable[[Any, int], None]) -> None:
        self._bench, self._act = bench, act
        self._client = bench.connect(**WRITING)
        self._client.login(bench.door.username, bench.door.password)
        self._stop = threading.Event()
        self.acts = 0

    def run(self) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            self._act(self._client, number)
            self.acts += 1

    def stop(self) -> None:
        self._stop.set()


@contextmanager
def writing(bench: Any) -> Iterator[list[Writer]]:
    """Run two writers during the block; raise their unexpected errors at its end."""

    def single(client: Any, number: int) -> None:
        made = client.create_publication(**fields(bench, number))
        client.delete_publication(made["id"])

    def jobs(client: Any, number: int) -> None:
        made = client.bulk_create_publication([fields(bench, number + place) for place in range(8)])
        client.bulk_create_publication([fields(bench, number)] * 3, dry_run=True)
        client.bulk_delete_publication([record["id"] for record in made])

    writers = [Writer(bench, single), Writer(bench, jobs)]
    with ThreadPoolExecutor(len(writers)) as threads:
        running = [threads.submit(writer.run) for writer in writers]
        try:
            yield writers
        finally:
            for writer in writers:
                writer.stop()
        for each in running:
            each.result(60)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_list_has_every_settled_record_once_and_in_order_while_others_write(
    bench: Any, settled: list[int], order: Any
) -> None:
    mine = {"team": team(bench)}
    quiet = [record["id"] for record in bench.client.retrieve_publication(filters=mine, order=order, page_size=PAGE)]
    assert sorted(quiet) == sorted(settled)

    with writing(bench) as writers:
        before = [writer.acts for writer in writers]
        for _ in range(ROUNDS):
            listed = list(bench.client.iterate_publication(filters=mine, order=order, page_size=PAGE))
            keys = [record["id"] for record in listed]
            assert len(keys) == len(set(keys))
            assert [key for key in keys if key in set(settled)] == quiet
        assert [writer.acts for writer in writers] != before
