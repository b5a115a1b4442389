"""A bulk operation that is interrupted, cancelled or fails reports each record as written, unknown or not written."""

import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from keystone_client import AsyncKeystoneClient, BulkError, FieldError, JobError, StatusError

from .scripted import URL, Scripted, answer, connect, failure

Account = tuple[list[Any], list[Any], list[Any], list[Any]]


def rows(number: int) -> list[dict[str, Any]]:
    return [{"name": f"C{place}"} for place in range(number)]


def done(request: httpx.Request) -> httpx.Response:
    """Return the answer to a job whose actions all create records."""
    steps = [{"body": {"id": 1, **action["payload"]}} for action in json.loads(request.content)["job"]["actions"]]
    return answer(200, {"results": steps})(request)


def stopped_by(error: BaseException) -> Callable[[httpx.Request], httpx.Response]:
    def stop(request: httpx.Request) -> httpx.Response:
        raise error

    return stop


def names(error: BaseException | None) -> Account:
    """Return the names of the records in each of the four groups."""
    assert isinstance(error, BulkError)
    groups = (error.completed, error.failed, error.unknown, error.pending)
    return tuple([record["name"] for record in group] for group in groups)  # type: ignore[return-value]


def test_an_exception_in_the_progress_callback_carries_the_account(colour: str) -> None:
    def progress(so_far: int, total: int) -> None:
        if so_far == 4:
            raise ZeroDivisionError("the time that is left")

    with pytest.raises(BulkError, match="2 pending: ZeroDivisionError: the time that is left") as caught:
        connect(colour, Scripted(done)).bulk_create_cluster(rows(6), chunk_size=2, on_progress=progress)

    assert names(caught.value) == (["C0", "C1", "C2", "C3"], [], [], ["C4", "C5"])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.position is None


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_keeps_its_type_and_carries_the_account(colour: str, kind: type[BaseException]) -> None:
    stop = kind()

    with pytest.raises(kind) as caught:
        connect(colour, Scripted(done, stopped_by(stop))).bulk_create_cluster(rows(6), chunk_size=2)

    assert caught.value is stop
    assert names(stop.__cause__) == (["C0", "C1"], [], ["C2", "C3"], ["C4", "C5"])
    assert names(pickle.loads(pickle.dumps(stop.__cause__))) == names(stop.__cause__)


