"""Choose the TLS context and the proxy of a client.

Nothing here knows Keystone. Building a TLS context takes 20 ms, so clients with the same settings share one.

httpx ignores the proxies of the environment as soon as it is given a transport. A client has one server, so its proxy
is chosen here once.

``ssl.create_default_context`` writes the keys of connections to the file that ``SSLKEYLOGFILE`` names, asked or not. So
contexts are built here without it, and only a client that trusts the environment writes keys.
"""

import functools
import os
import ssl
import sys
from importlib.util import find_spec
from typing import Final, NamedTuple, TypeAlias

import httpx
from keystone_client_core import FieldError, InvalidURLError, parse_base_url

Verify: TypeAlias = bool | str | os.PathLike[str] | ssl.SSLContext
"""The types that the ``verify`` argument of a client accepts."""
DEFAULT_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100)


CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
KEY_LOG: Final = "SSLKEYLOGFILE"


class ChosenProxy(NamedTuple):
    """The proxy of a client, and how errors name it."""

    proxy: str | httpx.Proxy | None
    name: str = ""
    """Its URL without the password, and what named it; empty without a proxy."""

    def __repr__(self) -> str:
        """Hide the URL, which may contain a password."""
        return f"<proxy {self.name or None}>"


def tls_context(base_url: str, verify: bool | str | ssl.SSLContext, trust_env: bool) -> ssl.SSLContext:
    """Return the TLS context for a server; clients with the same settings get the same object.

    Raises:
        FieldError: Certificates cannot be read, or the keys cannot be written where the environment wants them.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if base_url.startswith("http:"):
        return _trusting_nobody()
    file, folder, keys = (os.environ.get(name, "") if trust_env else "" for name in (*CERTIFICATES, KEY_LOG))
    stamp = _stamp(verify if isinstance(verify, str) else file)
    return _tls_context(verify, file, folder, keys, stamp)


def _stamp(file: str) -> tuple[int, ...]:
    """Return what changes when a file of certificates is renewed; empty if there is no such file."""
    try:
        status = os.stat(file)
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino


@functools.lru_cache(1)
def _trusting_nobody() -> ssl.SSLContext:
    """Return a context for plain http. Without CA certificates it takes 0.14 ms instead of 18, and trusts no server."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@functools.lru_cache(32)
def _tls_context(verify: bool | str, file: str, folder: str, keys: str, stamp: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        _trust(context, verify, file, folder)
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if keys:
        try:
            context.keylog_filename = keys
        except OSError as error:
            advice = "unset it, or give trust_env=False"
            raise FieldError(
                f"{KEY_LOG} names {keys!r}, which cannot be written: {error.strerror}; {advice}", field="trust_env"
            ) from None
    return context


def _trust(context: ssl.SSLContext, verify: bool | str, file: str, folder: str) -> None:
    """Load the CA certificates, as ``ssl.create_default_context`` would, its flags of Python 3.13 included."""
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    if isinstance(verify, str):
        source, given = verify, {"cafile": verify}
    elif file:
        source, given = f"{file!r}, which {CERTIFICATES[0]} names", {"cafile": file}
    elif folder:
        source, given = f"{folder!r}, which {CERTIFICATES[1]} names", {"capath": folder}
    else:
        import certifi  # httpx brings it, and takes its certificates from there, too

        source, given = "the package certifi", {"cafile": certifi.where()}
    try:
        context.load_verify_locations(**given)
    except OSError as error:  # ssl.SSLError is one
        raise FieldError(f"no CA certificates can be read from {source}: {error}", field="verify") from None


def proxy_for(base_url: str, proxy: str | httpx.Proxy | None, trust_env: bool) -> ChosenProxy:
    """Return the proxy to use: the given one, else that of the environment, unless ``NO_PROXY`` names the host.

    Raises:
        FieldError: The environment names something that is no proxy.
    """
    what = "proxy="
    if proxy is None and trust_env:
        from .environment_proxies import proxy_of_environment  # not at import, where nothing is connected yet

        found = proxy_of_environment(httpx.URL(base_url))
        if found is None:
            return ChosenProxy(None)
        proxy, what = found
        check_proxy(proxy, f"{what} of the environment")
    if proxy is None:
        return ChosenProxy(None)
    parsed = proxy if isinstance(proxy, httpx.Proxy) else httpx.Proxy(proxy)
    if parsed.url.scheme == "https" and parsed.ssl_context is None:  # httpcore would make one that writes keys
        context = tls_context(str(parsed.url), True, trust_env)
        proxy = httpx.Proxy(parsed.url, ssl_context=context, auth=parsed.auth, headers=parsed.headers)
    return ChosenProxy(proxy, f"{parsed.url.copy_with(userinfo=b'')} ({what})")


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
        url = httpx.Proxy(proxy).url if isinstance(proxy, str | httpx.URL) else httpx.URL()
        host = f"[{url.host}]" if ":" in url.host else url.host
        parse_base_url(f"http://{host}:{url.port or 80}")  # httpx takes "[bad" for a host, and 99999 for a port
    except (ValueError, httpx.InvalidURL, InvalidURLError):
        advice = "give http, https, socks5 or socks5h, a host and a port, like http://host:3128, or an httpx.Proxy"
        raise FieldError(f"{what} is not the URL of a proxy: {advice}", field="proxy") from None
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise FieldError(f"{what}: {url.scheme} needs the package socksio: pip install 'httpx[socks]'", field="proxy")
