"""The private attributes of httpx and httpcore that this client relies on, all of them.

- ``httpx.HTTPTransport._pool._network_backend``: how a connection is opened and read, so that each read of a call with
  a deadline has what is left of the call. httpcore gives each read the same timeout, so a server that drips could
  stretch a call for ever. Tried instead: a transport of our own on httpcore's public classes. It would have to repeat
  httpx's proxies, bodies and errors, and tools that patch ``httpx.HTTPTransport.handle_request`` would not see it.
- ``_httpcore_stream._stream._connection._h11_state`` of the stream of a response: tells whether bytes follow the
  answer, which the next call on the connection would take for its own. httpcore 1.0.9 looks for them on the socket, not
  among those it has read already. Rejected: a new connection for each call, which costs a handshake each.

``test_httpcore_internals.py`` fails by name where one of them moves.
"""

from typing import Any, Final

import httpx

CONNECTION_STATE: Final = ("_httpcore_stream", "_stream", "_connection", "_h11_state")


def use_backend(transport: httpx.HTTPTransport, backend: Any) -> None:
    """Have a transport for threads open its connections with a network backend of httpcore."""
    transport._pool._network_backend = backend


def connection_state(stream: Any) -> Any:
    """Return the state of the connection that a stream of a response comes on; ``None`` if it is not httpcore's."""
    for name in CONNECTION_STATE:
        stream = getattr(stream, name, None)
    return stream
