"""A client reads at most the configured number of decompressed bytes, whatever a server sends, and no cookie or header
of a server can break later requests."""

import functools
import gzip
import io
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystone_client import DecodeError, FieldError, KeystoneError, ResponseTooLargeError
from keystone_client_testing import FakeKeystone

from .scripted import Reply, Scripted, answer, connect, cookies, page

MEGABYTE = 1_000_000
BLANKS = b" " * MEGABYTE
RECORD = b'{"id": 1}'


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A chunked body that counts the chunks read."""

    def __init__(self, *pieces: bytes, endless: bool = False) -> None:
        self.pieces, self.endless = pieces, endless
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            for piece in self.pieces:
                self.taken += len(piece)
                yield piece
            if not self.endless:
                return

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def sent(body: Body, status: int = 200, **headers: str) -> Reply:
    named = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(status, headers=named, stream=body, request=request)


@functools.cache
def packed(megabytes: int, bits: int) -> bytes:
    packer = zlib.compressobj(1, wbits=bits)
    return b"".join(packer.compress(BLANKS) for _ in range(megabytes)) + packer.compress(RECORD) + packer.flush()


def bomb(megabytes: int, bits: int) -> Body:
    content = packed(megabytes, bits)
    return Body(*(content[start : start + 65_536] for start in range(0, len(content), 65_536)))


CALLS: dict[str, Any] = {
    "read": lambda client: client.retrieve_cluster(1),
    "list": lambda client: client.retrieve_cluster(limit=1),
    "write": lambda client: client.create_cluster(name="x"),
    "plain": lambda client: client.http_get("version"),
}


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_endless_answer_raises_at_the_limit_and_names_it(colour: str, call: Any, status: int) -> None:
    body = Body(BLANKS[:65_536], endless=True)
    wire = Scripted(sent(body, status))
    with pytest.raises(ResponseTooLargeError, match=r"more than 1,000,000 bytes \(max_response_size=") as caught:
        call(connect(colour, wire, max_response_size=MEGABYTE))
    assert body.taken < MEGABYTE + 2 * 65_536
    assert body.closed
    assert isinstance(caught.value, DecodeError)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("packing", "bits"), [("gzip", 31), ("deflate", 15), ("deflate", -15), ("GZIP", 31)])
def test_a_compression_bomb_is_counted_decompressed_and_never_fills_memory(
    colour: str, packing: str, bits: int
) -> None:
    client = connect(colour, Scripted(sent(bomb(30, bits), content_encoding=packing)), max_response_size=MEGABYTE)
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLargeError, match="1,000,000"):
            client.retrieve_cluster(1)
        assert tracemalloc.get_traced_memory()[1] < 5 * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("packing", "bits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_compressed_answer_below_the_limit_is_read(colour: str, packing: str, bits: int) -> None:
    wire = Scripted(*[sent(bomb(1, bits), content_encoding=packing) for _ in range(2)])
    client = connect(colour, wire, max_response_size=MEGABYTE + len(RECORD))
    assert client.retrieve_cluster(1) == {"id": 1}
    with pytest.raises(ResponseTooLargeError):
        connect(colour, wire, max_response_size=MEGABYTE + len(RECORD) - 1).retrieve_cluster(1)


@pytest.mark.parametrize("most", [MEGABYTE, None])
@pytest.mark.parametrize(("packing", "bits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_truncated_compressed_answer_raises(colour: str, packing: str, bits: int, most: int | None) -> None:
    content = packed(1, bits)
    for length in (len(content) - 1, len(content) // 2, 20):
        body = Body(content[:length])
        target = io.BytesIO()
        wire = Scripted(answer(200, {"id": 1, "file": "a.pdf"}), sent(body, content_encoding=packing))
        with pytest.raises(DecodeError, match="cut"):
            connect(colour, wire, max_response_size=most).download_attachment(1, target)
        assert target.getvalue() == b""


@pytest.mark.parametrize("more", [gzip.compress(RECORD), b"\0", b" " * 500_000], ids=["packed", "zero", "blanks"])
def test_data_after_the_end_of_a_compressed_answer_raises(colour: str, more: bytes) -> None:
    """With httpx's decoder, each further chunk would also copy all earlier ones."""
    for pieces in ([gzip.compress(RECORD) + more], [gzip.compress(RECORD), more]):
        client = connect(colour, Scripted(sent(Body(*pieces), content_encoding="gzip")))
        with pytest.raises(DecodeError, match="follow the end"):
            client.retrieve_cluster(1)


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_an_empty_answer_is_not_reported_as_truncated(colour: str, packing: str) -> None:
    wire = Scripted(sent(Body(), 204, content_encoding=packing))
    connect(colour, wire).delete_cluster(1)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("packing", ["x-gzip", "X-GZIP", "identity, x-gzip", " x-gzip "])
