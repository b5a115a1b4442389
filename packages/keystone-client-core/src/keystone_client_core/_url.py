"""URLs: checks and normalises base URLs, and turns endpoints into paths below them.

A session cookie must not go to another host or another application on the same host. So an endpoint that might lead
outside of the base URL is refused before a request is built. Query parameters for filters are in ``_filters``.
"""

import re
from typing import NamedTuple, NoReturn
from urllib.parse import quote, unquote

from ._errors import InvalidURLError

_ADDRESS = re.compile(r"(https?)://(\[[^\]/]+\]|[\w.\-\u0080-\U0010ffff]+)(?::([0-9]{0,5}))?(/.*)?", re.IGNORECASE)
_SCHEME_AND_HOST = re.compile(r"[A-Za-z]+://[\w.-]+(?=[:/?#\\]|$)")
_HOST_ONLY = re.compile(r"([a-z0-9-]{1,40})(\.[a-z0-9-]{1,40})*\.?(:[0-9]{1,5})?")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # also the ideographic and the full-width ones, RFC 3490, section 3.1
_SLASHES = re.compile("//+")
_SLASHES_AT_END = re.compile("(?<=[^:/])//+$")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE_IN_PATH = "%!$&'()*+,;=@~"  # a colon is legal, but would make a path look like a URL with a scheme
_SAFE_IN_QUERY = _SAFE_IN_PATH + ":/?"
_DEEPEST_ENCODING = 5
_EXAMPLE = "https://keystone.example.org"
_LONGEST_SHOWN = 100
_LONGEST_LABEL = 63
_ASCII_FORM = "write it in the form that your DNS has, which begins with xn--"


class _Address(NamedTuple):
    scheme: str
    host: str
    port: int
    path: str
    """The path with a leading slash and without a trailing one; empty for the root."""


def parse_base_url(url: str) -> str:
    """Check a base URL and normalise it.

    Args:
        url: A URL with ``http`` or ``https``, a host, and optionally a port and a path: ``https://host/keystone/api``.

    Returns:
        The URL with scheme and host in lower case, without the default port, and with one trailing slash. A host with
        other letters than ASCII is in the form of IDNA 2008, as browsers and httpx ask for it. The default port must
        go because Django compares the ``Referer`` with a host that does not have it.

    Raises:
        InvalidURLError: It is not such a URL, or has user-info, a query or a fragment. The message does not repeat
            parts that may be a secret.
    """
    if not isinstance(url, str):
        hint = "None: is the setting that it comes from set?" if url is None else f"{type(url).__name__}."
        raise InvalidURLError(f"The base URL must be text, not {hint}")
    if any(character.isspace() for character in url):  # urlsplit would silently drop some characters
        _refuse("base URL", url, "contains whitespace")
    address = _parse("base URL", _SLASHES_AT_END.sub("/", url))
    port = "" if address.port == _DEFAULT_PORTS[address.scheme] else f":{address.port}"
    return f"{address.scheme}://{address.host}{port}{address.path}/"


def endpoint_path(base_url: str, endpoint: str) -> str:
    """Turn an endpoint into a path below the base URL.

    Args:
        base_url: What ``parse_base_url`` returned.
        endpoint: A path below the base URL, with or without slashes at its ends, with or without a query:
            ``version``, ``/users/teams/5/``, ``users/teams?name=Physics``. Also an absolute URL below the base URL.
            Several slashes in a row count as one, except at the beginning, where two name another host.

    Returns:
        The percent-encoded path without a leading slash and with a trailing one, then the query:
        ``users/teams/?x=1``. Empty for the base URL itself. The trailing slash is needed because without it the server
        answers 301 and does nothing.

    Raises:
        InvalidURLError: The endpoint leads outside of the base URL, or contains something that might: dot segments,
            backslashes, control characters, or these behind several layers of percent-encoding.
    """
    if not isinstance(endpoint, str):
        raise InvalidURLError(f"The endpoint must be text, not {type(endpoint).__name__}.")
    _refuse_characters("endpoint", endpoint)
    path, _, query = endpoint.partition("?")
    if _SCHEME.match(path):
        path = _below(base_url, path)
    elif path.startswith("//"):
        _refuse("endpoint", endpoint, "starts with two slashes, which names another host; use one or none")
    encoded = _encode_path("endpoint", _SLASHES.sub("/", path))
    return (f"{encoded[1:]}/" if encoded else "") + (f"?{_encode_query(query)}" if query else "")


def join_url(base_url: str, path: str) -> str:
    """Return the URL of a path.

    Args:
        base_url: What ``parse_base_url`` returned.
        path: What ``endpoint_path`` or ``record_path`` returned.
    """
    return base_url + path


def _parse(what: str, url: str) -> _Address:
    _refuse_characters(what, url)
    if "?" in url:
        _refuse(what, url, "has a query; give the address without '?'")
    match = _ADDRESS.fullmatch(url)
    if not match and "@" in url:
        _refuse(what, url, "has user-info; give the address only, and log in with login() or a token")
    if not match:
        _refuse(what, url, _without_address(url))
    scheme, host, port, path = match.groups(default="")
    if path.startswith("//") and host.lower() in _DEFAULT_PORTS:
        _refuse(what, url, "has two schemes; write one, as in https://keystone.example.org")
    scheme = scheme.lower()
    number = int(port) if port else _DEFAULT_PORTS[scheme]
    if not 0 < number < 65536:
        _refuse(what, url, "has a port that is not between 1 and 65535")
    return _Address(scheme, _host(what, url, host), number, _encode_path(what, path))


