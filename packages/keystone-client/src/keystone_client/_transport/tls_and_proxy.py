"""Choose the TLS context and the proxy of a client.

Nothing here knows Keystone. Building a TLS context takes 20 ms, so clients with the same settings share one.

httpx ignores the proxies of the environment as soon as it is given a transport. A client has one server, so its proxy
is chosen here once.
"""

import functools
import os
import ssl
from importlib.util import find_spec
from typing import Final, TypeAlias
from urllib.request import getproxies, proxy_bypass

import httpx
from keystone_client_core import FieldError

Verify: TypeAlias = bool | str | os.PathLike[str] | ssl.SSLContext
"""The types that the ``verify`` argument of a client accepts."""
DEFAULT_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20)


def tls_context(base_url: str, verify: bool | str | ssl.SSLContext, trust_env: bool) -> ssl.SSLContext:
    """Return the TLS context for a server; clients with the same settings get the same object."""
    if isinstance(verify, ssl.SSLContext):
        return verify
    if base_url.startswith("http:"):
        return _trusting_nobody()
    environment = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")) if trust_env else ()
    return _tls_context(verify, trust_env, environment)


@functools.lru_cache(1)
def _trusting_nobody() -> ssl.SSLContext:
    """Return a context for plain http. Without CA certificates it takes 0.14 ms instead of 18, and trusts no server."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@functools.lru_cache(32)
def _tls_context(verify: bool | str, trust_env: bool, _environment: tuple[str | None, ...]) -> ssl.SSLContext:
    try:
        if isinstance(verify, str):
            return ssl.create_default_context(cafile=verify)
        return httpx.create_ssl_context(verify=verify, trust_env=trust_env)
    except OSError as error:  # ssl.SSLError is one
        where = verify if isinstance(verify, str) else "what SSL_CERT_FILE or SSL_CERT_DIR names"
        raise FieldError(f"no CA certificates can be read from {where}: {error}", field="verify") from None


def proxy_for(base_url: str, proxy: str | httpx.Proxy | None, trust_env: bool) -> str | httpx.Proxy | None:
    """Return the proxy to use: the given one, else that of the environment, unless ``NO_PROXY`` names the host."""
    if proxy is not None or not trust_env:
        return proxy
    url = httpx.URL(base_url)
    if proxy_bypass(url.netloc.decode("ascii")) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    full = f"http://{found}" if found and "://" not in found else found
    check_proxy(full, f"the proxy of the environment for {url.scheme}")
    return full


def check_proxy(proxy: object, what: str) -> None:
    """Check that a value can be used as a proxy. Its URL may contain a password, so no message repeats it.

    Args:
        proxy: The value; ``None`` is fine.
        what: How error messages name it.

    Raises:
        FieldError: It is no proxy, or needs a package that is not installed.
    """
    if proxy is None or isinstance(proxy, httpx.Proxy):
        return
    try:
        scheme = httpx.Proxy(proxy).url.scheme if isinstance(proxy, str | httpx.URL) else ""
    except (ValueError, httpx.InvalidURL):
        scheme = ""
    if not scheme:
        raise FieldError(f"{what}: give a URL like http://host:3128, or an httpx.Proxy", field="proxy")
    if scheme.startswith("socks") and find_spec("socksio") is None:
        raise FieldError(f"{what}: {scheme} needs the package socksio: pip install 'httpx[socks]'", field="proxy")
