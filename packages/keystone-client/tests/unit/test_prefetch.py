"""The next page is fetched while the caller processes the current one; leaving an iteration leaks no thread or task."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, KeystoneClient, ServerError

from .scripted import URL, Scripted, answer, page

TWO_PAGES = (page({"id": 1}, {"id": 2}, count=4, more=True), page({"id": 3}, {"id": 4}, count=2))
A_LONG_TIME = 30
"""Seconds; a test that waits this long has failed."""


class Signalling(Scripted):
    """Signals when the second page is requested."""

    def __init__(self, *script: Callable[[httpx.Request], httpx.Response]) -> None:
        super().__init__(*script)
        self.second_asked = threading.Event()

    def _reply(self, request: httpx.Request) -> httpx.Response:
        response = super()._reply(request)
        if len(self.requests) == 2:
            self.second_asked.set()
        return response


def prefetching_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("keystone-client")]


def test_the_next_page_is_fetched_while_the_caller_works() -> None:
    transport = Signalling(*TWO_PAGES)
    with KeystoneClient(URL, transport=transport) as client:
        records = client.iterate_team()
        begun = [next(records)["id"], next(records)["id"]]

        assert transport.second_asked.wait(A_LONG_TIME)
        assert [*begun, *(record["id"] for record in records)] == [1, 2, 3, 4]
    assert prefetching_threads() == []


def test_taking_only_the_first_record_does_not_wait_for_the_second_page() -> None:
    transport = Signalling(*TWO_PAGES)
    with KeystoneClient(URL, transport=transport) as client:
        records = client.iterate_team()
        next(records)
        records.close()

    assert len(transport.requests) == 1


def test_without_prefetch_a_page_is_fetched_when_it_is_needed() -> None:
    transport = Signalling(*TWO_PAGES)
    with KeystoneClient(URL, transport=transport) as client:
        records = client.iterate_team(prefetch=False)
        next(records), next(records)

        assert len(transport.requests) == 1
        assert [record["id"] for record in records] == [3, 4]


def test_leaving_an_iteration_ends_a_retry_wait_of_its_prefetch() -> None:
    busy = answer(429, {"detail": "later"}, retry_after="100")
    transport = Signalling(TWO_PAGES[0], busy)
    with KeystoneClient(URL, transport=transport) as client:
        records = client.iterate_team()
        next(records), next(records)
        assert transport.second_asked.wait(A_LONG_TIME)

        records.close()  # would take 100 s

    assert prefetching_threads() == []
    assert len(transport.requests) == 2


def test_a_prefetch_error_is_raised_after_the_records_already_fetched() -> None:
    transport = Signalling(TWO_PAGES[0], answer(500, b"<html>"))
    seen: list[int] = []
    with KeystoneClient(URL, transport=transport) as client:
        records = client.iterate_team()
        with pytest.raises(ServerError):
            seen.extend(record["id"] for record in records)

    assert seen == [1, 2]


def test_on_asyncio_the_next_page_is_fetched_while_the_caller_works() -> None:
    transport = Signalling(*TWO_PAGES)

    async def work() -> list[int]:
        async with AsyncKeystoneClient(URL, transport=transport) as client:
            seen: list[int] = []
            async for record in client.iterate_team():
                seen.append(record["id"])
                while len(seen) == 2 and not transport.second_asked.is_set():
                    await anyio.lowlevel.checkpoint()
            return seen

    assert asyncio.run(asyncio.wait_for(work(), A_LONG_TIME)) == [1, 2, 3, 4]


def test_leaving_an_async_iteration_leaves_no_task_behind() -> None:
    transport = Signalling(TWO_PAGES[0], answer(429, {"detail": "later"}, retry_after="100"))

    async def work() -> int:
        async with AsyncKeystoneClient(URL, transport=transport) as client:
            before = len(asyncio.all_tasks())
            records = client.iterate_team()
            await anext(records)
            await anext(records)
            while not transport.second_asked.is_set():
                await anyio.lowlevel.checkpoint()
            await records.aclose()
            return len(asyncio.all_tasks()) - before

    assert asyncio.run(asyncio.wait_for(work(), A_LONG_TIME)) == 0


def test_on_trio_an_iteration_is_complete_without_prefetch() -> None:
    transport = Signalling(*TWO_PAGES)

    async def work() -> list[int]:
        async with AsyncKeystoneClient(URL, transport=transport) as client:
            return [record["id"] async for record in client.iterate_team()]

    assert anyio.run(work, backend="trio") == [1, 2, 3, 4]


def test_where_no_thread_can_be_started_an_iteration_is_complete_without_prefetch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")  # the words of Python when there are too many, or at its end

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with KeystoneClient(URL, transport=Scripted(*TWO_PAGES)) as client:
        assert [record["id"] for record in client.iterate_team()] == [1, 2, 3, 4]


# `pytest.raises` and `asyncio.run` would keep the error in a frame that is in its traceback.
def failed(transport: Scripted) -> weakref.ref[ServerError] | None:
    with KeystoneClient(URL, transport=transport) as client:
        try:
            for _ in client.iterate_team():
                pass
        except ServerError as error:
            return weakref.ref(error)
    return None


async def failed_async(transport: Scripted) -> weakref.ref[ServerError] | None:
    async with AsyncKeystoneClient(URL, transport=transport) as client:
        try:
            async for _ in client.iterate_team():
                await asyncio.sleep(0)
        except ServerError as error:
            return weakref.ref(error)
    return None


def test_a_failure_of_the_prefetch_is_not_kept_alive_by_the_iteration(colour: str) -> None:
    transport = Scripted(TWO_PAGES[0], answer(500, {"detail": "broken"}))
    gc.disable()
    try:
        error = failed(transport) if colour == "sync" else asyncio.run(failed_async(transport))
        assert error is not None
        assert error() is None
    finally:
        gc.enable()
