"""Files of seeded attachments: paths, bytes and open files are read; what the server would refuse is refused."""

import datetime as dt
import gzip
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from keystone_client_testing import FakeKeystone

CONTENT = b"Stars, and what they cost."


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan of work.txt"
    path.write_bytes(CONTENT)
    return path


class Pathlike:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def content_of(fake: FakeKeystone, attachment: dict[str, Any]) -> bytes:
    return fake.world.store.files[attachment["file"]]


@pytest.mark.parametrize("kind", [Path, str, Pathlike])
def test_a_path_is_read_and_gives_its_name(fake: FakeKeystone, plan: Path, kind: Any) -> None:
    attachment = fake.add.attachment(file=kind(plan))
    assert content_of(fake, attachment) == CONTENT
    assert (attachment["name"], attachment["file"]) == ("plan of work.txt", "allocations/plan_of_work.txt")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_every_kind_are_kept(fake: FakeKeystone, kind: Any) -> None:
    attachment = fake.add.attachment(file=kind(CONTENT), name="plan.pdf")
    assert content_of(fake, attachment) == CONTENT
    assert (attachment["name"], attachment["file"]) == ("plan.pdf", "allocations/plan.pdf")


def test_open_files_are_read_and_give_their_names(fake: FakeKeystone, plan: Path) -> None:
    with plan.open("rb") as file:
        file.seek(6)
        attachment = fake.add.attachment(file=file)
        assert not file.closed
    assert (content_of(fake, attachment), attachment["name"]) == (CONTENT[6:], "plan of work.txt")


def test_packed_and_nameless_files_are_read(fake: FakeKeystone, tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    with gzip.open(path, "wb") as packed:
        packed.write(CONTENT)
    with gzip.open(path) as packed:
        assert content_of(fake, fake.add.attachment(file=packed)) == CONTENT
    with tempfile.TemporaryFile() as nameless:  # its name is the number of its descriptor
        nameless.write(CONTENT)
        nameless.seek(0)
        assert fake.add.attachment(file=nameless)["name"] == "attachment.txt"
    assert content_of(fake, fake.add.attachment(file=io.BytesIO(CONTENT))) == CONTENT


def test_the_name_of_an_attachment_does_not_change_that_of_its_file(fake: FakeKeystone, plan: Path) -> None:
    attachment = fake.add.attachment(file=plan, name="What we want")
    assert (attachment["name"], attachment["file"]) == ("What we want", "allocations/plan_of_work.txt")
    assert fake.add.attachment(file=CONTENT, name="What we want")["file"] == "allocations/attachment.txt"
    assert fake.add.attachment(file=CONTENT)["name"] == "attachment.txt"


def test_a_name_is_the_one_the_api_would_give(fake: FakeKeystone, plan: Path) -> None:
    request = fake.add.request()["id"]
    with fake.client() as client:
        sent = client.create_attachment(request=request, file=plan)
    assert fake.add.attachment(request=request, file=plan)["name"] == sent["name"]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", "The submitted file is empty"),
        (b"x" * 2_621_441, "File size should not exceed 2.50 MB"),
        (io.StringIO("text"), "opened in binary mode"),
        (Path("nowhere/plan.pdf"), "cannot be read"),
        ("allocations/plan.pdf", "cannot be read"),
        (".", "cannot be read"),
        ("a\0b", "cannot be read"),
        (5, "give a path, bytes, or a file"),
        (None, "give a path, bytes, or a file"),
        ([b"x"], "give a path, bytes, or a file"),
    ],
)
def test_an_invalid_or_refused_file_leaves_nothing_behind(fake: FakeKeystone, file: object, why: str) -> None:
    before = fake.dump()
    with pytest.raises(ValueError, match=f"attachment field 'file': .*{why}"):
        fake.add.attachment(file=file)
    assert fake.dump() == before


@pytest.mark.parametrize(("name", "why"), [("plan.exe", "is not allowed"), ("plan.unknown", "could not be resolved")])
def test_the_type_of_a_file_is_that_of_its_name(fake: FakeKeystone, tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / name
    path.write_bytes(CONTENT)
    for file in (path, CONTENT):
        with pytest.raises(ValueError, match=f"'{name}'.*{why}"):
            fake.add.attachment(file=file, name=name)


def test_a_file_that_is_replaced_is_stored_and_the_name_stays(fake: FakeKeystone, plan: Path) -> None:
    attachment = fake.add.as_of("2024-01-05").attachment(file=b"old", name="old.txt")
    changed = fake.add.as_of("2024-02-01").change("attachment", attachment, file=plan)
    assert content_of(fake, changed) == CONTENT
    assert (changed["name"], changed["uploaded"]) == ("old.txt", "2024-02-01T00:00:00Z")
    assert changed["_history"][0]["changes"] == {"file": ["allocations/old.txt", "plan of work.txt"]}
    assert dt.datetime.fromisoformat(changed["_history"][0]["timestamp"]).year == 2024
