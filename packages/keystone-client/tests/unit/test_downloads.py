"""Downloads are complete or leave no file, send no credentials, and say when the server does not serve media."""

import io
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from keystone_client import AuthenticationError, DecodeError, FieldError, NotFoundError, StatusError, TransportError
from keystone_client_testing import FakeKeystone

from .scripted import Scripted, answer, connect, cookies, failure

RECORD = {"id": 7, "file": "allocations/plan 1.txt", "name": "plan 1.txt"}
BODY = bytes(range(256)) * 1000


def served(body: bytes = BODY, **headers: str) -> Any:
    return answer(200, body, **{"content_type": "text/plain", **headers})


def test_a_file_is_downloaded_to_a_path(colour: str, tmp_path: Any) -> None:
    seen: list[tuple[int, int]] = []
    transport = Scripted(answer(200, RECORD), served())

    record = connect(colour, transport, token="s3cret").download_attachment(
        7, tmp_path / "plan.txt", on_progress=lambda *so_far: seen.append(so_far)
    )

    assert record == RECORD
    assert (tmp_path / "plan.txt").read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["plan.txt"]
    assert seen[-1] == (len(BODY), len(BODY))
    sent = transport.requests[1]
    assert sent.url.raw_path == b"/media/allocations/plan%201.txt"
    assert not {"authorization", "cookie", "x-csrftoken"} & set(sent.headers)


class Breaking(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that breaks off."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"x" * 2 * len(BODY)
        raise httpx.ReadError("it broke")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


def test_a_second_try_replaces_what_the_first_has_written(colour: str) -> None:
    target = io.BytesIO()
    broken = httpx.Response(200, stream=Breaking(), headers={"content-type": "text/plain"})
    wire = Scripted(answer(200, RECORD), lambda request: broken, served())

    connect(colour, wire).download_attachment(7, target)

    assert target.getvalue() == BODY
    assert len(wire.requests) == 3


def test_a_401_for_the_file_does_not_end_the_session(colour: str) -> None:
    """The front end that serves the files does not know the session: a login would not help."""
    wire = Scripted(
        cookies("sessionid=a; Path=/"), answer(200, RECORD), answer(401, {"detail": "No."}), answer(200, {"id": 1})
    )
    client = connect(colour, wire)
    client.login(provider=lambda: ("ada", "pw"))

    with pytest.raises(AuthenticationError):
        client.download_attachment(7, io.BytesIO())

    assert len(wire.requests) == 3
    assert client.is_authenticated()


def test_a_downloaded_file_has_the_mode_of_the_file_it_replaces_or_that_of_any_new_file(
    colour: str, tmp_path: Any
) -> None:
    new, old, link = tmp_path / "new", tmp_path / "old", tmp_path / "link"
    old.touch()
    old.chmod(0o664)
    link.symlink_to(old)
    other = tmp_path / "other"
    other.touch()

    client = connect(colour, Scripted(answer(200, RECORD), served(), answer(200, RECORD), served()))
    client.download_attachment(7, new)
    client.download_attachment(7, link)

    assert new.stat().st_mode == other.stat().st_mode
    assert link.is_symlink()
    assert (old.read_bytes(), old.stat().st_mode & 0o777) == (BODY, 0o664)


def test_a_file_is_downloaded_to_a_file_object(colour: str) -> None:
    target = io.BytesIO(b"before ")
    target.seek(7)

    connect(colour, Scripted(answer(200, RECORD), served())).download_attachment(7, target)

    assert target.getvalue() == b"before " + BODY


@pytest.mark.parametrize(
    "file",
    [
        None,
        5,
        {},
        "",
        "..",
        "../authentication/whoami",
        "a/../../b",
        "%2e%2e/a",
        "//elsewhere.test/a",
        "a//b",
        "a\\b",
        "a\r\nX: y",
        "a\0",
        "\ud800",
        "a" * 70_000,
    ],
)
def test_a_file_url_on_another_host_is_not_followed(colour: str, file: object, tmp_path: Any) -> None:
    transport = Scripted(answer(200, {"id": 7, "file": file}))
    with pytest.raises(DecodeError, match="media/"):
        connect(colour, transport).download_attachment(7, tmp_path / "plan.txt")
    assert len(transport.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["https://elsewhere.test/a?b#c", "a?x=1#y", "é ü.pdf"])
def test_a_file_is_requested_below_media_whatever_its_name(colour: str, file: str) -> None:
    transport = Scripted(answer(200, {"id": 7, "file": file.replace("//", "/")}), served())
    connect(colour, transport).download_attachment(7, io.BytesIO())
    sent = transport.requests[1].url
    assert (sent.host, sent.query, sent.fragment) == ("keystone.test", b"", "")
    assert sent.path.removeprefix("/media/") == file.replace("//", "/")


def test_a_device_or_a_pipe_is_not_replaced_by_a_file(colour: str, tmp_path: Any) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    transport = Scripted()
    for target in (pipe, os.devnull):
        with pytest.raises(FieldError, match="open it"):
            connect(colour, transport).download_attachment(7, target)
    assert pipe.is_fifo()
    assert transport.requests == []


@pytest.mark.parametrize("target", ["a\0b", io.StringIO()])
def test_a_target_that_cannot_take_bytes_is_refused_before_anything_is_sent(colour: str, target: Any) -> None:
    transport = Scripted()
    with pytest.raises(FieldError):
        connect(colour, transport).download_attachment(7, target)
    assert transport.requests == []


def test_the_name_of_the_target_may_be_as_long_as_a_name_can_be(colour: str, tmp_path: Any) -> None:
    target = tmp_path / ("x" * 251 + ".txt")
    connect(colour, Scripted(answer(200, RECORD), served())).download_attachment(7, target)
    assert target.read_bytes() == BODY


def test_a_full_disk_keeps_the_existing_file(colour: str, tmp_path: Any) -> None:
    def full(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "plan.txt"
    target.write_bytes(b"before")
    with pytest.raises(OSError, match="space"):
        connect(colour, Scripted(answer(200, RECORD), served())).download_attachment(7, target, on_progress=full)
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["plan.txt"]


def test_an_interrupted_try_leaves_no_partial_data(colour: str, tmp_path: Any) -> None:
    transport = Scripted(answer(200, RECORD), failure(httpx.ReadError), served())

    connect(colour, transport).download_attachment(7, tmp_path / "plan.txt")

    assert (tmp_path / "plan.txt").read_bytes() == BODY


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer(404, b"<html>no</html>", content_type="text/html"), NotFoundError),
        (answer(200, b"<html>an app</html>", content_type="text/html"), StatusError),
        (failure(httpx.ReadError), TransportError),
    ],
)
def test_a_failed_download_keeps_the_existing_file(
    colour: str, tmp_path: Any, reply: Any, error: type[Exception]
) -> None:
    target = tmp_path / "plan.txt"
    target.write_text("the old one")

    with pytest.raises(error):
        connect(colour, Scripted(answer(200, RECORD), reply), retry=None).download_attachment(7, target)

    assert target.read_text() == "the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["plan.txt"]


