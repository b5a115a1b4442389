"""Read the variables that name proxies, with the meaning they have for curl and requests.

``HTTPS_PROXY``, ``HTTP_PROXY`` and ``ALL_PROXY`` name a proxy by the scheme of the server; in lower case they win, and
a blank one stands for none. ``NO_PROXY`` names what is reached without one. Python's own ``proxy_bypass`` knows neither
networks nor blanks; it is asked only where the environment is silent, for the settings of macOS and Windows.
"""

import os
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.request import getproxies, proxy_bypass

import httpx


class Found(NamedTuple):
    """A proxy that the environment names."""

    url: str
    """Its URL, which may contain a password."""
    variable: str
    """The variable that names it."""

    def __repr__(self) -> str:
        """Hide the URL, which may contain a password."""
        return f"<proxy of {self.variable}>"


def proxy_of_environment(url: httpx.URL) -> Found | None:
    """Return the proxy for a server; ``None`` if none is named, or the server is to be reached without one."""
    scheme = url.scheme.lower()
    names = [f"{scheme}_proxy", "all_proxy"]
    given = [(variable, value) for name in names if (variable := _variable(name)) and (value := _value(variable))]
    if given:
        variable, value = given[0]
        return None if _is_exempt(url) else Found(_with_scheme(value), variable)
    system = {} if any(map(_variable, names)) else getproxies()
    value = system.get(scheme) or system.get("all") or ""
    if not value or _is_exempt(url) or proxy_bypass(url.host):
        return None
    return Found(_with_scheme(value), "the network settings of this system")


def _variable(name: str) -> str | None:
    """Return the spelling in which a variable is set; lower case wins, as everywhere."""
    if name in os.environ:
        return name
    # A web server hands the header "Proxy" of a request to a CGI program as HTTP_PROXY.
    fit = name.upper() in os.environ and not (name == "http_proxy" and "REQUEST_METHOD" in os.environ)
    return name.upper() if fit else None


def _value(variable: str | None) -> str:
    return os.environ[variable].strip() if variable else ""


def _with_scheme(value: str) -> str:
    return value if "://" in value else f"http://{value}"


def _is_exempt(url: httpx.URL) -> bool:
    """Return whether ``NO_PROXY`` names a server: by its host, a domain above it, its address or its network."""
    entries = _value(_variable("no_proxy")).replace(",", " ").split()
    return any(_covers(entry, url) for entry in entries)


def _covers(entry: str, url: httpx.URL) -> bool:
    if entry == "*":
        return True
    host = url.raw_host.decode("ascii").lower().rstrip(".")
    address = _address(host)
    name, port = _parted(entry.lower())
    if port not in (None, url.port or {"http": 80, "https": 443}[url.scheme]):
        return False
    if address is not None:
        return _contains(name, address)
    domain = _ascii(name.removeprefix("*").strip("."))
    return bool(domain) and f".{host}".endswith(f".{domain}")


def _parted(entry: str) -> tuple[str, int | None]:
    """Return the name or network that an entry begins with, and its port."""
    name, colon, port = entry.rpartition(":")
    if colon and port.isascii() and port.isdigit() and (":" not in name or name.endswith("]")):
        return name.strip("[]"), int(port[:6])
    return entry.strip("[]"), None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _contains(network: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False


def _ascii(name: str) -> str:
    """Return the form in which a host is asked for; hosts are compared in it."""
    try:
        return httpx.URL(f"http://{name}").raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError):
        return ""
