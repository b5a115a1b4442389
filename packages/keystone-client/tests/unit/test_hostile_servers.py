"""Servers that send extra or malformed answers: the client raises a documented error or is unaffected."""

import contextlib
import io
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    BulkError,
    DecodeError,
    KeystoneClient,
    KeystoneError,
    PaginationError,
    RetryPolicy,
)

from .scripted import Player, Scripted, answer, connect
from .sockets import serving

MINE, EVIL = ({"id": number, "name": name} for number, name in ((1, "mine"), (2, "evil")))


def raw(body: object, status: str = "200 OK") -> bytes:
    content = json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def read(connection: socket.socket) -> bool:
    """Read one request without a body; return false at the end of the connection."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        more = connection.recv(65536)
        if not more:
            return False
        request += more
    return True


@contextlib.contextmanager
def answering(first: bytes, later: bytes) -> Iterator[str]:
    """A server that answers the first request with ``first`` and all others with ``later``."""
    answers = [first]

    def act(connection: socket.socket) -> None:
        while read(connection):
            connection.sendall(answers.pop() if answers else later)

    with serving(act) as port:
        yield f"http://127.0.0.1:{port}"


SMUGGLED = {
    "a second answer": raw(MINE) + raw(EVIL),
    "one behind an early hint": raw(MINE) + b"HTTP/1.1 103 Early Hints\r\n\r\n" + raw(EVIL),
    "the body of an answer without one": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 30\r\n\r\n" + raw(EVIL),
    "more than the length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" + raw(EVIL),
    "a second packed in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    + raw(EVIL),
}
POLICIES = [None, RetryPolicy(1, deadline=60)]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("first", SMUGGLED.values(), ids=SMUGGLED)
def test_what_follows_an_answer_is_never_the_answer_to_the_next_call(first: bytes, policy: RetryPolicy | None) -> None:
    with answering(first, raw(MINE)) as url, KeystoneClient(url, retry=policy) as client:
        client.http_get("version")
        assert client.retrieve_cluster(1) == MINE


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("first", SMUGGLED.values(), ids=SMUGGLED)
def test_what_follows_an_answer_is_never_the_answer_to_the_next_async_call(
    first: bytes, policy: RetryPolicy | None, backend: str
) -> None:
    async def test() -> None:
        async with AsyncKeystoneClient(url, retry=policy) as client:
            await client.http_get("version")
            assert await client.retrieve_cluster(1) == MINE

    with answering(first, raw(MINE)) as url:
        anyio.run(test, backend=backend)


def batch_of(client: Player, act: Callable[[Any], object]) -> Any:
    """Return the results of a job with one action."""

    async def run() -> Any:
        async with client.client.batch() as job:
            act(job)
        return job.results

    if isinstance(client.client, AsyncKeystoneClient):
        return anyio.run(run)
    with client.client.batch() as job:
        act(job)
    return job.results


def upload(client: Player) -> Any:
    with contextlib.suppress(KeystoneError):
        client.retrieve_config()
    return client.create_attachment(request=1, file=b"x", filename="a.txt")


OPERATIONS: dict[str, Callable[[Player], Any]] = {
    "login": lambda client: client.login("ada", "s3cret"),
    "whoami": lambda client: client.whoami(),
    "read": lambda client: client.retrieve_cluster(1),
    "list": lambda client: client.retrieve_cluster(),
    "downwards": lambda client: client.retrieve_cluster(order="-id"),
    "ordered": lambda client: client.retrieve_cluster(order="name", page_size=2),
    "log": lambda client: client.retrieve_request_log(),
    "feed": lambda client: client.retrieve_feed_entry(),
    "ordered feed": lambda client: client.retrieve_feed_entry(
        order="-timestamp", filters={"timestamp__lte": "2025-01-01"}
    ),
    "count": lambda client: client.count_cluster(),
    "create": lambda client: client.create_cluster(name="x"),
    "delete": lambda client: client.delete_cluster(1),
    "bulk create": lambda client: client.bulk_create_cluster([{"name": "x"}]),
    "bulk delete": lambda client: client.bulk_delete_cluster([1, 2]),
    "batch": lambda client: batch_of(client, lambda job: job.create_cluster(name="x")),
    "upload": upload,
    "download": lambda client: client.download_attachment(1, io.BytesIO()),
    "health": lambda client: client.retrieve_health(),
    "version": lambda client: client.retrieve_version(),
    "statistics": lambda client: client.retrieve_grant_stats(),
}
PAGES: list[Any] = [
    [{"id": 1}, {"id": 1}],
    [{"id": "x"}],
    [{"id": [1]}],
    [{"id": {}}],
    [{"id": None}],
    [{"id": float("nan")}],
    [{"id": 1, "record_id": 1, "timestamp": 5}],
    [{"id": "\ud800"}],
    [{"id": "x" * 70_000, "timestamp": "x" * 70_000}],
    [{"id": 1, "record_id": 1, "timestamp": "9999-12-31T23:59:59.999999+00:00"}],
    [{"id": n, "record_id": n, "timestamp": t} for n, t in ((1, "2024-01-01"), (2, "2024-01-01T00:00:00Z"))],
    [],
    [1],
]
SHAPES: list[Any] = [None, True, 5, "x", [], [1], {}, {"id": None}, {"id": [1]}, {"data": 5}, {"detail": 5}]
SHAPES += [{"count": 5, "next": following, "results": records} for following in (None, "x") for records in PAGES]
SHAPES += [{"results": [step]} for step in (1, None, "body", ["body"], {}, {"body": 5})]
SHAPES += [{"step": step, "status": status} for step in ("2", 0, 999, 1.5, None, [1]) for status in (404, 429, "404")]
SHAPES += [{"max_upload_size": size, "allowed_file_types": 5} for size in ("x", 1.5, -1, True)]
SHAPES += [{"max_upload_size": 5, "allowed_file_types": [{}], "id": 1, "file": {}}]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_answer_of_any_shape_is_accepted_or_a_documented_error(colour: str, name: str) -> None:
    for shape in SHAPES:
        for status in (200, 422) if colour == "sync" else (200,):
            client = connect(colour, Scripted(answer(status, shape)), retry=RetryPolicy(2))
            try:
                OPERATIONS[name](client)
            except BulkError as error:
                assert isinstance(error.__cause__, KeystoneError), shape  # noqa: PT017 - only some cases raise
            except KeystoneError as error:
                assert str(error).isprintable(), shape  # noqa: PT017 - only some cases raise


@pytest.mark.parametrize("results", [[1, 2], [None, None], ["body", "body"], [{}, {}], [{"body": {"id": 1}}]])
def test_records_of_a_job_with_a_malformed_answer_are_not_reported_as_unwritten(
    colour: str, results: list[Any]
) -> None:
    client = connect(colour, Scripted(answer(200, {"results": results})))
    with pytest.raises(BulkError) as caught:
        client.bulk_create_cluster([{"name": "x"}, {"name": "y"}])
    assert [record["name"] for record in caught.value.unknown] == ["x", "y"]
    assert isinstance(caught.value.__cause__, DecodeError)


@pytest.mark.parametrize("step", [None, 0, 3, "1", 1.5])
def test_no_key_is_treated_as_missing_unless_the_server_says_which(colour: str, step: object) -> None:
    wire = Scripted(answer(422, {"step": step, "status": 404, "body": {"detail": "Not found."}}))
    with pytest.raises(BulkError) as caught:
        connect(colour, wire).bulk_delete_cluster([1, 2])
    assert caught.value.completed == []
    assert len(wire.requests) == 1


def test_an_impossible_step_is_not_retried_forever(colour: str) -> None:
    client = connect(colour, Scripted(answer(422, {"step": 2, "status": 429})), retry=RetryPolicy(3))
    with pytest.raises(BulkError):
        client.bulk_create_cluster([{"name": "x"}])
    assert len(client.pauses) < 5


def test_server_text_cannot_inject_terminal_escapes_or_log_lines(colour: str) -> None:
    detail = "No.\r\n2030-01-01 INFO all is well \x1b[2J\ud800" + "x" * 100_000
    with pytest.raises(KeystoneError) as caught:
        connect(colour, Scripted(answer(400, {"detail": detail}))).create_cluster(name="x")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 5_000
    assert caught.value.detail == detail  # type: ignore[attr-defined]  # it is a ValidationError


@pytest.mark.parametrize("charset", ["zlib", "bz2", "hex", "rot13", "idna", "undefined", "utf-16", "nothing"])
def test_the_version_is_decoded_whatever_charset_the_answer_declares(colour: str, charset: str) -> None:
    reply = answer(200, b"1.2.3\n", content_type=f"text/plain; charset={charset}")
    assert connect(colour, Scripted(reply)).retrieve_version() == "1.2.3"


def test_invalid_keys_in_a_page_raise(colour: str) -> None:
    for key in ([1], {"a": 1}, None, 1.5):
        reply = answer(200, {"count": 3, "next": "x", "results": [{"id": key}, {"id": key}]})
        with pytest.raises((DecodeError, PaginationError)):
            connect(colour, Scripted(reply)).retrieve_cluster(order="name")
