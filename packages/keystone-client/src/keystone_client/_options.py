"""What both constructors take, checked in one place."""

import os
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
from keystone_client_core import FieldError, __version__

from ._connections import Verify
from ._conversation import Conversation
from ._retry import RetryPolicy

AGENT = f"keystone-api-client/{__version__}"


class Options(NamedTuple):
    """The settings of one client."""

    talk: Conversation
    verify: Verify
    proxy: str | httpx.Proxy | None
    limits: httpx.Limits
    trust_env: bool


def checked_options(
    url: str,
    *,
    token: str | None,
    cid: Any,
    timeout: float | httpx.Timeout | None,
    retry: object,
    page_size: int,
    verify: Verify,
    headers: Mapping[str, str] | None,
    proxy: str | httpx.Proxy | None,
    limits: httpx.Limits,
    trust_env: bool,
) -> Options:
    """Check the arguments of a constructor; see ``KeystoneClient`` for their meaning.

    Raises:
        InvalidURLError: The URL is no base URL.
        InvalidCIDError: The correlation id is no UUID.
        FieldError: Another argument cannot be what it says.
    """
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise FieldError(f"retry={retry!r}: give a RetryPolicy, or None to switch retries off", field="retry")
    if not isinstance(verify, bool | ssl.SSLContext) and not (isinstance(verify, str) and os.path.isfile(verify)):
        raise FieldError(
            f"verify={verify!r}: give True, a file of CA certificates that exists, or a context", field="verify"
        )
    talk = Conversation(
        url, token=token, cid=cid, timeout=timeout, retry=retry, page_size=page_size, headers=headers, agent=AGENT
    )
    return Options(talk, verify, proxy, limits, trust_env)
