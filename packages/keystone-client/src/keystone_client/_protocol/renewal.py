"""Beginning a session again that has ended, with credentials from a provider: once, however many calls meet its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx

from .._flow import Flow
from .responses import is_json
from .retries import Failure
from .session_state import SessionState

_ASKING: ContextVar[tuple[SessionState, ...]] = ContextVar("asking", default=())


@contextmanager
def asking(session: SessionState) -> Iterator[None]:
    """Mark the calls that the user's code makes while it is asked for credentials: they cannot wait for these."""
    token = _ASKING.set((*_ASKING.get(), session))
    try:
        yield
    finally:
        _ASKING.reset(token)


def is_over(session: SessionState, failure: Failure) -> bool:
    """Whether an answer says that the session has ended, and there is a way to begin another."""
    if session.renew is None or not isinstance(failure, httpx.Response) or failure.status_code != 401:
        return False
    return is_json(failure) and session not in _ASKING.get()


def renewal(session: SessionState, renewals: int, login: Callable[[], Any]) -> Flow[bool]:
    """Begin a session, unless another call has tried since; whoever gives up midway leaves it to the next.

    Args:
        session: The conversation whose session is over.
        renewals: How many there had been when the call that asks for this one was sent.
        login: Gives the call that logs in.

    Returns:
        Whether there is a session now.
    """
    renew = session.renew
    if session.renewals == renewals and renew is not None:
        try:
            yield from renew(login())
        except Exception:
            session.renewals += 1
            raise
        session.renewals += 1
    return session.has_session
