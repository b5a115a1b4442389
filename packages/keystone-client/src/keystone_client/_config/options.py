"""Check the arguments of both constructors and keep them as plain values, from which nothing is built yet."""

import os
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
from keystone_client_core import FieldError, FilterError, adopt_cid, brief, check_page_size, new_cid

from .._transport.tls_and_proxy import check_proxy, proxy_for, tls_context
from .arguments import Timeouts, checked_base_url, checked_headers, checked_size, checked_timeout, checked_token
from .retry_policy import NO_RETRIES, RetryPolicy


class Route:
    """How the server is reached, for errors to tell. Known when the first connection is opened."""

    def __init__(self) -> None:
        """Begin without a connection; with a transport of the user's there never is one."""
        self.proxy = ""
        """The proxy, without its password, and what named it; empty if there is none."""


class Options(NamedTuple):
    """The settings of one client, checked."""

    base_url: str
    cid: str
    token: str | None
    timeout: Timeouts
    retry: RetryPolicy
    page_size: int
    max_response_size: int | None
    headers: Mapping[str, str]
    verify: bool | str | ssl.SSLContext
    proxy: str | httpx.Proxy | None
    limits: httpx.Limits
    trust_env: bool
    route: Route

    def __repr__(self) -> str:
        """Hide all values: the token is secret, and the URL of a proxy may contain a password."""
        return "<options>"

    def for_one_connection(self) -> dict[str, Any]:
        """Return the arguments for an httpx transport that holds one connection.

        This reads the environment (CA certificates, proxies), unless the client was told not to trust it.
        """
        proxy, self.route.proxy = proxy_for(self.base_url, self.proxy, self.trust_env)
        return {
            "verify": tls_context(self.base_url, self.verify, self.trust_env),
            "proxy": proxy,
            "limits": httpx.Limits(max_connections=1, keepalive_expiry=self.limits.keepalive_expiry),
        }


def checked_options(
    url: str,
    *,
    token: str | None,
    cid: Any,
    timeout: float | httpx.Timeout | None,
    retry: object,
    page_size: int,
    max_response_size: int | None,
    verify: object,
    headers: Mapping[str, str] | None,
    proxy: str | httpx.Proxy | None,
    limits: object,
    trust_env: bool,
) -> Options:
    """Check the arguments of a constructor; see ``KeystoneClient`` for their meaning.

    Raises:
        InvalidURLError: The URL is no base URL.
        InvalidCIDError: The correlation id is no UUID.
        FieldError: Another argument has a wrong type or value.
    """
    if retry is not None and not isinstance(retry, RetryPolicy):
        advice = "give a RetryPolicy, such as RetryPolicy(attempts=3), or None to switch retries off"
        raise FieldError(f"retry={brief(retry)}: {advice}", field="retry")
    if not isinstance(limits, httpx.Limits):
        advice = "give httpx.Limits, such as httpx.Limits(max_connections=10)"
        raise FieldError(f"limits={brief(limits)}: {advice}", field="limits")
    certificates = _checked_verify(verify)
    check_proxy(proxy, "proxy")
    return Options(
        base_url=checked_base_url(url),
        cid=new_cid() if cid is None else adopt_cid(cid),
        token=checked_token(token),
        timeout=checked_timeout(timeout),
        retry=NO_RETRIES if retry is None else retry,
        page_size=_checked_page_size(page_size),
        max_response_size=checked_size(max_response_size),
        headers=checked_headers(headers or {}),
        verify=certificates,
        proxy=proxy,
        limits=limits,
        trust_env=trust_env,
        route=Route(),
    )


def checked_transport(transport: object, method: str) -> None:
    """Check that a transport has the method to send requests with: a sync and an async one have different ones.

    Raises:
        FieldError: It lacks the method.
    """
    if isinstance(transport, type):
        raise FieldError(f"transport: give an instance, {transport.__name__}(), not the class", field="transport")
    if transport is not None and not hasattr(transport, method):
        kind = type(transport).__name__
        raise FieldError(f"transport: {kind} has no {method}; is it for the other client?", field="transport")


def _checked_page_size(page_size: object) -> int:
    try:
        return check_page_size(page_size)
    except FilterError as error:  # here it is an argument of the client, not of a listing
        raise FieldError(str(error), field="page_size") from None


def _checked_verify(verify: object) -> bool | str | ssl.SSLContext:
    if isinstance(verify, os.PathLike):
        verify = os.fspath(verify)
    if isinstance(verify, bool | ssl.SSLContext) or (isinstance(verify, str) and os.path.isfile(verify)):
        return verify
    advice = "give True, a file of CA certificates that exists, an ssl.SSLContext, or False to check nothing"
    given = repr(verify) if isinstance(verify, str) else brief(verify)  # brief() would cut off the end of a path
    raise FieldError(f"verify={given}: {advice}", field="verify")
