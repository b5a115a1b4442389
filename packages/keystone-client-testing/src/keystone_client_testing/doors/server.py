"""The loopback door: a real HTTP server in a thread, for other processes, and for faults on the socket."""

import re
import select
import socket
import struct
import sys
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from .._server.engine import handle
from .._wire import Answer, Request, joined
from .._world.state import World
from .connections import LARGEST_PORT, NO_SOCKET, Connections, bare_host, exposure, url_host

MAX_BODY = 32 * 1024 * 1024
MAX_WAIT = 60.0
_POLL = 0.01
_JOIN_TIMEOUT = 5.0
_SIZE = re.compile("[0-9]{1,18}")
_CHUNK = re.compile(rb"[0-9a-fA-F]{1,15}")


class _Handler(BaseHTTPRequestHandler):
    """Reads one request after another from a connection and lets the world answer."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer, not one per header
    disable_nagle_algorithm = True
    server: "_HTTPServer"  # pyright: ignore[reportIncompatibleVariableOverride]  # only ours makes it

    def __getattr__(self, name: str) -> Any:
        """Serve every method, as Keystone does: it answers unknown ones with 405, not 501."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def handle_one_request(self) -> None:
        """Wait for a request and answer it."""
        self.server.connections.wait_for(self.connection)
        super().handle_one_request()

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        self.server.connections.answer(self.connection)
        target = self.requestline.split()[1]  # as it came: in `self.path` several slashes at its beginning are one
        path, _, query = target.partition("?")
        sent: list[tuple[str, str]] = self.headers.items()
        request = Request(
            self.command,
            "http",
            self.headers.get("Host", ""),
            path,
            query,
            joined([(name, value.encode("latin-1", "replace").decode("utf-8", "replace")) for name, value in sent]),
            body,
            self.client_address[0],
        )
        answer = handle(self.server.world, request, self._wait)
        self.server.connections.wait_for(self.connection)  # a client that does not read the answer is late, too
        self._deliver(answer)

    def _body(self) -> bytes | None:
        """Return the body, ``None`` where there is no request to be answered: too large, malformed, or cut off.

        A chunked body is read and dropped, as the server does.
        """
        size = self.headers.get("Content-Length", "0")
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            if self._skip_chunks():
                return b""
            self.send_error(400)
        elif not _SIZE.fullmatch(size) or int(size) > MAX_BODY:
            self.send_error(413 if size.isdecimal() else 400)
        else:
            body = self.rfile.read(int(size))
            return body if len(body) == int(size) else None
        return None

    def _skip_chunks(self) -> bool:
        left = MAX_BODY
        while left > 0:
            size = _CHUNK.match(self.rfile.readline(64))
            if not size:
                return False
            length = int(size[0], 16)
            if not length:
                break
            self.rfile.read(min(length + 2, left))
            left -= length
        while left > 0 and (line := self.rfile.readline(8192).strip()):
            left -= len(line)
        return left > 0

    def _wait(self, seconds: float) -> bool:
        """Let latency pass in real time; false as soon as the client has gone, or the server stops."""
        end = time.monotonic() + min(seconds, MAX_WAIT)
        while (left := end - time.monotonic()) > 0 and not self.server.stopping.is_set():
            readable, _, _ = select.select([self.connection], [], [], min(left, _POLL))
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return False
        return not self.server.stopping.is_set()

    def _deliver(self, answer: Answer) -> None:
        if answer.fault in ("connect", "reset"):
            self._reset()
        elif answer.fault == "timeout":
            self._stall()
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Server", "fake-keystone")
        cut = answer.fault == "cut"
        for name, value in answer.headers:
            if not (cut and name == "Content-Length"):
                self.send_header(name, value)
        if cut:
            self.send_header("Content-Length", str(len(answer.body) + 1000))
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def _reset(self) -> None:
        """Reset the connection instead of answering."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _stall(self) -> None:
        """Send nothing until the client has closed the connection, or the server stops."""
        self.close_connection = True
        self.connection.settimeout(_POLL)
        end = time.monotonic() + MAX_WAIT
        while not self.server.stopping.is_set() and time.monotonic() < end:
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the standard library's
        """Print nothing; the journal has every request."""


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, world: World) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except RuntimeError as error:
            error.add_note(NO_SOCKET)
            raise
        self.world = world
        self.stopping = threading.Event()
        self.connections = Connections()
        self.mistake: BaseException | None = None
        """The first error of the fake itself, which has left a request without an answer."""
        self._serving: set[threading.Thread] = set()

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host name that the standard library makes."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # IPv4 and v6 differ

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Refuse connections beyond the limit."""
        return self.connections.admit(request)

    def service_actions(self) -> None:
        """Between connections: close those whose request is late."""
        self.connections.shut_late()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that ``close_connections`` waits for."""
        self._serving.add(threading.current_thread())
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._serving.discard(threading.current_thread())

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.connections.forget(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print and keep an error of the fake itself; ignore one of a connection: the client has gone away."""
        error = sys.exception()
        if not isinstance(error, OSError) and not self.stopping.is_set():
            super().handle_error(request, client_address)
            self.mistake = self.mistake or error

    def close_connections(self) -> None:
        """Close all connections, and wait for their threads to end."""
        self.stopping.set()
        self.connections.shut_all()
        end = time.monotonic() + _JOIN_TIMEOUT
        for thread in list(self._serving):
            thread.join(max(0.0, end - time.monotonic()))


class Server:
    """Serves one world until the block ends."""

    def __init__(self, world: World, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind, without serving yet.

        Args:
            world: who answers.
            host: address to bind to, of IPv4 or IPv6; one that is not loopback is warned of.
            port: TCP port; 0 for a free one.

        Raises:
            OSError: the port is taken, or this machine does not have the address.
            ValueError: the port is none.
        """
        host = bare_host(host)
        if not 0 <= port <= LARGEST_PORT:
            raise ValueError(f"port={port!r} is none: 0 for a free one, to {LARGEST_PORT}")
        if danger := exposure(host):
            warnings.warn(danger, stacklevel=4)  # past ``FakeKeystone.serve`` and ``contextmanager``
        self._server = _HTTPServer(host, port, world)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), daemon=True, name="fake-keystone"
        )
        self.url = f"http://{url_host(host)}:{self._server.server_address[1]}{world.prefix}/"

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop, and close what is open; raise where the fake itself has failed, unless the block has failed, too."""
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()
        mistake = self._server.mistake
        if mistake is not None and kind is None:
            raise RuntimeError("the fake failed instead of answering a request: a mistake in it") from mistake
