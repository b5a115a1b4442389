"""Request bodies in every spelling: media types, charsets, and malformed multipart bodies."""

import re
from typing import Any

import pytest
from keystone_client_testing import FakeKeystone

from .conftest import Session

DISPOSITION = b"Content-Disposition: form-data; "
TEXT = b'--X\r\nContent-Disposition: form-data; name="name"\r\n\r\nPhysics\r\n--X--\r\n'


def send(session: Session, content_type: str, body: bytes, path: str = "users/teams/") -> Any:
    return session("POST", path, content=body, headers={"Content-Type": content_type})


def part(head: bytes, content: bytes) -> bytes:
    return b"--X\r\n" + DISPOSITION + head + b"\r\n\r\n" + content + b"\r\n"


@pytest.mark.parametrize("content_type", ["application/*", "*/*", "*/json", "APPLICATION/JSON", "application/json;"])
def test_a_wildcard_content_type_is_read_as_json(admin: Session, content_type: str) -> None:
    assert send(admin, content_type, b'{"name": "Physics"}').json()["name"] == "Physics"


@pytest.mark.parametrize("accept", ["*/json", "text/html, */json;q=0.1"])
def test_either_half_of_an_accepted_type_may_be_a_wildcard(admin: Session, accept: str) -> None:
    assert admin("GET", "config/", headers={"Accept": accept}).status_code == 200


def test_an_unknown_charset_is_ignored(admin: Session) -> None:
    assert send(admin, "application/json; charset=bogus", '{"name": "Ärzte"}'.encode()).json()["name"] == "Ärzte"


def test_utf_16_without_a_byte_order_mark_is_refused(admin: Session) -> None:
    answer = send(admin, "application/json; charset=utf-16", b'{"a":1}')
    # The message is that of Python's decoder, which 3.13 changed.
    assert re.fullmatch("JSON parse error - .*stream does not start with BOM", answer.json()["detail"], re.IGNORECASE)
    assert send(admin, "application/json; charset=utf-16", '{"name": "A"}'.encode("utf-16")).status_code == 201


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_number_for_is_refused(admin: Session, text: str) -> None:
    answer = send(admin, "application/json", f'{{"name": {text}}}'.encode())
    assert answer.status_code == 400
    assert answer.json()["detail"] == f"JSON parse error - Out of range float values are not JSON compliant: '{text}'"


def test_a_form_that_is_not_in_its_charset_is_read_as_latin_1(admin: Session) -> None:
    answer = send(admin, "application/x-www-form-urlencoded; charset=utf-8", b"name=\xc4rzte")
    assert answer.json()["name"] == "Ärzte"


@pytest.mark.parametrize("body", [b"name=%C4rzte", "name=Ärzte".encode("latin-1")])
def test_the_charset_of_a_form_is_respected(admin: Session, body: bytes) -> None:
    answer = send(admin, "application/x-www-form-urlencoded; charset=latin-1", body)
    assert answer.json()["name"] == "Ärzte"


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("multipart/form-data", "Invalid boundary in multipart: None"),
        ("multipart/form-data; boundary=", "Invalid boundary in multipart: "),
        ("multipart/form-data; boundary=" + "a" * 202, "Invalid boundary in multipart: " + "a" * 202),
        ("Multipart/Form-Data; boundary=X", "Invalid Content-Type: Multipart/Form-Data; boundary=X"),
    ],
)
def test_a_multipart_body_without_a_valid_header_is_refused(admin: Session, content_type: str, text: str) -> None:
    answer = send(admin, content_type, TEXT)
    assert (answer.status_code, answer.json()) == (400, {"detail": f"Multipart form parse error - {text}"})


