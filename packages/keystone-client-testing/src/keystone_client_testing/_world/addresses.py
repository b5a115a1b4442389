"""Network addresses as the server keeps, orders and compares them."""

import ipaddress
import re
from functools import lru_cache
from typing import Any

Inet = ipaddress.IPv4Interface | ipaddress.IPv6Interface

_LEADING_ZEROS = re.compile(r"(?<![0-9a-f:])0+(?=\d)")
_MASK = re.compile(r"/\D|/.*\.")
"""A mask that is written as an address: Python reads it, PostgreSQL does not."""


@lru_cache(1024)
def shortened(text: str) -> str:
    """Return an IPv6 address in its shortest form, as Django keeps it; any other text is returned as it is."""
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return text


@lru_cache(1024)
def as_inet(text: str) -> Inet:
    """Read an address, with or without a network, as PostgreSQL's type ``inet`` does.

    Args:
        text: an address; leading zeros are allowed.

    Returns:
        The address, to compare.

    Raises:
        ValueError: it is no address.
    """
    if _MASK.search(text):
        raise ValueError(f"{text!r} has a mask that is no number")
    return ipaddress.ip_interface(text if ":" in text else _LEADING_ZEROS.sub("", text))


def inet_key(text: str) -> Any:
    """Return the sort key of a stored address: IPv4 before IPv6, then by number."""
    address = as_inet(text)
    return (address.version, int(address.ip))
