"""A server for benchmarks that has as many records as its URL says, and takes jobs of any length.

``http://127.0.0.1:PORT/1000000`` has a million clusters. A page is written anew for each request, in about half a
microsecond a record, which is a tenth of what a client needs to read it; kept in memory, all pages of a million records
would be 300 MB.

    python benchmarks/many_records.py [LATENCY]      # seconds before each answer; prints its URL
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from loopback import COOKIES, USER, Connection, cluster, main

_KEY = 123_456_789
RECORD = json.dumps(cluster(_KEY)).encode().replace(b"%", b"%%").replace(str(_KEY).encode(), b"%(key)d")
RESULT = (
    b'{"ref":"","index":%(key)d,"method":"POST","path":"/allocations/clusters/","status":201,"body":' + RECORD + b"}"
)
PAGE = b'{"count":%d,"next":%s,"previous":null,"results":[%s]}'
LARGEST = 1000


def records(keys: Sequence[int], template: bytes = RECORD) -> bytes:
    """Return records with these keys as JSON, without the brackets around them."""
    return b",".join([template % {b"key": key} for key in keys])


def page(total: int, query: dict[str, str]) -> bytes:
    """Return the body of one page of a listing: by key, or in an order, which is that of the keys or its reverse."""
    keys = range(int(query.get("id__gt", 0)) + 1, total + 1)
    if query.get("_order", "id").startswith("-"):
        keys = keys[::-1]
    first, limit = int(query.get("_offset", 0)), min(int(query.get("_limit", 100)), LARGEST)
    more = b'"http://127.0.0.1/"' if first + limit < len(keys) else b"null"
    return PAGE % (len(keys), more, records(keys[first : first + limit]))


class Endless(Connection):
    """A connection to the server."""

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """Return the complete response to a request, as bytes."""
        url, extra = urlsplit(target), ""
        if url.path.endswith("/authentication/login/"):
            text, extra = USER.encode(), COOKIES
        elif url.path.endswith("/batch/"):
            text = b'{"results":[%s]}' % records(range(1, body.count(b'"method"') + 1), RESULT)
        elif url.path.endswith("/clusters/"):
            text = page(int(url.path.split("/")[1]), dict(parse_qsl(url.query)))
        else:
            text = records([1])
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nVary: Cookie\r\n{extra}"
        return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0, Endless))
