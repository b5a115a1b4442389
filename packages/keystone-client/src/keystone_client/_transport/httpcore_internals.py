"""All private attributes of httpx and httpcore that this client relies on.

- ``httpx.HTTPTransport._pool`` (and that of the async twin) holds the connections of a transport. It is replaced by
  ``one_connection``, because the client has a pool of its own; httpcore's takes 11 % of a call to find the one
  connection that it has. Tried instead: a transport of our own on httpcore's public classes. It would have to repeat
  httpx's proxies, bodies and errors, and tools that patch ``httpx.HTTPTransport.handle_request`` would not see its
  requests.
- ``_pool._network_backend`` opens connections. It is replaced so that each read of a call with a deadline has the time
  left as its timeout. httpcore gives each read the same timeout, so a server that sends a byte now and then could
  stretch a call for ever. A transport of httpx has no argument for it.
- ``httpcore.AsyncHTTPConnection._request_lock`` and ``_connection._state_lock`` keep two tasks from using a connection
  at once. A connection of the client has one call at a time, and each of the three turns at these locks costs an
  iteration of the event loop, some 5 % of a call in all. Tried instead: a network backend of our own on asyncio in
  place of anyio's streams, which saves 12 to 19 %, but would have to repeat their buffers, TLS, and closing.
- ``_httpcore_stream._connection._h11_state`` of a response's stream tells whether bytes follow the response, which the
  next call on the connection would take for its own. httpcore 1.0.9 looks for them on the socket, but not among those
  it has read already. Rejected: a new connection for each call, which costs a handshake each.
- ``httpcore._utils.is_socket_readable`` tells whether the server has closed an idle connection, or has sent something
  unasked. ``has_expired`` of a connection does so too, but an async one has anyio look up the addresses of both ends.
- ``httpx.Response._content`` is the body of a response that has been read. It is set where the body is complete and not
  compressed; ``read`` would pass it through six generators, in 2 % of the time of a call.

``test_httpcore_internals.py`` fails, and names the attribute, when one of them moves.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import httpx


def use_backend(transport: httpx.HTTPTransport, backend: Any) -> None:
    """Make a sync transport open its connections with another network backend of httpcore."""
    transport._pool._network_backend = backend


def replace_pool(transport: httpx.HTTPTransport | httpx.AsyncHTTPTransport, replacement: Callable[[Any], Any]) -> None:
    """Replace the pool of a transport by what a function makes of it."""
    pool: Any = transport._pool
    transport._pool = replacement(pool)


def remove_locks(connection: Any) -> None:
    """Remove the locks of an async connection of httpcore that is open, and that one task at a time uses."""
    http11: Any = getattr(connection, "_connection", None)
    if hasattr(connection, "_request_lock") and hasattr(http11, "_state_lock"):
        connection._request_lock = http11._state_lock = nullcontext()


def is_readable(network: Any) -> bool:
    """Return whether a socket has bytes to read, or its end."""
    from httpcore._utils import is_socket_readable  # here because httpcore is slow to import

    return is_socket_readable(network)


def connection_state(stream: Any) -> Any:
    """Return the h11 state of the connection that a response's stream reads from; ``None`` if it is not httpcore's."""
    stream = getattr(stream, "_httpcore_stream", None)
    stream = getattr(stream, "_stream", stream)  # a transport that the user gave has a pool, whose stream wraps another
    return getattr(getattr(stream, "_connection", None), "_h11_state", None)


def keep_body(response: httpx.Response, body: bytes) -> None:
    """Make a response one that has been read, with this body."""
    response._content, response._num_bytes_downloaded = body, len(body)
    response.is_closed = response.is_stream_consumed = True