@pytest.mark.parametrize("most", [MEGABYTE, None])
def test_x_gzip_is_decompressed_like_gzip(colour: str, most: int | None, packing: str) -> None:
    page = b'{"count": 1, "next": null, "results": [{"id": 1}]}'
    for body, call in ((RECORD, "read"), (page, "list"), (RECORD, "write"), (RECORD, "plain")):
        wire = Scripted(sent(Body(gzip.compress(body)), content_encoding=packing))
        CALLS[call](connect(colour, wire, max_response_size=most))
    wire = Scripted(sent(Body(gzip.compress(RECORD)[:-4]), content_encoding=packing))
    with pytest.raises(DecodeError, match="cut"):
        connect(colour, wire, max_response_size=most).retrieve_cluster(1)


def test_an_x_gzip_bomb_is_limited_too(colour: str) -> None:
    wire = Scripted(sent(bomb(3, 31), content_encoding="x-gzip"))
    with pytest.raises(ResponseTooLargeError):
        connect(colour, wire, max_response_size=MEGABYTE).retrieve_cluster(1)


def test_an_unknown_content_encoding_is_named(colour: str) -> None:
    wire = Scripted(sent(Body(b"\x1f\x9d\x90"), content_encoding="compress"))
    with pytest.raises(DecodeError, match=r"is not JSON .*packed as compress"):
        connect(colour, wire).retrieve_cluster(1)


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "gzip, br", "deflate,gzip"])
def test_a_content_encoding_that_was_not_requested_is_not_decoded(colour: str, packing: str) -> None:
    client = connect(colour, Scripted(sent(Body(b"\x0b\x02\x80"), content_encoding=packing)))
    with pytest.raises(DecodeError, match="not asked for"):
        client.retrieve_cluster(1)


@pytest.mark.parametrize("packing", ["identity", "utf-8", "", "aws-chunked", "identity, gzip"])
def test_content_encodings_that_do_not_compress_are_accepted(colour: str, packing: str) -> None:
    body = gzip.compress(RECORD) if "gzip" in packing else RECORD
    client = connect(colour, Scripted(sent(Body(body), content_encoding=packing)))
    assert client.retrieve_cluster(1) == {"id": 1}


def test_without_a_limit_everything_is_read(colour: str) -> None:
    reply = sent(bomb(30, 31), content_encoding="gzip")
    assert connect(colour, Scripted(reply), max_response_size=None).retrieve_cluster(1) == {"id": 1}


def test_the_default_limit_is_below_a_hundred_megabytes(colour: str) -> None:
    with pytest.raises(ResponseTooLargeError, match="67,108,864"):
        connect(colour, Scripted(sent(Body(*[BLANKS] * 100, RECORD)))).retrieve_cluster(1)


def test_a_transport_that_reads_the_body_itself_is_limited_too(colour: str) -> None:
    client = connect(colour, FakeKeystone("http://keystone.test/").transport, max_response_size=10)
    with pytest.raises(ResponseTooLargeError):
        client.http_get("version/nowhere")


@pytest.mark.parametrize("size", [0, -1, 1.5, "5", True, float("inf")])
def test_an_invalid_limit_is_refused(colour: str, size: Any) -> None:
    with pytest.raises(FieldError, match="max_response_size"):
        connect(colour, Scripted(), max_response_size=size)


def test_a_download_to_a_file_is_not_limited_but_its_errors_are(colour: str) -> None:
    record = answer(200, {"id": 1, "file": "a.pdf"})
    wire = Scripted(record, sent(Body(*[BLANKS] * 3), content_type="application/pdf"))
    file = io.BytesIO()
    connect(colour, wire, max_response_size=MEGABYTE).download_attachment(1, file)
    assert len(file.getvalue()) == 3 * MEGABYTE
    wire = Scripted(record, sent(Body(BLANKS, endless=True), 403, content_type="text/html"))
    with pytest.raises(ResponseTooLargeError):
        connect(colour, wire, max_response_size=MEGABYTE).download_attachment(1, io.BytesIO())


def test_a_listing_asks_for_smaller_pages_where_a_page_is_too_large(colour: str) -> None:
    fake = FakeKeystone("http://keystone.test/")
    for number in range(100):
        fake.add.grant(title=f"grant {number}", description="x" * 1000)
    client = connect(colour, fake.transport, max_response_size=40_000, page_size=100)
    client.login("admin", "quickstart")
    assert [record["id"] for record in client.retrieve_grant()] == list(range(1, 101))
    sizes = [entry.query for entry in fake.journal if entry.path.endswith("/grants/")]
    assert sum("_limit=100" in query for query in sizes) == 1
    one_is_too_many = connect(colour, fake.transport, max_response_size=1000)
    one_is_too_many.login("admin", "quickstart")
    with pytest.raises(ResponseTooLargeError):
        one_is_too_many.retrieve_grant()


