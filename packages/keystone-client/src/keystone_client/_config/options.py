"""Check the arguments of both constructors and keep them as plain values, from which nothing is built yet."""

import os
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import httpx
from keystone_client_core import FieldError, FilterError, adopt_cid, brief, check_page_size, new_cid

from .._transport.tls_and_proxy import Verify, check_proxy, proxy_for, tls_context
from .arguments import Timeouts, checked_base_url, checked_headers, checked_size, checked_timeout, checked_token
from .call_options import CallOptions, checked_retry
from .event_hooks import EventHooks, checked_hooks
from .retry_policy import RetryPolicy

if TYPE_CHECKING:
    from uuid import UUID  # 7 ms to import


class ClientOptions(TypedDict, total=False):
    """The arguments of both constructors after the URL and the token, for type checkers; see ``KeystoneClient``."""

    cid: "UUID | str | None"
    timeout: float | httpx.Timeout | None
    retry: RetryPolicy | None
    page_size: int
    max_response_size: int | None
    verify: Verify
    headers: Mapping[str, str] | None
    proxy: str | httpx.Proxy | None
    limits: httpx.Limits
    trust_env: bool


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
    hooks: EventHooks
    wrap_transport: Callable[[Any], Any] | None
    route: Route

    def __repr__(self) -> str:
        """Hide all values: the token is secret, and the URL of a proxy may contain a password."""
        return "<options>"

    def of_calls(self) -> CallOptions:
        """Return those that ``with_options`` can replace."""
        return CallOptions(self.cid, self.timeout, self.retry)

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
    event_hooks: object,
    wrap_transport: object,
    transport: object,
) -> Options:
    """Check the arguments of a constructor; see ``KeystoneClient`` for their meaning.

    Raises:
        InvalidURLError: The URL is no base URL.
        InvalidCIDError: The correlation id is no UUID.
        FieldError: Another argument has a wrong type or value.
    """
    if not isinstance(limits, httpx.Limits):
        advice = "give httpx.Limits, such as httpx.Limits(max_connections=10)"
        raise FieldError(f"limits={brief(limits)}: {advice}", field="limits")
    certificates = _checked_verify(verify)
    check_proxy(proxy, "proxy")
    if proxy is not None and transport is not None:
        raise FieldError("proxy: a transport takes the place of the network, proxy included: give one", field="proxy")
    if wrap_transport is not None and not callable(wrap_transport):
        advice = "give a function that takes a transport and returns the one to use"
        raise FieldError(f"wrap_transport={brief(wrap_transport)}: {advice}", field="wrap_transport")
    return Options(
        base_url=checked_base_url(url),
        cid=new_cid() if cid is None else adopt_cid(cid),
        token=checked_token(token),
        timeout=checked_timeout(timeout),
        retry=checked_retry(retry),
        page_size=_checked_page_size(page_size),
        max_response_size=checked_size(max_response_size),
        headers=checked_headers(headers or {}),
        verify=certificates,
        proxy=proxy,
        limits=limits,
        trust_env=trust_env,
        hooks=checked_hooks(event_hooks),
        wrap_transport=wrap_transport,
        route=Route(),
    )


def checked_transport(transport: object, method: str, field: str = "transport") -> None:
    """Check that a transport has the method to send requests with: a sync and an async one have different ones.

    Args:
        transport: The transport; ``None`` is fine.
        method: The name of the method.
        field: How the error names the transport.

    Raises:
        FieldError: It lacks the method, or belongs to another library, whose requests are of other classes.
    """
    if transport is None:
        return
    if isinstance(transport, type):
        raise FieldError(f"{field}: give an instance, {transport.__name__}(), not the class", field=field)
    kind = type(transport)
    if not hasattr(transport, method):
        raise FieldError(f"{field}: {kind.__name__} has no {method}; is it for the other client?", field=field)
    others = [base for base in kind.__mro__ if base.__name__ in ("BaseTransport", "AsyncBaseTransport")]
    if others and not issubclass(kind, httpx.BaseTransport | httpx.AsyncBaseTransport):
        library = others[0].__module__.partition(".")[0]
        raise FieldError(f"{field}: {kind.__name__} is a transport of {library}; give one of httpx", field=field)


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
