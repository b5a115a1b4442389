"""Copy requests and responses without their secrets, for errors to keep."""

import httpx

from .._transport.exchange import FRAMING

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-csrftoken"})


def clean_request(request: httpx.Request) -> httpx.Request:
    """Return a copy of a request without body, credentials and cookies."""
    return httpx.Request(request.method, request.url, headers=_clean(request.headers, SECRET_HEADERS))


def clean_response(response: httpx.Response) -> httpx.Response:
    """Return a copy of a response without cookies; its request is a clean copy, too."""
    headers = _clean(response.headers, SECRET_HEADERS | FRAMING)
    request = clean_request(response.request)
    return httpx.Response(response.status_code, headers=headers, content=response.content, request=request)


def _clean(headers: httpx.Headers, unwanted: frozenset[str]) -> list[tuple[bytes, bytes]]:
    """Return all headers but the unwanted ones; as bytes, because a server may send values that are not ASCII."""
    return [(name, value) for name, value in headers.raw if name.decode("ascii").lower() not in unwanted]
