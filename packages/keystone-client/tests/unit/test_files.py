"""File objects of every kind: what ``read()`` returns is sent with its length, or refused before anything is sent."""

import base64
import bz2
import codecs
import contextlib
import gzip
import io
import json
import lzma
import os
import tarfile
import tempfile
import urllib.parse
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import AsyncKeystoneClient, FieldError, KeystoneClient, KeystoneError
from keystone_client_testing import FakeKeystone

from .scripted import Scripted, answer, connect

TEXT = b"line of a plan\n" * 100
STEP = {"ref": "", "status": 201, "body": {"id": 1}}
LARGE = b"0123456789abcdef" * 150_000


class Bare:
    """A file object that has only ``read()``."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = list(chunks)

    def read(self, size: int = -1) -> Any:
        chunk = self._chunks.pop(0) if self._chunks else b""
        if isinstance(chunk, Exception):
            raise chunk
        return chunk


class Backwards(Bare):
    """A file whose ``seek()`` raises an unusual error, as a streamed tar archive does."""

    def seek(self, *_: int) -> int:
        raise tarfile.StreamError("seeking backwards is not allowed")


class Shared:
    """A file that is shared and stays open."""

    def __init__(self, file: Any) -> None:
        self.read, self.seek = file.read, file.seek


class Coroutine:
    """A file object of an async library: ``read()`` is a coroutine."""

    async def read(self, size: int = -1) -> bytes:
        return b""


def closed(path: Path) -> Any:
    with path.open("rb") as file:
        return file


def at_its_end(path: Path) -> Any:
    file = io.BytesIO()
    file.write(path.read_bytes())
    return file


def member_of_zip(path: Path) -> Any:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "plan.txt")
    return zipfile.ZipFile(path.with_suffix(".zip")).open("plan.txt")


def member_of_tar(path: Path) -> Any:
    with tarfile.open(path.with_suffix(".tgz"), "w:gz") as archive:
        archive.add(path, "plan.txt")
    archive = tarfile.open(path.with_suffix(".tgz"), "r:gz")  # noqa: SIM115 - the test closes the member
    return archive.extractfile("plan.txt")


def packed(module: Any, path: Path) -> Any:
    with module.open(f"{path}.packed", "wb") as file:
        file.write(path.read_bytes())
    return module.open(f"{path}.packed", "rb")


def spooled(mode: str, path: Path) -> Any:
    file: Any = tempfile.SpooledTemporaryFile(mode=mode)  # noqa: SIM115 - the test closes it
    file.write(path.read_bytes() if "b" in mode else path.read_text())
    return file


def pipe(path: Path) -> Any:
    reading, writing = os.pipe()
    os.write(writing, path.read_bytes())
    os.close(writing)
    return os.fdopen(reading, "rb")


FILES: dict[str, Any] = {
    "gzip": lambda path: packed(gzip, path),
    "bz2": lambda path: packed(bz2, path),
    "lzma": lambda path: packed(lzma, path),
    "a reader around gzip": lambda path: io.BufferedReader(packed(gzip, path)),
    "zip": member_of_zip,
    "tar": member_of_tar,
    "spooled": lambda path: spooled("w+b", path),
    "pipe": pipe,
    "plain": lambda path: path.open("rb"),
    "unbuffered": lambda path: path.open("rb", buffering=0),
    "at its end": at_its_end,
    "bare": lambda path: Bare(path.read_bytes()),
    "bytearrays": lambda path: Bare(bytearray(path.read_bytes()[:700]), memoryview(path.read_bytes()[700:])),
    "cannot be rewound": lambda path: Backwards(path.read_bytes()),
}
UNFIT: dict[str, Any] = {
    "text": lambda path: path.open(encoding="latin-1"),
    "codecs": lambda path: codecs.open(str(path), "r", "utf-8"),  # noqa: SIM115 - the test closes it
    "temporary text": lambda path: spooled("w+", path),
    "empty text": lambda path: Bare(""),
    "text later on": lambda path: Bare(b"a", "b"),
    "not blocking": lambda path: Bare(None),
    "async": lambda path: Coroutine(),
    "read is no method": lambda path: type("Odd", (), {"read": 5})(),
    "not packed at all": gzip.open,
    "cut": lambda path: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(path.read_bytes())[:-9])),
    "fails": lambda path: Bare(b"a", RuntimeError("of a library")),
    "closed": closed,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "plan.txt"
    file.write_bytes(TEXT)
    return file


@contextlib.contextmanager
def opened(kind: Any, path: Path) -> Iterator[Any]:
    file = kind(path)
    try:
        yield file
    finally:
        if hasattr(file, "close"):
            file.close()


def attach(client: Any, file: Any) -> Any:
    return client.create_attachment(request=1, file=file, filename="plan.txt")


def post(client: Any, file: Any) -> Any:
    return client.http_post("allocations/attachments", data={"request": "1"}, files={"file": ("plan.txt", file)})


def batch(client: Any, path: Path, *kinds: Any) -> None:
    """Run a job that uploads a file, which is closed before the job is sent."""

    def add(job: Any) -> None:
        for kind in kinds:
            with opened(kind, path) as file:
                job.create_attachment(request=1, file=file, filename="plan.txt")

    if isinstance(client.client, KeystoneClient):
        with client.client.batch() as job:
            add(job)
        return

    async def run() -> None:
        async with client.client.batch() as job:
            add(job)

    anyio.run(run)


def logged_in(colour: str, url: str, transport: Any, act: Any) -> None:
    """Run a function with a logged-in client; an async client stays in one event loop."""
    if colour == "sync":
        with KeystoneClient(url, transport=transport) as client:
            client.login("admin", "quickstart")
            act(client)
        return

    async def run() -> None:
        async with AsyncKeystoneClient(url, transport=transport) as client:
            await client.login("admin", "quickstart")
            await act(client)

    anyio.run(run)


def body_of(transport: Scripted) -> bytes:
    sent = transport.requests[-1]
    assert int(sent.headers["content-length"]) == len(sent.content)
    return sent.content


@pytest.mark.parametrize("way", [attach, post])
@pytest.mark.parametrize("kind", FILES.values(), ids=FILES)
def test_the_content_of_a_file_is_sent_with_its_length(colour: str, way: Any, kind: Any, path: Path) -> None:
    transport = Scripted(answer(201, {"id": 1}))

    with opened(kind, path) as file:
        way(connect(colour, transport), file)

    assert b"\r\n\r\n" + TEXT + b"\r\n--" in body_of(transport)


@pytest.mark.parametrize("kind", FILES.values(), ids=FILES)
def test_a_file_arrives_equally_in_process_and_over_a_socket(colour: str, kind: Any, path: Path) -> None:
    fake = FakeKeystone()
    fake.add.request()
    with fake.serve() as url:
        for address, transport in ((fake.url, fake.transport), (url, None)):
            for way in (attach, post):
                with opened(kind, path) as file:
                    logged_in(colour, address, transport, lambda client: way(client, file))  # noqa: B023

    files = json.loads(fake.dump())["files"].values()
    assert [base64.b64decode(content) for content in files] == [TEXT] * 4


@pytest.mark.parametrize("way", [attach, post])
@pytest.mark.parametrize("kind", UNFIT.values(), ids=UNFIT)
def test_a_file_that_does_not_give_bytes_is_refused_before_anything_is_sent(
    colour: str, way: Any, kind: Any, path: Path
) -> None:
    transport = Scripted()

    with opened(kind, path) as file, pytest.raises(FieldError, match=r"binary mode|cannot be read"):
        way(connect(colour, transport), file)

    assert transport.requests == []


@pytest.mark.parametrize("kind", FILES.values(), ids=FILES)
def test_a_file_of_a_job_may_be_closed_before_the_job_is_sent(colour: str, kind: Any, path: Path) -> None:
    transport = Scripted(answer(200, {"results": [STEP | {"index": 1}, STEP | {"index": 2}]}))

    batch(connect(colour, transport), path, kind, kind)

    assert body_of(transport).count(b"\r\n\r\n" + TEXT + b"\r\n--") == 2


@pytest.mark.parametrize("kind", UNFIT.values(), ids=UNFIT)
def test_a_file_of_a_job_that_does_not_give_bytes_is_refused(colour: str, kind: Any, path: Path) -> None:
    transport = Scripted()

    with pytest.raises(FieldError, match=r"binary mode|cannot be read"):
        batch(connect(colour, transport), path, kind)

    assert transport.requests == []


def test_one_file_serves_two_actions_of_a_job(colour: str, path: Path) -> None:
    transport = Scripted(answer(200, {"results": [STEP | {"index": 1}, STEP | {"index": 2}]}))

    with path.open("rb") as file:
        batch(connect(colour, transport), path, lambda _: Shared(file), lambda _: Shared(file))

    assert body_of(transport).count(TEXT) == 2


def test_a_growing_file_is_sent_with_its_initial_length(colour: str, tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(LARGE)

    def grow(*_: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    fake = FakeKeystone()
    fake.add.request()
    with fake.serve() as url:
        logged_in(colour, url, None, lambda client: client.create_attachment(request=1, file=path, on_progress=grow))

    (content,) = json.loads(fake.dump())["files"].values()
    assert base64.b64decode(content) == LARGE


def test_a_file_that_shrinks_while_it_is_sent_raises_a_clear_error(colour: str, tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(LARGE)
    fake = FakeKeystone()
    fake.add.request()
    with fake.serve() as url:  # noqa: SIM117 - the server outlives the error
        with pytest.raises(FieldError, match="become shorter than 2,400,000 bytes while it was sent"):
            logged_in(
                colour,
                url,
                None,
                lambda client: client.create_attachment(
                    request=1, file=path, on_progress=lambda *_: os.truncate(path, 500_000)
                ),
            )

    assert json.loads(fake.dump())["files"] == {}


@pytest.mark.parametrize("given", ["", "\0", "a\0b", "a\ud800", Path("\ud800")])
def test_an_invalid_path_is_refused(colour: str, given: Any) -> None:
    with pytest.raises(FieldError, match="path of a file"):
        connect(colour, Scripted()).create_attachment(request=1, file=given)


def test_a_proc_file_is_read_although_its_reported_size_is_zero(colour: str) -> None:
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("this system has no /proc")
    transport = Scripted(answer(201, {"id": 1}))

    connect(colour, transport).create_attachment(request=1, file=path, filename="status.txt")

    assert b"VmPeak" in body_of(transport)


@pytest.mark.parametrize("given", [bytearray(TEXT), memoryview(TEXT), memoryview(bytes(2 * len(TEXT)))[::2]])
@pytest.mark.parametrize("way", [attach, post])
def test_any_bytes_like_object_is_accepted(colour: str, way: Any, given: Any) -> None:
    transport = Scripted(answer(201, {"id": 1}))

    way(connect(colour, transport), given)

    assert b"\r\n\r\n" + bytes(given) + b"\r\n--" in body_of(transport)


@pytest.mark.parametrize(("ending", "module"), [(".gz", gzip), (".bz2", bz2), (".xz", lzma)])
@pytest.mark.parametrize("wrap", [lambda file: file, io.BufferedReader])
def test_a_decompressed_file_is_sent_under_its_name_without_the_suffix(
    colour: str, path: Path, ending: str, module: Any, wrap: Any
) -> None:
    transport = Scripted(answer(201, {"id": 1}))
    packed_path = f"{path}{ending}"
    with module.open(packed_path, "wb") as file:
        file.write(TEXT)

    with module.open(packed_path) as file:
        if not hasattr(file, "name"):
            file.name = packed_path  # as Python 3.14 does
        connect(colour, transport).create_attachment(request=1, file=wrap(file))

    assert b'filename="plan.txt"' in body_of(transport)


def test_a_file_keeps_its_name_in_the_plain_methods(colour: str, path: Path) -> None:
    transport = Scripted()

    with path.open("rb") as file:
        connect(colour, transport).http_post("x", files={"file": file, "more": b"x"})

    assert b'filename="plan.txt"' in body_of(transport)
    assert b'filename="upload"' in body_of(transport)


def test_a_file_part_may_have_headers_from_any_mapping_which_is_not_modified(colour: str) -> None:
    transport = Scripted()
    headers = MappingProxyType({"X-Kind": "plan"})

    connect(colour, transport).http_post("x", files={"file": ("a.txt", b"x", None, headers)})

    assert b"X-Kind: plan\r\nContent-Type: text/plain\r\n" in body_of(transport)
    assert dict(headers) == {"X-Kind": "plan"}


def test_none_beside_a_file_is_refused_because_a_form_cannot_express_null(colour: str) -> None:
    transport = Scripted()

    with pytest.raises(FieldError, match="field 'name': None does not fit: it cannot be null"):
        connect(colour, transport).update_attachment(1, {"file": Path(__file__), "name": None})

    assert transport.requests == []


@pytest.mark.parametrize("files", [None, {"file": ("a.txt", b"x")}])
def test_a_form_has_the_given_values(colour: str, files: Any) -> None:
    transport = Scripted()

    data = {"a": "é", "b": 5, "c": True, "d": None, "e": ["x", 1.5], "f": b"bytes"}
    connect(colour, transport).http_post("x", data=data, files=files)

    body = body_of(transport)
    for name, text in {"a": "é", "b": "5", "c": "true", "d": "", "e": "x", "f": "bytes"}.items():
        plain = f"{name}={urllib.parse.quote(text)}"
        assert (plain if files is None else f'name="{name}"\r\n\r\n{text}\r\n').encode() in body


JUNK = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.builds(object)
)
JUNK_KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
ODD = st.recursive(JUNK, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(JUNK_KEYS, inner))
READS = st.lists(JUNK | st.sampled_from([OSError("x"), EOFError(), RuntimeError("x")]), max_size=3)


@given(st.data())
def test_invalid_bodies_raise_only_documented_errors(data: Any) -> None:
    odd = ODD | READS.map(lambda chunks: Bare(*chunks))
    client = connect("sync", Scripted(answer(201, {"id": 1})))
    calls = [
        lambda: client.http_post("x", data=data.draw(odd)),
        lambda: client.http_post("x", files=data.draw(odd), data=data.draw(odd)),
        lambda: client.http_post("x", files={"file": data.draw(odd)}, data=data.draw(odd)),
        lambda: client.http_post("x", files=[("file", data.draw(st.lists(odd).map(tuple)))]),
        lambda: client.http_post("x", params=data.draw(odd), json=data.draw(odd)),
        lambda: client.create_attachment(
            request=data.draw(odd), file=data.draw(odd), filename=data.draw(odd), name=data.draw(odd)
        ),
        lambda: client.update_attachment(1, {"file": data.draw(odd), "name": data.draw(odd)}),
    ]

    with contextlib.suppress(KeystoneError, FileNotFoundError, IsADirectoryError, PermissionError, NotADirectoryError):
        data.draw(st.sampled_from(calls))()