def test_an_interrupt_during_progress_leaves_nothing_unknown(colour: str) -> None:
    def progress(so_far: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        connect(colour, Scripted(done)).bulk_create_cluster(rows(4), chunk_size=2, on_progress=progress)

    assert names(caught.value.__cause__) == (["C0", "C1"], [], [], ["C2", "C3"])


@pytest.mark.parametrize("refusal", ["throttled", "not connected"])
def test_an_interrupt_while_waiting_leaves_nothing_unknown(colour: str, refusal: str) -> None:
    throttled = {"detail": "Step #1 failed", "step": 1, "status": 429, "body": {"detail": "Request was throttled."}}
    reply = answer(422, throttled) if refusal == "throttled" else failure(httpx.ConnectError)
    client = connect(colour, Scripted(done, reply))

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    async def interrupted_async(seconds: float) -> None:
        raise KeyboardInterrupt

    client.client._driver.sleep = interrupted if colour == "sync" else interrupted_async

    with pytest.raises(KeyboardInterrupt) as caught:
        client.bulk_create_cluster(rows(6), chunk_size=2)

    assert names(caught.value.__cause__) == (["C0", "C1"], [], [], ["C2", "C3", "C4", "C5"])


class Hanging(httpx.AsyncBaseTransport):
    """Answers one job; cancels the task that sends the second."""

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.jobs = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.jobs += 1
        if self.jobs > 1:
            self.scope.cancel()
            await anyio.sleep_forever()
        return done(request)


def test_a_cancellation_keeps_its_type_and_carries_the_account(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    accounts: list[Account] = []

    async def run() -> None:
        transport = Hanging()
        client = AsyncKeystoneClient(URL, transport=transport)
        with transport.scope:
            try:
                await client.bulk_create_cluster(rows(6), chunk_size=2)  # type: ignore[arg-type]
            except anyio.get_cancelled_exc_class() as error:
                accounts.append(names(error.__cause__))
                raise
        assert transport.scope.cancelled_caught

    anyio.run(run, backend=backend)

    assert accounts == [(["C0", "C1"], [], ["C2", "C3"], ["C4", "C5"])]
    (line,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "2 completed, 0 failed, 2 unknown, 2 pending" in line.getMessage()


def test_an_unexpected_exception_carries_the_account(colour: str) -> None:
    with pytest.raises(BulkError, match="RuntimeError: the transport broke") as caught:
        connect(colour, Scripted(done, stopped_by(RuntimeError("the transport broke")))).bulk_create_cluster(
            rows(5), chunk_size=2
        )

    assert names(caught.value) == (["C0", "C1"], [], ["C2", "C3"], ["C4"])


def test_dropped_fields_are_reported_with_all_records(colour: str) -> None:
    transport = Scripted(answer(200, {"results": [{"body": {"id": 7, "is_staff": False}}]}))

    with pytest.raises(FieldError, match="is_staff") as caught:
        connect(colour, transport).bulk_update_user({7: {"is_staff": True}})

    account = caught.value.__cause__
    assert isinstance(account, BulkError)
    assert account.completed == [{"id": 7, "is_staff": False}]


def test_a_lost_answer_to_a_dry_run_leaves_nothing_unknown(colour: str) -> None:
    with pytest.raises(BulkError) as caught:
        connect(colour, Scripted(done, failure(httpx.ReadError))).bulk_create_cluster(
            rows(6), chunk_size=2, dry_run=True
        )

    assert names(caught.value) == ([], [], [], [f"C{place}" for place in range(6)])


async def waited_for(so_far: int, total: int) -> None:
    """Do nothing: a coroutine function is not a valid progress callback."""


@pytest.mark.parametrize("progress", [waited_for, "a bar", 5])
def test_an_invalid_progress_callback_is_refused_before_anything_is_sent(colour: str, progress: Any) -> None:
    transport = Scripted(done)

    with pytest.raises(FieldError, match="on_progress") as caught:
        connect(colour, transport).bulk_create_cluster(rows(2), on_progress=progress)

    assert caught.value.field == "on_progress"
    assert transport.requests == []


@pytest.mark.parametrize("progress", [waited_for, "a bar"])
def test_progress_callbacks_of_listings_and_files_are_checked_too(colour: str, progress: Any) -> None:
    transport = Scripted(done)
    client = connect(colour, transport)

    refused: list[Callable[[], object]] = [
        lambda: client.retrieve_cluster(on_progress=progress),
        lambda: client.iterate_cluster(on_progress=progress),
        lambda: client.create_attachment(request=1, file=b"x", filename="x.txt", on_progress=progress),
        lambda: client.download_attachment(1, "x.txt", on_progress=progress),
    ]
    for call in refused:
        with pytest.raises(FieldError, match="on_progress"):
            call()

    assert transport.requests == []


def test_a_chunk_that_a_proxy_refuses_as_too_large_is_halved(colour: str) -> None:
    def narrow(request: httpx.Request) -> httpx.Response:
        if len(json.loads(request.content)["job"]["actions"]) > 3:
            return answer(413, b"<html>Request Entity Too Large</html>", content_type="text/html")(request)
        return done(request)

    transport = Scripted(narrow)
    made = connect(colour, transport).bulk_create_cluster(rows(20), chunk_size=10)

    assert [record["name"] for record in made] == [f"C{place}" for place in range(20)]
    assert len(transport.requests) == 12  # one of 10, one of 5, and ten of 2


@pytest.mark.parametrize(("status", "position"), [(401, None), (403, None), (413, 0)])
def test_a_record_is_blamed_only_for_errors_in_its_data(colour: str, status: int, position: int | None) -> None:
    with pytest.raises(BulkError) as caught:
        connect(colour, Scripted(answer(status))).bulk_create_cluster(rows(1))

    assert caught.value.failed == rows(1)
    assert caught.value.position == position
    assert isinstance(caught.value.__cause__, StatusError)


def test_a_delete_of_only_missing_keys_reports_progress(colour: str) -> None:
    gone = {"detail": "Step #1 failed", "step": 1, "status": 404, "body": {"detail": "No Cluster matches."}}
    nobody: dict[str, object] = {"count": 0, "next": None, "previous": None, "results": []}
    missing = answer(404, {"detail": "No Cluster matches the given query."})
    seen: list[tuple[int, int]] = []

    wire = Scripted(answer(422, gone), answer(200, nobody), missing)
    connect(colour, wire).bulk_delete_cluster([1, 2], on_progress=lambda *so_far: seen.append(so_far))

    assert seen == [(2, 2)]
    assert wire.requests[-1].url.path == "/allocations/clusters/2/"


def test_a_rolled_back_delete_is_reported_as_unwritten_when_listing_its_keys_fails(colour: str) -> None:
    gone = {"detail": "Step #1 failed", "step": 1, "status": 404, "body": {"detail": "No Cluster matches."}}

    with pytest.raises(BulkError) as caught:
        connect(colour, Scripted(answer(422, gone), failure(httpx.ReadError))).bulk_delete_cluster([1, 2])

    assert caught.value.unknown == []
    assert not isinstance(caught.value.__cause__, JobError)
    assert sorted(caught.value.failed + caught.value.pending) == [1, 2]
