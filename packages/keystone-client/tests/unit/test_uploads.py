"""Uploads: files beyond the limits announced by the server are refused; everything else is left to the server."""

import io
from typing import Any

import pytest
from keystone_client import FieldError

from .scripted import Scripted, answer, connect

CONFIG = {
    "version": "1",
    "max_upload_size": 10,
    "max_upload_count": 15,
    "allowed_file_types": ["application/pdf", "text/plain"],
    "session_age": 1,
}


def informed(colour: str) -> tuple[Any, Scripted]:
    """Return a client that knows the limits of its server."""
    transport = Scripted(answer(200, CONFIG), answer(201, {"id": 1}))
    client = connect(colour, transport)
    client.retrieve_config()
    return client, transport


@pytest.mark.parametrize(
    ("filename", "said"),
    [
        ("setup.exe", "application/pdf, text/plain"),
        ("plan.JSON", "application/json"),
        ("plan.pict", "image/pict"),  # a type in use without being registered
        ("README", "no extension"),
        (".txt", "no extension"),
    ],
)
def test_a_type_the_server_does_not_take_is_refused_before_it_is_sent(colour: str, filename: str, said: str) -> None:
    client, transport = informed(colour)

    with pytest.raises(FieldError, match=said) as caught:
        client.create_attachment(request=1, file=b"x", filename=filename)
    with pytest.raises(FieldError, match=said):
        client.update_attachment(1, {"file": named(filename)})

    assert repr(filename) in str(caught.value)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("filename", ["plan.pdf", "PLAN.TXT", "plan.of-a-kind-nobody-here-knows", "plan.txt.gz"])
def test_a_type_the_server_may_know_better_is_sent(colour: str, filename: str) -> None:
    client, transport = informed(colour)

    client.create_attachment(request=1, file=b"x", filename=filename)

    assert len(transport.requests) == 2


def test_without_announced_limits_the_server_decides(colour: str) -> None:
    transport = Scripted(answer(201, {"id": 1}))

    connect(colour, transport).create_attachment(request=1, file=b"", filename="setup.exe")

    assert len(transport.requests) == 1


@pytest.mark.parametrize("limits", [{}, {"max_upload_size": None, "allowed_file_types": None}])
def test_a_server_that_announces_no_limits_has_none(colour: str, limits: dict[str, object]) -> None:
    transport = Scripted(answer(200, limits), answer(201, {"id": 1}))
    client = connect(colour, transport)
    client.retrieve_config()

    client.create_attachment(request=1, file=b"", filename="setup.exe")

    assert len(transport.requests) == 2


def test_a_file_without_a_name_is_told_how_to_get_one(colour: str) -> None:
    with pytest.raises(FieldError, match="path, or a file that has a name"):
        connect(colour, Scripted()).update_attachment(1, {"file": b"x"})


def named(filename: str) -> Any:
    """A file of the caller's, with a name."""
    file: Any = io.BytesIO(b"x")
    file.name = filename
    return file


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(colour: str) -> None:
    client = connect(colour, Scripted(answer(200, {"max_upload_size": 1}), answer(201, {"id": 1})))
    client.retrieve_config()
    with pytest.raises(FieldError, match=r"files of 1 to 1$"):
        client.create_attachment(request=1, file=b"xy", filename="plan.txt")
    assert client.create_attachment(request=1, file=b"x", filename="plan.txt") == {"id": 1}