JUNK = ["foo", "csrftoken", "sessionid", "csrftoken=\xe9; Path=/", "sessionid=\x01; Path=/", "csrftoken=a\x7f; Path=/"]
JUNK += [f"sessionid=x; {name}={'9' * 400}; Path=/" for name in ("Max-Age", "Version")]
JUNK += ["foo; Path=/", "csrftoken; Path=/", "=", ";", "", "sessionid=" + "x" * 5000 + "; Path=/", "a=b; Path=\xe9"]


@pytest.mark.parametrize("line", JUNK)
def test_a_cookie_that_cannot_be_sent_in_a_header_is_not_stored(colour: str, line: str) -> None:
    """It would make every later request fail."""
    wire = Scripted(cookies("csrftoken=first; Path=/"), cookies(line), answer(200, {"id": 1}))
    client = connect(colour, wire)
    for _ in range(3):
        client.http_post("version", json={})
    header = wire.requests[-1].headers["cookie"]
    assert header.isascii()
    assert header.isprintable()
    assert len(header) < 100
    assert "csrftoken=first" in header
    assert wire.requests[-1].headers["x-csrftoken"] == "first"


@given(st.lists(st.text(st.characters(codec="latin-1"), max_size=40), min_size=1, max_size=3))
def test_whatever_cookies_a_server_sets_the_next_request_can_be_sent(lines: list[str]) -> None:
    wire = Scripted(cookies(*(f"csrftoken={line}; Path=/" for line in lines), *lines), answer(200, {"id": 1}))
    client = connect("sync", wire)
    for _ in range(2):
        client.http_post("version", json={})
    assert all(value.isascii() and value.isprintable() for value in wire.requests[-1].headers.values())


def test_the_number_of_cookies_is_limited_and_the_session_cookie_survives(colour: str) -> None:
    session = cookies("csrftoken=first; Path=/", "sessionid=mine; Path=/")
    floods = [cookies(*(f"c{flood}-{number}=x; Path=/" for number in range(200))) for flood in range(5)]
    wire = Scripted(session, *floods, answer(200, {"id": 1}))
    client = connect(colour, wire)
    for _ in range(7):
        client.http_get("version")
    header = wire.requests[-1].headers["cookie"]
    assert len(header.split("; ")) <= 50
    assert {"csrftoken=first", "sessionid=mine"} <= set(header.split("; "))


STATUSES = [200, 204, 205, 206, 226, 299, 301, 304, 399, 418, 451, 499, 500, 511, 599, 600, 799, 999]


@pytest.mark.parametrize("status", STATUSES)
def test_any_status_is_a_record_or_a_documented_error(colour: str, status: int) -> None:
    client = connect(colour, Scripted(answer(status, {"id": 1})), retry=None)
    assert client.http_get("version").status_code == status
    if status < 300:
        assert client.retrieve_cluster(1) == {"id": 1}
        return
    with pytest.raises(KeystoneError, match=str(status)):
        client.retrieve_cluster(1)


DEEP = 100_000
BODIES = {
    "deep list": b"[" * DEEP + b"]" * DEEP,
    "deep object": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep id": b'{"id":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "huge integer": b'{"id": ' + b"9" * 10_000 + b"}",
    "cut": b'{"id": 1, "na',
    "not UTF-8": b'{"id": 1, "name": "\xff"}',
    "nothing": b"",
    "two answers": b'{"id": 1}{"id": 2}',
}


@pytest.mark.parametrize("status", [200, 400, 404, 422, 500])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_json_that_breaks_parsers_is_a_documented_error(colour: str, body: bytes, status: int) -> None:
    client = connect(colour, Scripted(answer(status, body)), retry=None)
    for call in (lambda: client.retrieve_cluster(1), client.retrieve_cluster, client.whoami):
        with pytest.raises(KeystoneError):
            call()


@pytest.mark.parametrize("status", [400, 422])
def test_json_nested_too_deeply_is_a_documented_error(colour: str, status: int) -> None:
    """The parser may accept deeper nesting than the code that processes its result."""
    for depth in (200, 500, 900, 990, 2000):
        body = b'{"a":' * depth + b"1" + b"}" * depth
        with pytest.raises(KeystoneError):
            connect(colour, Scripted(answer(status, body)), retry=None).create_cluster(name="x")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_nan_and_infinity_do_no_harm(colour: str, number: str) -> None:
    body = f'{{"count": {number}, "next": null, "results": []}}'.encode()
    with pytest.raises(KeystoneError):
        connect(colour, Scripted(answer(200, body))).retrieve_cluster()


def test_repeated_or_malformed_headers_do_no_harm(colour: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-type", b"text/html"), (b"retry-after", b"x" * 50_000)]
    headers += [(b"date", b"yesterday"), (b"location", b"//elsewhere.test"), (b"x", b"\xff" * 1000)] * 20

    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers=headers, content=b'{"detail": "No."}', request=request)

    with pytest.raises(KeystoneError, match="429"):
        connect(colour, Scripted(reply), retry=None).retrieve_cluster(1)
    assert connect(colour, Scripted(page())).retrieve_cluster() == []
