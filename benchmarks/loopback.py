"""A minimal server for benchmarks: it has a few fixed answers and sends them as fast as asyncio can.

It runs in its own process, so that its work is not measured as the client's. It does not behave like Keystone; the fake
in ``keystone_client_testing`` does.

    python benchmarks/loopback.py [LATENCY]      # seconds before each answer; prints its URL
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

TOTAL = 20_000
COOKIES = (
    "Set-Cookie: csrftoken=aTokenOfThirtyTwoCharactersInAll; expires=Thu, 01 Jan 2099 00:00:00 GMT; "
    "Max-Age=31449600; Path=/; SameSite=Lax\r\n"
    "Set-Cookie: sessionid=aSessionOfThirtyTwoCharactersAll; expires=Thu, 01 Jan 2099 00:00:00 GMT; "
    "HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax\r\n"
)


def cluster(key: int) -> dict[str, object]:
    """Return one record, of about the size that it has on a small Keystone server."""
    return {
        "id": key,
        "_access_teams": [],
        "_history": [{"id": key, "timestamp": "2026-01-01T00:00:00Z", "action": "create", "changes": {}}],
        "name": f"cluster-{key}",
        "description": "A cluster for benchmarks",
        "enabled": True,
        "access_mode": "OP",
        "access_teams": [],
    }


USER = json.dumps({"id": 1, "username": "admin", "display_name": "admin", "is_staff": True, "_membership": []})


def page(query: dict[str, str]) -> str:
    """Return the body of one page of the listing, selected by key or by offset."""
    behind = int(query.get("id__gt", 0))
    first = behind + int(query.get("_offset", 0)) + 1
    end = min(first + min(int(query.get("_limit", 100)), 1000), TOTAL + 1)
    following = "http://127.0.0.1/?_offset=1" if end <= TOTAL else None
    records = [cluster(key) for key in range(first, end)]
    return json.dumps({"count": TOTAL - behind, "next": following, "previous": None, "results": records})


PAGES: dict[str, str] = {}
ONE = json.dumps(cluster(1))


def answer(method: str, target: str) -> bytes:
    """Return the complete response to a request, as bytes."""
    url = urlsplit(target)
    extra = COOKIES if url.path == "/authentication/login/" else ""
    if url.path != "/allocations/clusters/" or method == "POST":
        body = ONE if url.path.startswith("/allocations/clusters/") else USER
    else:
        if target not in PAGES:
            PAGES[target] = page(dict(parse_qsl(url.query)))
        body = PAGES[target]
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nVary: Cookie\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection. It answers a request once all of it has arrived."""

    def __init__(self, latency: float) -> None:
        """Store the seconds to wait before each answer."""
        self.latency = latency
        self.received = b""

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """Return the complete response to a request, as bytes."""
        return answer(method, target)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport, to send answers on."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer the request if it is complete; else wait for the rest."""
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        if len(body) < int(headers.get("content-length", 0)):
            return
        self.received = b""
        method, target, _ = lines[0].split(" ")
        payload = self.answer(method, target, body)
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self.transport.write, payload)
        else:
            self.transport.write(payload)


@contextmanager
def running(latency: float = 0.0, script: str = __file__) -> Iterator[str]:
    """Run a server in its own process and yield its URL.

    Args:
        latency: Seconds before each answer.
        script: The module to run, if it is not this one.
    """
    command = [sys.executable, script, str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def main(latency: float, kind: type[Connection] = Connection) -> None:
    """Print the URL and serve connections of a kind until the process is terminated."""
    server = await asyncio.get_running_loop().create_server(lambda: kind(latency), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