@pytest.mark.parametrize("boundary", ["X", '"X"'])
def test_a_boundary_may_be_quoted(admin: Session, boundary: str) -> None:
    assert send(admin, f"multipart/form-data; boundary={boundary}", TEXT).json()["name"] == "Physics"


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (b"before\r\n" + TEXT + b"behind", "Physics"),
        (part(b"name=name", b"bare"), "bare"),
        (part(b'name="name"', b"A") + part(b'name="name"', b"B"), "B"),
        (part(b'name="name"; filename=""', b"no file"), "no file"),
        (part(b'name="name"\r\nContent-Transfer-Encoding: base64', b"UGh5c2ljcw=="), "Physics"),
        (part(b'name="name"\r\nContent-Transfer-Encoding: base64', b"UGh5c"), "UGh5c"),
        (part(b'name="name"', b"good") + part(b'name="name"; x="\xff"', b"no UTF-8"), "good"),
    ],
)
def test_parts_are_read_as_leniently_as_the_server_reads_them(admin: Session, parts: bytes, name: str) -> None:
    assert send(admin, "multipart/form-data; boundary=X", parts + b"--X--\r\n").json()["name"] == name


def test_multipart_lines_that_end_without_a_carriage_return_are_no_part(admin: Session) -> None:
    answer = send(admin, "multipart/form-data; boundary=X", TEXT.replace(b"\r\n", b"\n"))
    assert answer.json() == {"name": ["This field is required."]}


def test_a_file_takes_precedence_over_a_text_of_the_same_name(fake: FakeKeystone, admin: Session) -> None:
    request = str(fake.add.request()["id"]).encode()
    body = part(b'name="request"', request) + part(b'name="file"; filename="a.txt"', b"1") + part(b'name="file"', b"x")
    answer = send(admin, "multipart/form-data; boundary=X", body + b"--X--\r\n", "allocations/attachments/")
    assert (answer.status_code, answer.json()["name"]) == (201, "a.txt")


@pytest.mark.parametrize(("name", "status"), [(" .txt", 201), ("a.txt ", 400)])
def test_the_name_of_a_file_keeps_its_blanks(fake: FakeKeystone, admin: Session, name: str, status: int) -> None:
    answer = admin(
        "POST", "allocations/attachments/", data={"request": fake.add.request()["id"]}, files={"file": (name, b"1")}
    )
    assert answer.status_code == status


def test_a_file_declared_as_base64_must_be_valid_base64(fake: FakeKeystone, admin: Session) -> None:
    head = b'name="file"; filename="a.txt"\r\nContent-Transfer-Encoding: base64'
    answer = send(admin, "multipart/form-data; boundary=X", part(head, b"a") + b"--X--\r\n", "allocations/attachments/")
    assert answer.json() == {"detail": "Multipart form parse error - Could not decode base64 data."}


def test_more_than_a_hundred_files_are_refused(admin: Session) -> None:
    body = part(b'name="file"; filename="a.txt"', b"1") * 101 + b"--X--\r\n"
    answer = send(admin, "multipart/form-data; boundary=X", body, "allocations/attachments/")
    assert (answer.status_code, "Bad Request (400)" in answer.text) == (400, True)


def test_a_file_is_refused_as_a_key(admin: Session) -> None:
    body = part(b'name="request"; filename="a.txt"', b"1") + b"--X--\r\n"
    answer = send(admin, "multipart/form-data; boundary=X", body, "allocations/attachments/")
    assert answer.json()["request"] == ["Incorrect type. Expected pk value, received InMemoryUploadedFile."]


def test_a_text_part_may_be_cut_off_but_a_file_may_not(fake: FakeKeystone, admin: Session) -> None:
    assert send(admin, "multipart/form-data; boundary=X", TEXT.removesuffix(b"\r\n--X--\r\n")).status_code == 201
    request = str(fake.add.request()["id"]).encode()
    body = part(b'name="request"', request) + part(b'name="file"; filename="a.txt"', b"cut off")
    answer = send(admin, "multipart/form-data; boundary=X", body, "allocations/attachments/")
    assert (answer.status_code, answer.json()) == (400, {"file": ["No file was submitted."]})
