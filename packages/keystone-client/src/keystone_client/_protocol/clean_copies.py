"""Copies of requests and responses without secrets: what errors keep."""

import httpx

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-csrftoken"})

FRAMING_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def clean_request(request: httpx.Request) -> httpx.Request:
    """A copy without body, credentials and cookies."""
    return httpx.Request(request.method, request.url, headers=_clean(request.headers, SECRET_HEADERS))


def clean_response(response: httpx.Response) -> httpx.Response:
    """A copy without cookies, on a clean request."""
    headers = _clean(response.headers, SECRET_HEADERS | FRAMING_HEADERS)
    request = clean_request(response.request)
    return httpx.Response(response.status_code, headers=headers, content=response.content, request=request)


def _clean(headers: httpx.Headers, unwanted: frozenset[str]) -> list[tuple[bytes, bytes]]:
    """The other headers, as bytes: a server may send some that are not ASCII."""
    return [(name, value) for name, value in headers.raw if name.decode("ascii").lower() not in unwanted]
