"""The seam for ``keystone-client-testing``: what a fake server replaces in a client.

A fake has a clock of its own, which moves without anyone waiting, and logs clients in without a request. These
functions are all it needs for that, so it does not touch private attributes. They are no public interface: they are
promised to ``keystone-client-testing`` of the same release alone, which is why it requires that very version.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast, overload

import httpx

from ._async_client import AsyncKeystoneClient
from ._client import KeystoneClient


@overload
def set_clock(client: KeystoneClient, clock: Callable[[], float], sleep: Callable[[float], object]) -> None: ...


@overload
def set_clock(
    client: AsyncKeystoneClient, clock: Callable[[], float], sleep: Callable[[float], Awaitable[object]]
) -> None: ...


def set_clock(
    client: KeystoneClient | AsyncKeystoneClient,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[object] | object],
) -> None:
    """Let a client read the time from another clock, and wait by another function.

    Args:
        client: A client that has sent nothing yet.
        clock: Returns seconds since the epoch; used as wall clock and as monotonic clock.
        sleep: Waits for a number of seconds before a retry; a coroutine function for an async client.
    """
    client._session.clock = client._session.now = clock
    cast(Any, client._driver).sleep = sleep  # which kind of function, the overloads say


def open_session(client: KeystoneClient | AsyncKeystoneClient, cookies: Iterable[str]) -> None:
    """Log a client in without a request.

    Args:
        client: A client without a session.
        cookies: The ``Set-Cookie`` headers with which the server would answer its login.
    """
    headers = [("Set-Cookie", cookie) for cookie in cookies]
    request = httpx.Request("GET", client._session.base_url)
    client._session.receive(httpx.Response(200, headers=headers, request=request))
