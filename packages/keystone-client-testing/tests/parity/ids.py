"""Keeps the ids of both servers alike, so that no id has to be translated.

PostgreSQL loses the ids of what a transaction undoes, and the fake loses the same ones. Where it does not, its ids
would differ for the rest of a run, and so would every later answer. So each new id is compared; on a drift the fake
goes back to before the request, continues where the live server does, and answers again. A drift is counted, no more.

A table of live and fake ids was rejected: ids stand in paths, payloads, filters, and in texts that only the server
understands (the changes of an audit row, ``Invalid pk "5"``, what a reference in a job was replaced by).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from keystone_client_testing._server import routes

NEWEST = (("_order", "-id"), ("_limit", "1"))
"""The query for the last id of a log: no answer to a write shows an id of the request log."""


class Ids:
    """Compares the new ids in the answers of a run."""

    def __init__(self) -> None:
        self.compared = 0
        self.drifts: list[str] = []

    def shifts(
        self, asked: object, last: Mapping[str, int], live: httpx.Response, fake: httpx.Response
    ) -> dict[str, int]:
        """Return by how much the fake's ids are behind, for each table where they are not the live server's.

        Args:
            asked: the request, for the message.
            last: the last id of each table on the fake before the request.
            live: the live server's answer.
            fake: the fake's.

        Returns:
            What to add to the last ids of the fake; empty where all new ids are alike.
        """
        there, here = list(_ids(live)), list(_ids(fake))
        if [table for table, _ in there] != [table for table, _ in here]:
            return {}
        found: dict[str, int] = {}
        for (table, expected), (_, given) in zip(there, here, strict=True):
            if given >= last[table]:
                found.setdefault(table, expected - given)
        self.compared += len(found)
        drifted = {table: shift for table, shift in found.items() if shift}
        self.drifts += [f"{table}, live ahead by {shift}: {asked}" for table, shift in drifted.items()]
        return drifted


def _ids(answer: httpx.Response) -> Iterator[tuple[str, int]]:
    for path, body in _bodies(answer):
        match = routes.find(path)
        if match is None or not match.route.resource or not isinstance(body, dict):
            continue
        if isinstance(body.get("id"), int):
            yield match.route.resource, body["id"]
        yield from (("audit_log", row["id"]) for row in body.get("_history", ()))


def _bodies(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Return the records of an answer, each with the path it would have: of a job, and of the newest row of a log."""
    if not answer.is_success or "json" not in answer.headers.get("content-type", "") or not answer.content:
        return
    url, body = answer.request.url, answer.json()
    if url.path == "/batch/":
        yield from ((result["path"], result["body"]) for result in body["results"])
    elif tuple(url.params.multi_items()) == NEWEST:
        yield from ((f"{url.path}{row['id']}/", row) for row in body["results"])
    else:
        yield url.path, body
