"""All private attributes of httpx and httpcore that this client relies on.

- ``httpx.HTTPTransport._pool._network_backend`` opens connections. It is replaced so that each read of a call with a
  deadline has the time left as its timeout. httpcore gives each read the same timeout, so a server that sends a byte
  now and then could stretch a call for ever. Tried instead: a transport of our own on httpcore's public classes. It
  would have to repeat httpx's proxies, bodies and errors, and tools that patch ``httpx.HTTPTransport.handle_request``
  would not see its requests.
- ``_httpcore_stream._stream._connection._h11_state`` of a response's stream tells whether bytes follow the response,
  which the next call on the connection would take for its own. httpcore 1.0.9 looks for them on the socket, but not
  among those it has read already. Rejected: a new connection for each call, which costs a handshake each.

``test_httpcore_internals.py`` fails, and names the attribute, when one of them moves.
"""

from typing import Any, Final

import httpx

CONNECTION_STATE: Final = ("_httpcore_stream", "_stream", "_connection", "_h11_state")


def use_backend(transport: httpx.HTTPTransport, backend: Any) -> None:
    """Make a sync transport open its connections with another network backend of httpcore."""
    transport._pool._network_backend = backend


def connection_state(stream: Any) -> Any:
    """Return the h11 state of the connection that a response's stream reads from; ``None`` if it is not httpcore's."""
    for name in CONNECTION_STATE:
        stream = getattr(stream, name, None)
    return stream