def test_the_error_explains_when_the_server_does_not_serve_media_files(tmp_path: Any) -> None:
    fake = FakeKeystone()
    pk = fake.add.attachment()["id"]

    with fake.client() as client, pytest.raises(NotFoundError, match="publish media/"):
        client.download_attachment(pk, tmp_path / "plan.txt")


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_redirect_to_another_host_is_reported_and_not_followed(colour: str, tmp_path: Any) -> None:
    elsewhere = answer(302, b"", location="https://storage.example/plan.txt?signature=s3cret")
    transport = Scripted(answer(200, RECORD), elsewhere)

    with pytest.raises(StatusError, match="redirected to https://storage\\.example/plan\\.txt") as caught:
        connect(colour, transport).download_attachment(7, tmp_path / "plan.txt")

    assert "s3cret" not in str(caught.value)
    assert len(transport.requests) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_refused_before_anything_is_sent(colour: str, tmp_path: Any) -> None:
    transport = Scripted()

    with pytest.raises(FieldError, match="is a folder"):
        connect(colour, transport).download_attachment(7, tmp_path)
    with pytest.raises(FieldError, match="there is no folder"):
        connect(colour, transport).download_attachment(7, tmp_path / "nowhere" / "plan.txt")

    assert transport.requests == []


def test_an_invalid_target_is_refused(colour: str) -> None:
    transport = Scripted()

    with pytest.raises(FieldError, match="give a path"):
        connect(colour, transport).download_attachment(7, None)

    assert transport.requests == []
