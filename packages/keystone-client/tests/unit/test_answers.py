"""How answers are read: as records and pages, or as errors if they are neither."""

import gzip
from typing import Any

import pytest
from keystone_client import (
    DecodeError,
)

from .scripted import Reply, Scripted, answer, connect, cookies, html, page, zipped

NO_JSON = {
    "a page of a proxy": html(),
    "nothing": answer(200, b""),
    "cut": answer(200, b'{"id": 1, "na'),
    "deep": answer(200, b"[" * 200_000),
    "not text": answer(200, b"\xff\xfe\x00"),
    "two values": answer(200, b"{} {}"),
    "no content": answer(204, b""),
}


NO_RECORD = {
    "a list": answer(200, []),
    "null": answer(200, b"null"),
    "a text": answer(200, "ok"),
    "a number": answer(200, 5),
    "no id": answer(200, {"name": "x"}),
    "a page": page({"id": 1}),
}


NO_PAGE = {
    "a list": answer(200, [{"id": 1}]),
    "a record": answer(200, {"id": 1}),
    "null": answer(200, b"null"),
    "no count": answer(200, {"next": None, "results": []}),
    "no next": answer(200, {"count": 0, "results": []}),
    "no results": answer(200, {"count": 0, "next": None}),
    "a count of text": answer(200, {"count": "1", "next": None, "results": []}),
    "results that are null": answer(200, {"count": 1, "next": None, "results": None}),
    "results that are no records": answer(200, {"count": 2, "next": None, "results": [{"id": 1}, 2]}),
    "results without ids": answer(200, {"count": 1, "next": None, "results": [{"name": "x"}]}),
    "next that is no address": answer(200, {"count": 1, "next": 5, "results": [{"id": 1}]}),
}


RECORD_CALLS = {
    "retrieve": lambda client: client.retrieve_cluster(1),
    "create": lambda client: client.create_cluster(name="x"),
    "update": lambda client: client.update_cluster(1, {"name": "x"}),
    "whoami": lambda client: client.whoami(),
    "is_authenticated": lambda client: client.is_authenticated(),
    "login": lambda client: client.login("ada", "pw"),
}


PAGE_CALLS = {
    "list": lambda client: client.retrieve_cluster(),
    "ordered": lambda client: client.retrieve_cluster(order="name"),
    "iterate": lambda client: client.iterate_cluster(),
    "count": lambda client: client.count_cluster(),
    "feed": lambda client: client.retrieve_feed_entry(),
    "log": lambda client: client.retrieve_audit_log(),
}


def undecodable(colour: str, call: Any, reply: Reply) -> DecodeError:
    client = connect(colour, Scripted(reply))
    with pytest.raises(DecodeError) as caught:
        call(client)
    assert caught.value.cid == client.cid
    assert caught.value.response is not None
    return caught.value


@pytest.mark.parametrize("call", RECORD_CALLS.values(), ids=RECORD_CALLS)
@pytest.mark.parametrize("reply", [*NO_JSON.values(), *NO_RECORD.values()], ids=[*NO_JSON, *NO_RECORD])
def test_an_answer_that_is_not_a_record_raises(colour: str, call: Any, reply: Reply) -> None:
    undecodable(colour, call, reply)


@pytest.mark.parametrize("call", PAGE_CALLS.values(), ids=PAGE_CALLS)
@pytest.mark.parametrize("reply", [*NO_JSON.values(), *NO_PAGE.values()], ids=[*NO_JSON, *NO_PAGE])
def test_an_answer_that_is_not_a_page_raises(colour: str, call: Any, reply: Reply) -> None:
    undecodable(colour, call, reply)


@pytest.mark.parametrize("reply", [html(), answer(200, b'{"cut'), answer(200, b"OK")])
def test_a_delete_answered_by_a_proxy_raises(colour: str, reply: Reply) -> None:
    undecodable(colour, lambda client: client.delete_cluster(1), reply)


@pytest.mark.parametrize("reply", [answer(204, b""), answer(200, b""), answer(200, {})])
def test_a_delete_requires_only_a_success_status(colour: str, reply: Reply) -> None:
    wire = Scripted(reply)
    connect(colour, wire).delete_cluster(1)
    assert len(wire.requests) == 1


def test_a_logout_answered_by_a_proxy_raises(colour: str) -> None:
    """Otherwise the session would stay open on the server unnoticed."""
    client = connect(colour, Scripted(cookies("sessionid=a; Path=/"), html()))
    client.login("ada", "pw")
    with pytest.raises(DecodeError):
        client.logout()


@pytest.mark.parametrize(
    "chunks", [(b"garbage",), (gzip.compress(b'{"id": 1}')[:-12], b"\0" * 30)], ids=["garbage", "broken"]
)
@pytest.mark.parametrize("call", ["retrieve", "create"])
def test_a_body_that_cannot_be_decompressed_raises(colour: str, call: str, chunks: tuple[bytes, ...]) -> None:
    error = undecodable(colour, RECORD_CALLS[call], zipped(*chunks))
    assert "unpacked" in str(error)


@pytest.mark.parametrize("status", [201, 503])
def test_an_answer_that_cannot_be_decompressed_is_reported_with_its_own_status(colour: str, status: int) -> None:
    client = connect(colour, Scripted(zipped(b"garbage", status=status)), retry=None)
    with pytest.raises(DecodeError, match=f"^{status} .*packed as gzip") as caught:
        client.retrieve_cluster(1)
    assert caught.value.response is not None
    assert caught.value.response.status_code == status


@pytest.mark.parametrize(
    "reply",
    [html(201), zipped(b"garbage", status=201), answer(201, {"id": 1, "name": "x" * 200})],
    ids=["page", "zip", "large"],
)
@pytest.mark.parametrize("call", ["create", "update"])
def test_after_a_write_an_answer_that_cannot_be_read_leaves_in_doubt_whether_it_was_written(
    colour: str, call: str, reply: Reply
) -> None:
    client = connect(colour, Scripted(reply), max_response_size=100)
    with pytest.raises(DecodeError, match="whether it was written is unknown") as caught:
        RECORD_CALLS[call](client)
    assert "page_size" not in str(caught.value)


def test_a_compressed_body_is_decompressed(colour: str) -> None:
    packed = gzip.compress(b'{"id": 1, "name": "x"}')
    client = connect(colour, Scripted(zipped(packed[:10], packed[10:])))
    assert client.retrieve_cluster(1) == {"id": 1, "name": "x"}


def test_an_html_page_with_200_is_quoted_by_title_and_suggests_checking_the_base_url(colour: str) -> None:
    error = undecodable(colour, RECORD_CALLS["retrieve"], html())
    assert str(error).startswith("200 OK: GET /allocations/clusters/1/: the answer is not JSON (text/html, ")
    assert "Welcome to nginx!" in str(error)
    assert "base URL" in str(error)


def test_a_long_foreign_answer_is_shortened_in_the_message_and_kept_in_full(colour: str) -> None:
    error = undecodable(colour, RECORD_CALLS["retrieve"], answer(200, b"x" * 100_000))
    assert len(str(error)) < 500
    assert error.response is not None
    assert len(error.response.content) == 100_000
