"""Answers that are given up, or writes that are cancelled, leave no generator open: trio warns of each."""

import gc
import gzip
import warnings
from functools import partial
from typing import Any

import anyio
import pytest
from keystone_client import (
    AsyncKeystoneClient,
    DecodeError,
    KeystoneError,
    ResponseTooLargeError,
)

from .sockets import Doorkeeper


@pytest.mark.parametrize("body", [{"json": {}}, {"files": {"file": ("a.txt", b"x" * 5_000_000)}}], ids=["JSON", "file"])
def test_on_trio_a_cancelled_write_leaves_no_generator_open(body: dict[str, Any]) -> None:
    """Trio warns when an open async generator is collected."""

    async def test() -> None:
        async with AsyncKeystoneClient(server.url) as client:
            for turns in range(12):
                async with anyio.create_task_group() as group:
                    group.start_soon(partial(client.http_post, "x", **body))
                    for _ in range(turns):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
                gc.collect()

    with Doorkeeper() as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        anyio.run(test, backend="trio")
    assert [str(warning.message) for warning in caught] == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n"


GIVEN_UP = {
    "too large": (HEAD + b"\r\n" + b"x" * 200_000, ResponseTooLargeError),
    "badly packed": (HEAD + b"Content-Encoding: gzip\r\n\r\n" + b"x" * 200_000, DecodeError),
}


@pytest.mark.parametrize(("beginning", "error"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_an_abandoned_answer_leaves_no_generator_open(
    backend: str, beginning: bytes, error: type[KeystoneError]
) -> None:
    """The error is raised at once, though the answer never ends. Trio's warning of open generators fails the test."""

    async def test() -> None:
        async with AsyncKeystoneClient(server.url, max_response_size=100_000, retry=None) as client:
            async with anyio.create_task_group() as group:

                async def call() -> None:
                    with pytest.raises(error):
                        await client.http_get("x")

                group.start_soon(call)
                connection = await anyio.to_thread.run_sync(server.take)
                connection.setblocking(False)
                connection.send(beginning)
            gc.collect()

    with Doorkeeper() as server:
        anyio.run(test, backend=backend)


WHOLE = {
    "once": (b"gzip", b"garbage" * 99),
    "once, in many pieces": (b"gzip", b"garbage" * 99_999),
    "cut": (b"gzip", gzip.compress(b"garbage" * 99)[:-9]),
    "twice": (b"gzip, gzip", b"garbage" * 99),
    "twice, the inner": (b"gzip, gzip", gzip.compress(b"garbage" * 99)),
}


@pytest.mark.parametrize(("packing", "content"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("most", [1_000_000, None])
def test_a_complete_answer_with_invalid_compression_raises_and_leaves_no_generator_open(
    backend: str, packing: bytes, content: bytes, most: int | None
) -> None:
    """A doubly compressed answer is decoded by httpx, which must have read all of it before it raises."""

    async def test() -> None:
        async with AsyncKeystoneClient(server.url, max_response_size=most, retry=None) as client:
            async with anyio.create_task_group() as group:

                async def call() -> None:
                    with pytest.raises(DecodeError, match=r"unpacked|not asked for"):
                        await client.http_get("x")

                group.start_soon(call)
                connection = await anyio.to_thread.run_sync(server.take)
                connection.sendall(head + content)
            gc.collect()

    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (packing, len(content))
    with Doorkeeper() as server:
        anyio.run(test, backend=backend)
