"""Build requests from the base URL, a draft and headers prepared in advance; no I/O, no state of a session."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import httpx
from keystone_client_core import InvalidURLError, encode_query

from .._config.arguments import Timeouts
from .._config.call_options import CallOptions
from .._transport.outgoing import NO_SESSION, OutgoingRequest

CREDENTIALS = ("cookie", "authorization")
WITH_LENGTH: Final = ("POST", "PUT", "PATCH")
"""The methods whose requests say how long their body is even if they have none (RFC 9110, section 8.6)."""
Parameters: TypeAlias = Mapping[str, Any] | Sequence[tuple[str, Any]]
Headers: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]


class Draft(NamedTuple):
    """What a request is made of. Each try builds it anew, with the cookies and the CSRF token of the moment."""

    method: str
    """The HTTP method, upper case."""
    endpoint: str
    """The path below the base URL, as ``endpoint_path`` returns it."""
    params: Parameters | None = None
    """Query parameters."""
    content: bytes | None = None
    """A body that is JSON already."""
    headers: Headers | None = None
    """Further headers, checked."""
    timeout: Timeouts | None = None
    """Timeouts in seconds by phase; those of the call if left out."""
    body: Mapping[str, Any] = {}
    """``data`` and ``files``, as httpx takes them."""
    change: Callable[[OutgoingRequest], object] | None = None
    """A function that changes the request after it was built."""

    def __repr__(self) -> str:
        """Hide the values: the body of a login has a password."""
        return f"<draft of {self.method} {self.endpoint}>"


class _NoBody(httpx.ByteStream):
    """No body. An empty ``ByteStream`` is one empty chunk, which passes through h11 like a full one, in 20 us."""

    def __init__(self) -> None:
        super().__init__(b"")

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


NO_BODY: Final = _NoBody()


class SessionHeaders:
    """The headers that requests of one session share. Never changed, only replaced, so that reading takes no lock."""

    __slots__ = ("json", "key", "number", "safe", "unsafe")

    def __init__(
        self, number: int, key: str | None, safe: httpx.Headers, unsafe: httpx.Headers, json: httpx.Headers
    ) -> None:
        """Keep the headers of one session.

        Args:
            number: The number of the session; it grows with every login and logout.
            key: The session cookie; ``None`` without a session.
            safe: The headers of requests that only read.
            unsafe: The headers of requests that write.
            json: The headers of requests that write JSON.
        """
        self.number: Final = number
        self.key: Final = key
        self.safe: Final = safe
        self.unsafe: Final = unsafe
        self.json: Final = json

    def of(self, draft: Draft) -> httpx.Headers:
        """Return the headers for a request."""
        if draft.content is not None:
            return self.json
        return self.safe if draft.method == "GET" else self.unsafe


class RequestBuilder:
    """Builds requests to one server."""

    def __init__(self, base_url: str, size_limit: int | None) -> None:
        """Build requests below a base URL, which ends in a slash, whose responses may have so many bytes."""
        self._base_url = base_url
        self._size_limit = size_limit

    def url_of(self, endpoint: str) -> httpx.URL:
        """Return the URL of an endpoint, as ``endpoint_path`` returns it.

        Raises:
            InvalidURLError: It is longer than a URL can be.
        """
        return _kept_url(self._base_url, endpoint)

    def build(self, draft: Draft, session: SessionHeaders, options: CallOptions) -> OutgoingRequest:
        """Build a request.

        Args:
            draft: What the request is made of.
            session: The headers of the current session.
            options: The options of the call.

        Returns:
            The request, with cookies, CSRF token and correlation id.
        """
        url = self.url_of(draft.endpoint)
        if draft.params:
            url = _kept_url(f"{url}{'&' if url.query else '?'}", encode_query(draft.params))
        request = OutgoingRequest(
            draft.method,
            url,
            headers=session.of(draft),
            extensions={"timeout": draft.timeout or options.timeout},
            # As a stream, and its headers are added here: for a content httpx makes all headers anew, in 8 us.
            **(draft.body or {"stream": httpx.ByteStream(draft.content) if draft.content else NO_BODY}),
        )
        if not draft.body:
            request.read()  # keeps the bytes, which hooks may look at
            if draft.content is not None or draft.method in WITH_LENGTH:
                request.headers["Content-Length"] = str(len(request.content))
        for name, value in options.headers.items():
            request.headers[name] = value
        if draft.headers:
            request.headers.update(draft.headers)
        request.endpoint = draft.endpoint.partition("?")[0]
        request.session, request.size_limit = session.number, self._size_limit
        if draft.change is not None:
            draft.change(request)
        return request


def without_credentials(request: OutgoingRequest) -> None:
    """Remove the session or token from a request; cookies of its response will be dropped."""
    for name in CREDENTIALS:
        request.headers.pop(name, None)
    request.session = NO_SESSION


def check_origin(request: OutgoingRequest, base_url: str) -> None:
    """Check that a hook did not send a request, with its credentials, to another server.

    Raises:
        InvalidURLError: It did.
    """
    url, base = request.url, httpx.URL(base_url)
    if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
        raise InvalidURLError(f"An event hook changed the address to {url.scheme}://{url.netloc.decode('ascii')}.")


def _url_of(base_url: str, endpoint: str) -> httpx.URL:
    try:
        return httpx.URL(base_url + endpoint)
    except httpx.InvalidURL:
        length = len(base_url) + len(endpoint)
        raise InvalidURLError(f"The endpoint makes a URL of {length:,} characters, more than one can have.") from None


_kept_url = functools.lru_cache(256)(_url_of)
"""Remembers URLs for all clients of the process: a test suite makes a client for each test, all with one address."""