def _without_address(url: str) -> str:
    """Return what a text lacks to be a base URL. Only a host is repeated; other text may be a secret."""
    host, slash, path = url.partition("/")
    like = None if "@" in url else _HOST_ONLY.fullmatch(host)
    if like and (like[2] or like[3] or like[1] == "localhost"):
        shown = f"{host}{slash}{'...' if path else ''}"
        return f"{shown!r} has no scheme; write 'https://{shown}', or http:// for a server without TLS"
    return f"is not http:// or https:// with a host, and if need be a port and a path, as {_EXAMPLE} is"


def _host(what: str, url: str, host: str) -> str:
    """Return the form of a host that is sent in ``Host``: Django compares it with the host in ``Referer``."""
    if host.startswith("["):
        return _ipv6_host(what, url, host[1:-1])
    labels = _DOTS.split(host.lower())
    if not host.isascii():
        if not all(map(_is_name, labels)):
            _refuse(what, url, f"has a host with characters that are not for names; {_ASCII_FORM}")
        labels = [_ascii_label(label) for label in labels]
    named = labels[:-1] if labels[-1] == "" else labels  # a dot may end the name
    if not named or not all(0 < len(label) <= _LONGEST_LABEL for label in named):
        _refuse(what, url, "has a host that cannot be one")
    return ".".join(labels)


def _ipv6_host(what: str, url: str, host: str) -> str:
    from ipaddress import IPv6Address  # imported here, because few hosts need it

    if "%" in host:
        _refuse(what, url, "has an IPv6 zone (the part after '%'), which no Host header can carry; use a name for it")
    try:
        return f"[{IPv6Address(host)}]"
    except ValueError:
        _refuse(what, url, "has a host that cannot be one")


def _is_name(label: str) -> bool:
    """Check the letters of a part of a host: letters, marks, digits and hyphens, unchanged by normalisation.

    Stricter than IDNA 2008, whose tables are not in the standard library. What it lets through has one ASCII form.
    """
    from unicodedata import category, normalize

    letters = all(each in "-_" or category(each)[0] in "LM" or category(each) == "Nd" for each in label)
    return letters and normalize("NFKC", label) == label


def _ascii_label(label: str) -> str:
    """Return the form of IDNA 2008 of a part of a host.

    Not Python's own codec ``idna``: that is IDNA 2003 and writes ``ss`` for the letter ß, which names another host.
    """
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"


def _below(base_url: str, url: str) -> str:
    """Return the path of an absolute URL relative to the base URL, and refuse a URL that is not below it."""
    if not re.match("https?://", url, re.IGNORECASE):
        _refuse("endpoint", url, "has a scheme; give a path below the base URL, with a colon in it as %3A")
    scheme, _, rest = url.partition("://")
    base, address = _parse("base URL", base_url), _parse("endpoint", f"{scheme}://{_SLASHES.sub('/', rest)}")
    prefix = f"{base.path}/"
    if address[:3] != base[:3] or not f"{address.path}/".startswith(prefix):
        _refuse("endpoint", url, f"does not lie under the base URL {base_url}; give a path below it")
    return f"{address.path}/"[len(prefix) :]


def _encode_path(what: str, path: str) -> str:
    if "//" in path:
        _refuse(what, path, "has two slashes in a row")
    path = path.removeprefix("/").removesuffix("/")
    if not path:
        return ""
    segments = path.split("/")
    for segment in segments:
        _check_segment(what, path, segment)
    return "".join(f"/{quote(_STRAY_PERCENT.sub('%25', segment), safe=_SAFE_IN_PATH)}" for segment in segments)


def _check_segment(what: str, path: str, segment: str) -> None:
    """Refuse a segment that a proxy or the server could read as another path, at any depth of percent-encoding."""
    plain = _decoded(what, path, segment)
    if plain in (".", ".."):
        _refuse(what, path, "has a '.' or '..' segment; write the path out")
    if "/" in plain or "\\" in plain or _CONTROL.search(plain):
        _refuse(what, path, "hides a slash, a backslash or a control character behind percent signs")


def _decoded(what: str, path: str, segment: str) -> str:
    """Return a segment with all layers of percent-encoding removed. Refuse a segment with an unreasonable number."""
    for _ in range(_DEEPEST_ENCODING):
        try:
            plain = unquote(segment, errors="strict")
        except UnicodeDecodeError:
            _refuse(what, path, "has percent-encoded bytes that are not UTF-8")
        if plain == segment:
            return plain
        segment = plain
    return _refuse(what, path, "is percent-encoded many times over")


def _encode_query(query: str) -> str:
    if _CONTROL.search(unquote(query)):
        _refuse("endpoint", query, "has a control character in its query")
    return quote(_STRAY_PERCENT.sub("%25", query), safe=_SAFE_IN_QUERY)


def _refuse_characters(what: str, url: str) -> None:
    if "\\" in url:
        _refuse(what, url, "contains a backslash")
    if "#" in url:
        _refuse(what, url, "has a fragment; leave out '#', or write it as %23")
    if _CONTROL.search(url):
        _refuse(what, url, "contains a control character or a lone surrogate")


def _refuse(what: str, url: str, why: str) -> NoReturn:
    start = None if "@" in url else _SCHEME_AND_HOST.match(url)  # the part before an '@' may be a secret
    shown_part = f" {start.group()[:_LONGEST_SHOWN]}/..." if start else ""
    raise InvalidURLError(f"The {what}{shown_part} {why}.")
