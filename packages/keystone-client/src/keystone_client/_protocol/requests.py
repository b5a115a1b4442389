"""Build requests from the base URL, an endpoint and headers prepared in advance; no I/O, no state of a session."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import httpx
from keystone_client_core import InvalidURLError, encode_query

from .._config.arguments import Timeouts
from .._transport.outgoing import NO_SESSION, OutgoingRequest
from .cookies import SecretHeaders

CREDENTIALS = ("cookie", "authorization")
Parameters: TypeAlias = Mapping[str, Any] | Sequence[tuple[str, Any]]


class RequestBuilder:
    """Builds requests to one server."""

    def __init__(self, base_url: str) -> None:
        """Build requests below a base URL, which ends in a slash."""
        self.url_of = functools.lru_cache(256)(functools.partial(_url_of, base_url))

    def request(
        self,
        method: str,
        endpoint: str,
        *,
        headers: httpx.Headers,
        params: Parameters | None,
        content: bytes | None,
        more: Mapping[str, str] | None,
        timeout: Timeouts,
        body: Mapping[str, Any],
    ) -> OutgoingRequest:
        """Build a request.

        Args:
            method: The HTTP method, upper case.
            endpoint: The path below the base URL.
            headers: The headers of the session.
            params: Query parameters.
            content: A body that is JSON already.
            more: Further headers.
            timeout: Timeouts in seconds by phase.
            body: ``json``, ``data`` or ``files``, as httpx takes them.

        Returns:
            The request, without a session number and without a size limit.
        """
        url = self.url_of(endpoint)
        if params:
            url = _url_of(f"{url}{'&' if url.query else '?'}", encode_query(params))
        if content is not None:
            headers = SecretHeaders(headers)
            headers["Content-Type"] = "application/json"
        if more:
            headers = SecretHeaders(headers)
            headers.update(more)
        extensions = {"timeout": timeout}
        request = OutgoingRequest(method, url, headers=headers, content=content, extensions=extensions, **body)
        request.endpoint = endpoint.partition("?")[0]
        return request


def without_credentials(request: OutgoingRequest) -> OutgoingRequest:
    """Remove the session or token from a request; cookies of its response will be dropped."""
    for name in CREDENTIALS:
        request.headers.pop(name, None)
    request.session = NO_SESSION
    return request


def _url_of(base_url: str, endpoint: str) -> httpx.URL:
    try:
        return httpx.URL(base_url + endpoint)
    except httpx.InvalidURL:
        length = len(base_url) + len(endpoint)
        raise InvalidURLError(f"The endpoint makes a URL of {length:,} characters, more than one can have.") from None
